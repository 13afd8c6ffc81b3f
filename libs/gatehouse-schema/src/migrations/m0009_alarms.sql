-- Alarms. Written by the hub alone.

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
create index alarms_by_record on hub.alarms (tenant_id, record_id);

call platform.guard('hub.alarms');
grant select, insert, update, delete on hub.alarms to gatehouse_hub;
-- Raised in the transaction that stores the records of many tenants.
call platform.admit_system('hub.alarms', 'gatehouse_hub_system');
grant select, insert on hub.alarms to gatehouse_hub_system;
