-- Push devices (document 002, chapter 9): what the hub remembers of them between two calls, which may reach
-- different processes. Written by the hub alone.

-- What is known of a push device from its calls: how often it calls (a silence of three times that is
-- an absence), the cursor of its feed, and whether it said that it holds nothing.
create table hub.push_devices (
  tenant_id uuid not null,
  device_id uuid not null,
  heartbeat_at timestamptz,
  -- The last time between two heartbeats, and the smaller of the last two.
  gap_ms bigint,
  interval_ms bigint,
  -- The greatest `lastQueryTime` that was told, in seconds.
  cursor bigint not null default 0,
  -- When it last asked for everything, and whether it has shown a cursor since.
  register_lost_at timestamptz,
  cursor_shown boolean not null default false,
  primary key (tenant_id, device_id)
);

-- What the feed of a push device listed last of each person: its answer proves this and nothing else.
-- `content` is `sync.content_hash` of what was listed; null: the person was to be taken away.
create table hub.push_feed (
  tenant_id uuid not null,
  device_id uuid not null,
  number text not null,
  offer uuid not null,
  content bytea,
  listed_at timestamptz not null default now(),
  answered_at timestamptz,
  primary key (tenant_id, device_id, number)
);
create index push_feed_by_age on hub.push_feed (listed_at);

do $$
declare t text;
begin
  foreach t in array array['push_devices', 'push_feed'] loop
    call platform.guard(format('hub.%I', t)::regclass);
    execute format('grant select, insert, update, delete on hub.%I to gatehouse_hub', t);
    call platform.admit_system(format('hub.%I', t)::regclass, 'gatehouse_hub_system');
  end loop;
end $$;

-- Whose an upload is that could not be stored, so that it goes with the person; empty for strangers.
alter table hub.rejected_uploads add column person_number text not null default '';
create index rejected_uploads_by_person on hub.rejected_uploads (tenant_id, person_number) where person_number <> '';

-- Silent devices and old lines are looked for across tenants.
grant select on hub.push_devices to gatehouse_hub_system;
grant select, delete on hub.push_feed to gatehouse_hub_system;

-- Whom terminals told of in answer to commands is forgotten a day later, across tenants.
call platform.admit_system('hub.command_persons', 'gatehouse_hub_system');
grant select, delete on hub.command_persons to gatehouse_hub_system;
create index commands_with_a_person on hub.commands (finished_at) where type = 'read_person' and result ? 'person';

-- Messages of unknown types are forgotten a week later, across tenants.
call platform.admit_system('hub.unknown_messages', 'gatehouse_hub_system');
grant select, delete on hub.unknown_messages to gatehouse_hub_system;
create index unknown_messages_by_age on hub.unknown_messages (received_at);
