-- Alarms, and why a door was opened or not. Written by the hub alone.

-- Why the platform opened the door or did not, in a sentence; empty where it was left to the terminal.
alter table hub.records add column door_reason text not null default '';

create table hub.alarms (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('blocklist')),
  record_id uuid not null,
  device_id uuid not null,
  person_id uuid,
  raised_at timestamptz not null default now(),
  acknowledged_at timestamptz,
  acknowledged_by text,
  note text not null default '',
  primary key (tenant_id, id),
  foreign key (tenant_id, record_id) references hub.records on delete cascade
);
create index alarms_in_order on hub.alarms (tenant_id, id desc);
create index alarms_open on hub.alarms (tenant_id, id desc) where acknowledged_at is null;
create index alarms_acknowledged on hub.alarms (tenant_id, id desc) where acknowledged_at is not null;
create index alarms_by_person on hub.alarms (tenant_id, person_id) where person_id is not null;
create index alarms_by_record on hub.alarms (tenant_id, record_id);

call platform.guard('hub.alarms');
grant select, insert, update, delete on hub.alarms to gatehouse_hub;
-- Raised in the transaction that stores the records of many tenants.
call platform.admit_system('hub.alarms', 'gatehouse_hub_system');
grant select, insert on hub.alarms to gatehouse_hub_system;

-- Whether somebody is on a blocklist there is looked up in that transaction: who is in which group, and
-- which group an authority puts on which device. No names.
create index groups_of_blocklists on directory.groups (tenant_id, id) where type = 'blocklist';
do $$
declare t text;
begin
  foreach t in array array['groups', 'group_members', 'authorities', 'authority_groups', 'authority_devices',
                           'authority_doors', 'door_devices'] loop
    call platform.admit_system(format('directory.%I', t)::regclass, 'gatehouse_hub_system');
  end loop;
end $$;
grant select (tenant_id, id, type) on directory.groups to gatehouse_hub_system;
grant select (tenant_id, id, schedule_id) on directory.authorities to gatehouse_hub_system;
grant select on directory.group_members, directory.authority_groups, directory.authority_devices, directory.authority_doors,
  directory.door_devices, directory.permits to gatehouse_hub_system;
