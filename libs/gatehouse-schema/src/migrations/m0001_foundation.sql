-- Roles, schemas and the guard that every tenant table passes through.
--
-- The login role of the services (gatehouse_app) owns nothing and may read nothing. A transaction
-- takes one of the roles below for its duration:
--   gatehouse_<service>         reaches the rows of the tenant named by gatehouse.tenant_id, no others
--   gatehouse_<service>_system  reaches, across tenants, exactly the tables that say so
--   gatehouse_auth              verifies credentials before a tenant is known
-- Roles belong to the whole cluster and may exist already.
do $$
declare r text;
begin
  foreach r in array array['gatehouse_directory', 'gatehouse_hub', 'gatehouse_attendance', 'gatehouse_sync',
                           'gatehouse_directory_system', 'gatehouse_hub_system', 'gatehouse_attendance_system',
                           'gatehouse_sync_system', 'gatehouse_auth'] loop
    if not exists (select from pg_roles where rolname = r) then
      execute format('create role %I nologin noinherit', r);
    end if;
  end loop;
end $$;

create schema platform;
create schema directory;
create schema hub;
create schema attendance;

grant usage on schema platform to public;
grant usage on schema directory to gatehouse_directory, gatehouse_directory_system, gatehouse_auth,
  gatehouse_hub, gatehouse_hub_system, gatehouse_attendance, gatehouse_sync;
grant usage on schema hub to gatehouse_hub, gatehouse_hub_system, gatehouse_directory, gatehouse_attendance, gatehouse_sync;
grant usage on schema attendance to gatehouse_attendance, gatehouse_attendance_system;

-- The tenant of this transaction; null outside of one, and then no row is visible. A pooled
-- connection that served a tenant before holds '' and not null.
create function platform.tenant_id() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('gatehouse.tenant_id', true), '')::uuid $$;

-- Puts row-level security on a tenant table: for everybody, the owner included.
create procedure platform.guard(tbl regclass) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', tbl);
  execute format('alter table %s force row level security', tbl);
  execute format('create policy tenant on %s using (tenant_id = platform.tenant_id()) with check (tenant_id = platform.tenant_id())', tbl);
end $$;

-- Lets a system role reach a table across tenants; the grants say what it may do there.
create procedure platform.admit_system(tbl regclass, system_role name) language plpgsql as $$
begin
  execute format('create policy %I on %s to %I using (true) with check (true)', system_role, tbl, system_role);
end $$;

-- The three tables that every service with changes and messages keeps: what is to be published,
-- what was consumed, and what was answered to an Idempotency-Key.
create procedure platform.create_ledgers(service name) language plpgsql as $$
declare t text;
begin
  execute format($f$
    create table %1$I.outbox (
      tenant_id uuid not null,
      id uuid not null,
      kind text not null,
      occurred_at timestamptz not null default now(),
      data jsonb not null,
      primary key (tenant_id, id))
  $f$, service);
  execute format('create index outbox_in_order on %I.outbox (id)', service);
  execute format($f$
    create table %1$I.consumed_messages (
      tenant_id uuid not null,
      consumer text not null,
      message_id uuid not null,
      consumed_at timestamptz not null default now(),
      primary key (tenant_id, consumer, message_id))
  $f$, service);
  execute format('create index consumed_messages_by_age on %I.consumed_messages (consumed_at)', service);
  execute format($f$
    create table %1$I.idempotency_keys (
      tenant_id uuid not null,
      operation text not null,
      key text not null,
      request_hash bytea not null,
      status smallint,
      answer jsonb,
      created_at timestamptz not null default now(),
      primary key (tenant_id, operation, key))
  $f$, service);
  execute format('create index idempotency_keys_by_age on %I.idempotency_keys (created_at)', service);
  foreach t in array array['outbox', 'consumed_messages', 'idempotency_keys'] loop
    call platform.guard(format('%I.%I', service, t)::regclass);
    call platform.admit_system(format('%I.%I', service, t)::regclass, (format('gatehouse_%s_system', service))::name);
    execute format('grant select, insert, update, delete on %I.%I to %I, %I', service, t,
                   format('gatehouse_%s', service), format('gatehouse_%s_system', service));
  end loop;
  -- The relay is woken by the commit of what it should carry; a tick backs this up.
  execute format($f$
    create function %1$I.outbox_wake() returns trigger language plpgsql as $b$
    begin perform pg_notify('gatehouse_outbox_%1$s', ''); return null; end $b$
  $f$, service);
  execute format('create trigger wake after insert on %1$I.outbox for each statement execute function %1$I.outbox_wake()', service);
end $$;

call platform.create_ledgers('directory');
call platform.create_ledgers('hub');
call platform.create_ledgers('attendance');
