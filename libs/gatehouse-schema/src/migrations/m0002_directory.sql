-- Tenants, accounts, keys, devices, audit: written by the directory alone.

create table directory.tenants (
  tenant_id uuid primary key,
  number bigint generated always as identity unique,
  name text not null check (name <> ''),
  timezone text not null,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1
);

create table directory.users (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  email text not null check (email = lower(email)),
  name text not null,
  role text not null check (role in ('owner', 'admin', 'operator', 'viewer')),
  password_hash text not null,
  disabled_at timestamptz,
  last_login_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, email)
);
-- Sign-in begins with an e-mail address alone.
create index users_by_email on directory.users (email);

-- One row per issued refresh token. A family is one sign-in; a token used twice ends its family.
create table directory.refresh_tokens (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  family uuid not null,
  token_hash bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references directory.users on delete cascade
);
create index refresh_tokens_by_family on directory.refresh_tokens (tenant_id, family);
create index refresh_tokens_by_user on directory.refresh_tokens (tenant_id, user_id);

create table directory.api_keys (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  name text not null,
  secret_hash bytea not null unique,
  hint text not null,
  scopes text[] not null,
  allowed_addresses text[] not null default '{}',
  expires_at timestamptz,
  disabled_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id)
);

create table directory.terminal_tokens (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  name text not null,
  token_hash bytea not null unique,
  hint text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- The keys of vendor facades. Their signatures must be recomputed, so the secret is sealed under
-- the master key and not hashed.
create table directory.facade_credentials (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  vendor text not null check (vendor in ('senselink', 'hongtu', 'facejoy')),
  key_id text not null,
  secret_sealed bytea not null,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (vendor, key_id)
);

create table directory.devices (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity unique,
  sn text not null check (sn <> ''),
  name text not null,
  protocol text not null check (protocol in ('terminal_ws', 'http_push')),
  location text not null default '',
  direction text check (direction in ('in', 'out')),
  timezone text not null,
  sign_check text not null default 'warn' check (sign_check in ('off', 'warn', 'enforce')),
  door_decision text not null default 'terminal' check (door_decision in ('terminal', 'cloud')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, sn)
);
create index devices_in_order on directory.devices (tenant_id, id desc);

-- Serial numbers of terminals that cannot carry a token in their address. A serial number is no
-- secret, so only the platform's operator binds one, and to one tenant.
create table directory.terminal_bindings (
  tenant_id uuid not null references directory.tenants,
  sn text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, sn),
  unique (sn)
);

create table directory.audit_entries (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  at timestamptz not null,
  actor_kind text not null,
  actor_id text,
  action text not null,
  subject_kind text not null,
  subject_id text not null,
  detail jsonb not null default '{}',
  request_id text,
  primary key (tenant_id, id)
);
create index audit_entries_in_order on directory.audit_entries (tenant_id, at desc, id desc);
create index audit_entries_by_subject on directory.audit_entries (tenant_id, subject_kind, subject_id, at desc);

do $$
declare t text;
begin
  foreach t in array array['tenants', 'users', 'refresh_tokens', 'api_keys', 'terminal_tokens', 'facade_credentials',
                           'devices', 'terminal_bindings', 'audit_entries'] loop
    call platform.guard(format('directory.%I', t)::regclass);
    execute format('grant select, insert, update, delete on directory.%I to gatehouse_directory', t);
    -- The operator's work (creating a tenant with all that belongs to it, binding serial numbers), and
    -- what happens before a tenant is known: looking up who signs in, removing ended refresh tokens.
    call platform.admit_system(format('directory.%I', t)::regclass, 'gatehouse_directory_system');
    execute format('grant select, insert, update, delete on directory.%I to gatehouse_directory_system', t);
  end loop;
end $$;

-- Verifying a credential: read the few tables that hold them, and note that a key was used.
do $$
declare t text;
begin
  foreach t in array array['tenants', 'users', 'refresh_tokens', 'api_keys', 'terminal_tokens', 'facade_credentials'] loop
    call platform.admit_system(format('directory.%I', t)::regclass, 'gatehouse_auth');
    execute format('grant select on directory.%I to gatehouse_auth', t);
  end loop;
end $$;
grant update (last_used_at) on directory.api_keys to gatehouse_auth;

-- What the hub reads of the directory: within a tenant, and across tenants to find out whose
-- terminal is calling.
grant select on directory.devices, directory.tenants to gatehouse_hub, gatehouse_attendance;
do $$
declare t text;
begin
  foreach t in array array['devices', 'tenants', 'terminal_tokens', 'terminal_bindings'] loop
    call platform.admit_system(format('directory.%I', t)::regclass, 'gatehouse_hub_system');
    execute format('grant select on directory.%I to gatehouse_hub_system', t);
  end loop;
end $$;
