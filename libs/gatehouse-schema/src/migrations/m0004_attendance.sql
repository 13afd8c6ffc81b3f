-- Punches: records as attendance counts them. The record's id is the key, so a repeated message
-- stores nothing twice.
create table attendance.punches (
  tenant_id uuid not null,
  record_id uuid not null,
  device_id uuid not null,
  person_id uuid,
  person_number text not null,
  passed_at timestamptz not null,
  received_at timestamptz not null,
  passage text not null,
  primary key (tenant_id, record_id)
);
create index punches_by_person on attendance.punches (tenant_id, person_number, passed_at);
call platform.guard('attendance.punches');
grant select, insert, update, delete on attendance.punches to gatehouse_attendance;
