-- Distribution: what each terminal should hold, what it proved to hold, and why they differ. Written
-- by sync alone; the hub reads what it is to send.

-- The passing times of the next seven local days for a set of schedules in a zone, rendered. The row
-- stays and is rendered again at each local midnight. `days` is gatehouse_domain::schedule::Week.
create table sync.weeks (
  tenant_id uuid not null,
  id uuid not null,
  zone text not null,
  schedules uuid[] not null,
  starts_on date not null,
  days jsonb not null,
  hash bytea not null,
  -- More periods on a day than a terminal takes: what it was told is less than what is allowed.
  truncated boolean not null default false,
  primary key (tenant_id, id),
  unique (tenant_id, zone, schedules)
);

-- One row per person that a terminal should hold or may still hold. `number` is the person's number
-- as the terminal knows it; a row without `person_id` is somebody the platform never sent.
--   week_id   the passing times; of who may always pass, those of all hours, which validity cuts as well
--   desired   hash of what it should hold; null: nothing
--   applied   hash of what it confirmed; null: nothing as far as is proved
--   maybe_held  it may hold something that was never confirmed (sent, no answer)
--   offer     what is offered to the hub, or on its way to the terminal; `offered` its hash at that time
--   due_at    when it is to be offered next; null: not by itself
create table sync.assignments (
  tenant_id uuid not null,
  device_id uuid not null,
  number text not null,
  person_id uuid,
  admittance text not null default 'scheduled' check (admittance in ('scheduled', 'always', 'never')),
  week_id uuid,
  desired bytea,
  applied bytea,
  maybe_held boolean not null default false,
  state text not null check (state in ('pending', 'sending', 'applied', 'removing', 'failed')),
  -- 0 taking away, 1 giving.
  urgency smallint not null default 1 check (urgency in (0, 1)),
  due_at timestamptz,
  attempts integer not null default 0,
  offer uuid,
  offered bytea,
  offered_session bigint,
  sent_at timestamptz,
  error_code text,
  error_message text,
  applied_at timestamptz,
  proved_at timestamptz,
  change_id uuid,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, device_id, number)
) with (fillfactor = 85);
create index assignments_by_person on sync.assignments (tenant_id, person_id, device_id);
-- What is not in order, as lists show it.
create index assignments_open on sync.assignments (tenant_id, device_id, state, number) where state <> 'applied';
-- What is to be offered, most urgent first, and what is offered.
create index assignments_due on sync.assignments (tenant_id, device_id, urgency, due_at) where due_at is not null;
-- What of a change is not in order.
create index assignments_of_change on sync.assignments (tenant_id, change_id, device_id, state) where state <> 'applied';
create index assignments_offered on sync.assignments (tenant_id, device_id, urgency, offer) where offer is not null;

-- What sync knows of a device between two looks.
create table sync.devices (
  tenant_id uuid not null,
  device_id uuid not null,
  -- The serial number whose register the assignments describe; another one holds nothing.
  sn text not null,
  -- The session that was last seen: another one retries at once.
  session bigint,
  read_back_on date,
  -- When its whole register is to be read by itself: a terminal that is new here, or that replaced
  -- another, may bring persons along, and one that refuses to take somebody away may not hold them.
  -- Null: it was read, and nothing speaks for it again.
  full_read_due_at timestamptz default now(),
  primary key (tenant_id, device_id)
);

-- A change that was planned, and what came of it. The id is the change's. Changes that waited
-- together are planned together: their figures are one, and the assignments name the last of them,
-- which the others name in `planned_with`.
create table sync.distributions (
  tenant_id uuid not null,
  id uuid not null,
  reason text not null,
  planned_with uuid,
  planned_at timestamptz not null default now(),
  adds bigint not null default 0,
  updates bigint not null default 0,
  removes bigint not null default 0,
  primary key (tenant_id, id)
);
create table sync.distribution_devices (
  tenant_id uuid not null,
  distribution_id uuid not null,
  device_id uuid not null,
  adds bigint not null default 0,
  updates bigint not null default 0,
  removes bigint not null default 0,
  primary key (tenant_id, distribution_id, device_id),
  foreign key (tenant_id, distribution_id) references sync.distributions on delete cascade
);

-- Reading a terminal's register, comparing it with what was applied, and mending.
create table sync.readbacks (
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  full_read boolean not null,
  state text not null check (state in ('counting', 'reading', 'comparing', 'succeeded', 'failed')),
  command_id uuid,
  asked_at timestamptz not null default now(),
  finished_at timestamptz,
  counted bigint,
  expected bigint,
  missing bigint,
  surplus bigint,
  differing bigint,
  findings jsonb not null default '[]',
  -- Numbers whose removal was confirmed while the terminal was being read: it may have told them before.
  removed_meanwhile text[] not null default '{}',
  error text,
  primary key (tenant_id, id)
);
create index readbacks_by_device on sync.readbacks (tenant_id, device_id, id desc);
-- One at a time of a device.
create unique index readbacks_open on sync.readbacks (tenant_id, device_id) where state in ('counting', 'reading', 'comparing');

-- Where erased persons may still be held. A row goes when the assignment is gone.
create table sync.erasing (
  tenant_id uuid not null,
  erasure_id uuid not null,
  device_id uuid not null,
  number text not null,
  -- The serial number of the terminal that held them; null: the device was gone already.
  sn text,
  primary key (tenant_id, erasure_id, device_id)
);

-- The hash of what a terminal is told: of the person, of the week, and of how both are cut. Stable and
-- not immutable, like convert_to: only so is it expanded where it is called, which is three times as fast.
create function sync.content_hash(profile bytea, admittance text, week bytea, cut text) returns bytea
  language sql stable parallel safe
  as $$ select sha256(profile || convert_to(admittance || '/' || cut || '/', 'UTF8') || coalesce(week, ''::bytea)) $$;

-- Where somebody's validity begins or ends inside the seven days from `starts_on` in `zone`, the
-- passing times are cut there; the text says where. Who begins after them is told closed days until the
-- beginning comes into sight. Empty: they are not cut.
create function sync.week_cut(valid_from timestamptz, valid_to timestamptz, zone text, starts_on date) returns text
  language sql stable parallel safe
  as $$ select case when valid_from is null and valid_to is null then '' else
           coalesce(case when valid_from at time zone zone >= starts_on + 7 then 'later'
                         when valid_from at time zone zone > starts_on then (valid_from at time zone zone)::text end, '') || '..' ||
           coalesce(case when valid_to at time zone zone < starts_on + 7 then (valid_to at time zone zone)::text end, '') end $$;

do $$
declare t text;
begin
  foreach t in array array['weeks', 'assignments', 'devices', 'distributions', 'distribution_devices', 'readbacks', 'erasing'] loop
    call platform.guard(format('sync.%I', t)::regclass);
    execute format('grant select, insert, update, delete on sync.%I to gatehouse_sync', t);
  end loop;
  -- Who has work waiting is looked for across tenants; the work itself is done within one.
  foreach t in array array['weeks', 'assignments', 'devices', 'distributions', 'readbacks', 'erasing'] loop
    call platform.admit_system(format('sync.%I', t)::regclass, 'gatehouse_sync_system');
    execute format('grant select on sync.%I to gatehouse_sync_system', t);
  end loop;
end $$;

grant usage on schema sync to gatehouse_hub, gatehouse_directory;
grant select on sync.assignments, sync.weeks to gatehouse_hub, gatehouse_directory;
grant select on hub.terminals, hub.commands, hub.command_persons to gatehouse_sync;
-- Which terminals a receipt of an erased person waits for.
grant select on directory.erasure_places to gatehouse_sync;
grant usage on schema hub to gatehouse_sync_system;
call platform.admit_system('hub.terminals', 'gatehouse_sync_system');
grant select on hub.terminals to gatehouse_sync_system;

-- The planner lays out what is wanted in a table that goes with its transaction.
do $$
begin
  execute format('grant temporary on database %I to gatehouse_sync', current_database());
end $$;
