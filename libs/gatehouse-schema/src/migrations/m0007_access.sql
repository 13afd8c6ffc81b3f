-- Access: who may pass where and when. Written by the directory, read by whoever decides about a door
-- (the hub), sends people to terminals (sync) or explains (the directory).

create table directory.schedules (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity,
  name text not null check (name <> ''),
  -- gatehouse_domain::schedule::Schedule
  plan jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, name)
);

create table directory.doors (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity,
  name text not null check (name <> ''),
  location text not null default '',
  switch_address text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, name)
);

create table directory.door_devices (
  tenant_id uuid not null,
  door_id uuid not null,
  device_id uuid not null,
  primary key (tenant_id, door_id, device_id),
  foreign key (tenant_id, door_id) references directory.doors on delete cascade,
  foreign key (tenant_id, device_id) references directory.devices on delete cascade
);
create index door_devices_by_device on directory.door_devices (tenant_id, device_id);

-- An authority: devices (by themselves or through doors) x groups x a schedule; without one, always.
create table directory.authorities (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity,
  name text not null default '',
  schedule_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  foreign key (tenant_id, schedule_id) references directory.schedules
);
create index authorities_by_schedule on directory.authorities (tenant_id, schedule_id);

create table directory.authority_devices (
  tenant_id uuid not null,
  authority_id uuid not null,
  device_id uuid not null,
  primary key (tenant_id, authority_id, device_id),
  foreign key (tenant_id, authority_id) references directory.authorities on delete cascade,
  foreign key (tenant_id, device_id) references directory.devices on delete cascade
);
create index authority_devices_by_device on directory.authority_devices (tenant_id, device_id);

create table directory.authority_doors (
  tenant_id uuid not null,
  authority_id uuid not null,
  door_id uuid not null,
  primary key (tenant_id, authority_id, door_id),
  foreign key (tenant_id, authority_id) references directory.authorities on delete cascade,
  foreign key (tenant_id, door_id) references directory.doors on delete cascade
);
create index authority_doors_by_door on directory.authority_doors (tenant_id, door_id);

create table directory.authority_groups (
  tenant_id uuid not null,
  authority_id uuid not null,
  group_id uuid not null,
  primary key (tenant_id, authority_id, group_id),
  foreign key (tenant_id, authority_id) references directory.authorities on delete cascade,
  foreign key (tenant_id, group_id) references directory.groups on delete cascade
);
create index authority_groups_by_group on directory.authority_groups (tenant_id, group_id);

-- What a change may have changed: the devices or the persons whose assignments are to be planned
-- again. Written in the transaction of the change; sync plans those that it has not planned. Null in
-- both lists: everything of the tenant.
create table directory.access_changes (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  reason text not null,
  device_ids uuid[],
  person_ids uuid[],
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index access_changes_by_age on directory.access_changes (created_at);

-- What a device may refuse beyond the schedule, how many persons it holds.
alter table directory.devices
  add column person_capacity integer check (person_capacity > 0),
  add column deny_above_celsius real,
  add column deny_without_mask boolean not null default false;

do $$
declare t text;
begin
  foreach t in array array['schedules', 'doors', 'door_devices', 'authorities', 'authority_devices', 'authority_doors',
                           'authority_groups', 'access_changes'] loop
    call platform.guard(format('directory.%I', t)::regclass);
    execute format('grant select, insert, update, delete on directory.%I to gatehouse_directory', t);
    execute format('grant select on directory.%I to gatehouse_hub, gatehouse_sync', t);
  end loop;
end $$;
call platform.admit_system('directory.access_changes', 'gatehouse_sync_system');
grant select on directory.access_changes to gatehouse_sync_system;
call platform.admit_system('directory.access_changes', 'gatehouse_directory_system');
grant select, delete on directory.access_changes to gatehouse_directory_system;
call platform.admit_system('directory.devices', 'gatehouse_sync_system');
grant select on directory.devices to gatehouse_sync_system;

-- Which group may pass which device by which authority: the authorities, laid flat.
create view directory.permits with (security_invoker = true) as
  select a.tenant_id, a.id as authority_id, d.device_id, g.group_id, a.schedule_id
    from directory.authorities a
    join directory.authority_groups g on g.tenant_id = a.tenant_id and g.authority_id = a.id
    join (select tenant_id, authority_id, device_id from directory.authority_devices
          union
          select ad.tenant_id, ad.authority_id, dd.device_id
            from directory.authority_doors ad
            join directory.door_devices dd on dd.tenant_id = ad.tenant_id and dd.door_id = ad.door_id) d
      on d.tenant_id = a.tenant_id and d.authority_id = a.id;

-- What each device should hold, by the authorities of this moment: the rule of which both the planner
-- and the preview are made. `schedules` is the set of schedules that admit the person there, ordered;
-- the nil id stands for an authority without one. `admittance` is what the terminal is told: in the
-- schedules, at all times, or never.
create view directory.reach with (security_invoker = true) as
  select r.tenant_id, r.device_id, r.person_id, p.number, p.terminal_hash, p.photo_count, p.valid_from, p.valid_to,
         case when r.blocked or p.type = 'blocklist' or p.priority = 'never' then 'never'
              when p.priority = 'always' then 'always'
              else 'scheduled' end as admittance,
         r.schedules
    from (select x.tenant_id, x.device_id, m.person_id,
                 array_agg(distinct coalesce(x.schedule_id, '00000000-0000-0000-0000-000000000000'::uuid)
                           order by coalesce(x.schedule_id, '00000000-0000-0000-0000-000000000000'::uuid)) as schedules,
                 bool_or(g.type = 'blocklist') as blocked
            from directory.permits x
            join directory.groups g on g.tenant_id = x.tenant_id and g.id = x.group_id
            join directory.group_members m on m.tenant_id = x.tenant_id and m.group_id = x.group_id
           group by x.tenant_id, x.device_id, m.person_id) r
    join directory.persons p on p.tenant_id = r.tenant_id and p.id = r.person_id
   where p.disabled_at is null and (p.valid_to is null or p.valid_to > now());

grant select on directory.permits, directory.reach to gatehouse_directory, gatehouse_hub, gatehouse_sync;

-- All that the decision about one person at one device needs, in the shape of
-- gatehouse_domain::access::Facts. Null where the tenant has no such device or person.
create function directory.access_facts(for_device uuid, for_person uuid) returns jsonb
  language sql stable security invoker as $$
  select jsonb_build_object(
    'zone', d.timezone,
    'deny_above_celsius', d.deny_above_celsius,
    'deny_without_mask', d.deny_without_mask,
    'person', jsonb_build_object(
      'type', p.type, 'disabled', p.disabled_at is not null, 'priority', p.priority,
      'valid_from', p.valid_from, 'valid_to', p.valid_to),
    'permits', coalesce((
      select jsonb_agg(jsonb_build_object(
               'authority_id', x.authority_id, 'group_id', g.id, 'group_name', g.name, 'group_type', g.type,
               'schedule_id', x.schedule_id, 'schedule_name', s.name, 'schedule', s.plan)
             order by x.authority_id, g.id)
        from directory.permits x
        join directory.groups g on g.tenant_id = x.tenant_id and g.id = x.group_id
        join directory.group_members m on m.tenant_id = g.tenant_id and m.group_id = g.id and m.person_id = p.id
        left join directory.schedules s on s.tenant_id = x.tenant_id and s.id = x.schedule_id
       where x.tenant_id = d.tenant_id and x.device_id = d.id), '[]'))
    from directory.devices d
    join directory.persons p on p.tenant_id = d.tenant_id
   where d.tenant_id = platform.tenant_id() and d.id = for_device and p.id = for_person
$$;

-- A preview lays down who is reached before a change, in a table that goes with its transaction.
do $$
begin
  execute format('grant temporary on database %I to gatehouse_directory', current_database());
end $$;
