-- Terminals and what they send: written by the hub alone.

-- What is known of a terminal from its sessions. `connected_at` is later than `disconnected_at`
-- while a session lives; the live state itself is a lease in Redis.
create table hub.terminals (
  tenant_id uuid not null,
  device_id uuid not null,
  connected_at timestamptz,
  disconnected_at timestamptz,
  last_seen_at timestamptz,
  close_reason text,
  remote_address text,
  node text,
  session bigint,
  protocol_version text,
  hardware_version text,
  software_version text,
  algorithm_version text,
  sign_verdict text,
  clock_offset_ms bigint,
  clock_measured_at timestamptz,
  longitude double precision,
  latitude double precision,
  unknown_messages bigint not null default 0,
  malformed_messages bigint not null default 0,
  primary key (tenant_id, device_id)
);

create table hub.discovered_devices (
  tenant_id uuid not null,
  id uuid not null,
  sn text not null,
  protocol text not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  attempts bigint not null default 1,
  remote_address text,
  hardware_version text,
  software_version text,
  algorithm_version text,
  primary key (tenant_id, id),
  unique (tenant_id, sn)
);

-- What terminals saw. A repeat is recognised by device, the terminal's message id and the
-- terminal's own time text: message ids restart after a reset.
create table hub.records (
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  message_id text not null,
  device_time text not null,
  passed_at timestamptz not null,
  device_passed_at timestamptz,
  clock_offset_ms bigint,
  clock_verdict text not null,
  received_at timestamptz not null,
  person_id uuid,
  person_number text not null,
  person_name text not null,
  type text not null,
  result text not null,
  verification text not null,
  passage text not null,
  temperature_celsius real,
  temperature_verdict text not null,
  mask text not null,
  match_score real,
  card_number text,
  longitude double precision,
  latitude double precision,
  snapshot_key text,
  compare_key text,
  photo_fault text,
  id_document_sealed bytea,
  door_answer text not null,
  raw jsonb not null,
  primary key (tenant_id, id),
  unique (tenant_id, device_id, message_id, device_time)
);
create index records_by_time on hub.records (tenant_id, passed_at desc, id desc);
create index records_by_device on hub.records (tenant_id, device_id, passed_at desc, id desc);
create index records_by_person on hub.records (tenant_id, person_number, passed_at desc, id desc) where person_number <> '';
create index records_by_person_id on hub.records (tenant_id, person_id, passed_at desc, id desc) where person_id is not null;

-- Uploads that could never be stored, kept as they came.
create table hub.rejected_uploads (
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  received_at timestamptz not null default now(),
  message_id text not null,
  reason text not null,
  raw text not null,
  primary key (tenant_id, id)
);

create table hub.commands (
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  type text not null,
  parameters jsonb not null default '{}',
  state text not null default 'queued'
    check (state in ('queued', 'sent', 'succeeded', 'failed', 'timed_out', 'expired', 'undeliverable')),
  urgency smallint not null,
  origin text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  session bigint,
  heard_at timestamptz,
  finished_at timestamptz,
  progress jsonb,
  result jsonb,
  photo_key text,
  error_code text,
  error_detail text,
  primary key (tenant_id, id)
);
create index commands_in_order on hub.commands (tenant_id, device_id, id desc);
create index commands_waiting on hub.commands (tenant_id, device_id, urgency, id) where state = 'queued';
create index commands_open on hub.commands (state, expires_at) where state in ('queued', 'sent');

-- The persons that a terminal told in answer to list_persons, a row each: a terminal holds tens of
-- thousands, and they arrive one by one.
create table hub.command_persons (
  tenant_id uuid not null,
  command_id uuid not null,
  index bigint not null,
  person jsonb not null,
  primary key (tenant_id, command_id, index),
  foreign key (tenant_id, command_id) references hub.commands on delete cascade
);

-- The parameters of a terminal: what it should have and what it said it has.
create table hub.parameters (
  tenant_id uuid not null,
  device_id uuid not null,
  desired jsonb not null default '{}',
  desired_version bigint not null default 0,
  desired_at timestamptz,
  reported jsonb,
  reported_version bigint not null default 0,
  reported_at timestamptz,
  primary key (tenant_id, device_id)
);

create table hub.firmware (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  version text not null,
  update_type text not null check (update_type in ('file_system', 'application', 'kernel')),
  size_bytes bigint not null,
  sha256 bytea not null,
  object_key text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- Messages of a type we do not know, the newest hundred of a device.
create table hub.unknown_messages (
  tenant_id uuid not null,
  id uuid not null,
  device_id uuid not null,
  received_at timestamptz not null default now(),
  message_type text not null,
  body text not null,
  primary key (tenant_id, id)
);
create index unknown_messages_by_device on hub.unknown_messages (tenant_id, device_id, id desc);

do $$
declare t text;
begin
  foreach t in array array['terminals', 'discovered_devices', 'records', 'rejected_uploads', 'commands', 'command_persons', 'parameters',
                           'firmware', 'unknown_messages'] loop
    call platform.guard(format('hub.%I', t)::regclass);
    execute format('grant select, insert, update, delete on hub.%I to gatehouse_hub', t);
  end loop;
  -- Uploads of many tenants are stored by one transaction; sessions and open commands are swept
  -- across tenants.
  foreach t in array array['terminals', 'records', 'commands', 'discovered_devices'] loop
    call platform.admit_system(format('hub.%I', t)::regclass, 'gatehouse_hub_system');
    execute format('grant select, insert, update on hub.%I to gatehouse_hub_system', t);
  end loop;
end $$;
grant delete on hub.discovered_devices to gatehouse_hub_system;

grant select on hub.terminals, hub.discovered_devices to gatehouse_directory;
grant select on hub.records to gatehouse_attendance;
