-- People: persons with their cards, photos and names to search by, groups, departments, visits; the
-- jobs that bring many of them in, and the receipts of those that were erased. Written by the
-- directory alone.

create table directory.departments (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity,
  parent_id uuid,
  name text not null check (name <> ''),
  code text,
  leader_id uuid,
  remark text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, code),
  foreign key (tenant_id, parent_id) references directory.departments
);
create index departments_by_parent on directory.departments (tenant_id, parent_id);

-- `number` is what terminals know a person by: digits only. `terminal_hash` is a hash of all that a
-- terminal is told about the person, so that a change which no terminal sees sends nothing.
create table directory.persons (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  -- Terminals number those whom they enrol themselves from 1: these must not be taken for each other.
  number bigint generated always as identity (start with 100000001),
  type text not null check (type in ('staff', 'visitor', 'blocklist')),
  name text not null check (name <> ''),
  code text,
  gender text not null default 'unknown' check (gender in ('male', 'female', 'unknown')),
  birthday_on date,
  phone_area_code text,
  phone text,
  email text,
  position text,
  work_place text,
  entry_on date,
  department_id uuid,
  id_document_sealed bytea,
  id_document_digest bytea,
  id_document_hint text,
  pin_sealed bytea,
  remark text not null default '',
  priority text not null default 'normal' check (priority in ('normal', 'always', 'never')),
  valid_from timestamptz,
  valid_to timestamptz,
  welcome_text text,
  display_text text,
  attributes jsonb not null default '{}',
  disabled_at timestamptz,
  photo_count smallint not null default 0,
  terminal_hash bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, code),
  foreign key (tenant_id, department_id) references directory.departments,
  check (valid_from is null or valid_to is null or valid_from < valid_to)
);
create index persons_by_department on directory.persons (tenant_id, department_id, id);
create index persons_by_type on directory.persons (tenant_id, type, id);
create index persons_by_change on directory.persons (tenant_id, updated_at, id);
create index persons_by_phone on directory.persons (tenant_id, phone, id) where phone is not null;
create index persons_by_id_document on directory.persons (tenant_id, id_document_digest) where id_document_digest is not null;
create index persons_by_end on directory.persons (valid_to) where valid_to is not null;
create index persons_by_begin on directory.persons (valid_from) where valid_from is not null;
alter table directory.departments add foreign key (tenant_id, leader_id)
  references directory.persons on delete set null (leader_id);

-- What a person is found by: the folded name and each of its endings, pinyin, initials. Compared by
-- bytes, so that a beginning is a range of the index, also under row-level security.
create table directory.person_terms (
  tenant_id uuid not null,
  term text collate "C" not null,
  person_id uuid not null,
  primary key (tenant_id, term, person_id),
  foreign key (tenant_id, person_id) references directory.persons on delete cascade
);
create index person_terms_by_person on directory.person_terms (tenant_id, person_id, term);

create table directory.person_cards (
  tenant_id uuid not null,
  card_no text not null,
  person_id uuid not null,
  position smallint not null default 0,
  primary key (tenant_id, card_no),
  foreign key (tenant_id, person_id) references directory.persons on delete cascade
);
create index person_cards_by_person on directory.person_cards (tenant_id, person_id, position);

-- Ids that other systems know a person by: `hongtu`, `senselink`, or a word of the caller's.
create table directory.person_external_ids (
  tenant_id uuid not null,
  system text not null,
  external_id text not null,
  person_id uuid not null,
  primary key (tenant_id, system, external_id),
  unique (tenant_id, person_id, system),
  foreign key (tenant_id, person_id) references directory.persons on delete cascade
);

-- Pictures lie in the object store under the hash of what was stored: photos/{tenant}/{sha256}/
-- original.jpg, terminal.jpg and push.jpg. `number` is the six digits that document 004 wants.
create table directory.photos (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  slot smallint not null check (slot between 1 and 3),
  number text not null,
  sha256 bytea not null,
  width integer not null,
  height integer not null,
  original_bytes integer not null,
  terminal_bytes integer not null,
  push_bytes integer not null,
  findings jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, person_id, slot) deferrable initially immediate,
  foreign key (tenant_id, person_id) references directory.persons on delete cascade
);
create index photos_by_hash on directory.photos (tenant_id, sha256);

-- Contents that may lie in the object store though no photo has them: noted before they are laid by,
-- and when a photo goes. What stays noted and has no photo is deleted.
create table directory.loose_photos (
  tenant_id uuid not null references directory.tenants,
  sha256 bytea not null,
  noted_at timestamptz not null default now(),
  primary key (tenant_id, sha256)
);
create index loose_photos_by_age on directory.loose_photos (noted_at);

-- What photos are held against: a level of Hongtu's, or thresholds of the tenant's own
-- (gatehouse_faces::Criteria). A tenant without a row has the default.
create table directory.photo_criteria (
  tenant_id uuid primary key references directory.tenants,
  level smallint not null check (level in (1, 3, 4)),
  thresholds jsonb,
  version bigint not null default 1,
  updated_at timestamptz not null default now()
);

create table directory.groups (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  number bigint generated always as identity,
  name text not null check (name <> ''),
  -- What lists are ordered and searched by: compared by bytes, so that a beginning is a range.
  name_folded text collate "C" not null generated always as (lower(name)) stored,
  type text not null check (type in ('staff', 'visitor', 'blocklist')),
  remark text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, name)
);
create index groups_by_name on directory.groups (tenant_id, name_folded, id);
create index groups_by_type on directory.groups (tenant_id, type, name_folded, id);

create table directory.group_members (
  tenant_id uuid not null,
  group_id uuid not null,
  person_id uuid not null,
  added_at timestamptz not null default now(),
  primary key (tenant_id, group_id, person_id),
  foreign key (tenant_id, group_id) references directory.groups on delete cascade,
  foreign key (tenant_id, person_id) references directory.persons on delete cascade
);
create index group_members_by_person on directory.group_members (tenant_id, person_id, group_id);

-- A visit: somebody of type visitor, expected by a host for a time. While a visit is in force, the
-- person's validity is its window, so that it ends by itself; of a person's visits that are still to
-- end the first one is in force, and the next one follows it.
create table directory.visits (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  host_id uuid,
  reason text not null default '',
  firm text not null default '',
  number_plate text not null default '',
  vip boolean not null default false,
  -- The visitor groups that the person is in while the visit is in force; null: those they are in.
  group_ids uuid[],
  in_force boolean not null default false,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  cancelled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references directory.persons on delete cascade,
  foreign key (tenant_id, host_id) references directory.persons on delete set null (host_id),
  check (starts_at < ends_at)
);
create index visits_by_person on directory.visits (tenant_id, person_id, starts_at desc);
create index visits_by_start on directory.visits (tenant_id, starts_at desc, id desc);
create index visits_by_host on directory.visits (tenant_id, host_id, starts_at desc, id desc);
create index visits_cancelled on directory.visits (tenant_id, starts_at desc, id desc) where cancelled_at is not null;
create index visits_to_end on directory.visits (tenant_id, ends_at, id) where cancelled_at is null;
create index visits_waiting on directory.visits (starts_at) where cancelled_at is null and not in_force;

-- Long work of the directory: bringing people in from a file, or writing them into one.
create table directory.jobs (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  type text not null check (type in ('person_import', 'person_export')),
  state text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  dry_run boolean not null default false,
  options jsonb not null default '{}',
  input_key text,
  report_key text,
  -- Photos that came along: by what of their code they lie in the object store.
  photo_hashes text[] not null default '{}',
  total bigint,
  done bigint not null default 0,
  succeeded bigint not null default 0,
  failed bigint not null default 0,
  error text,
  actor jsonb not null default '{}',
  lease text,
  leased_until timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create index jobs_open on directory.jobs (state, created_at) where state in ('queued', 'running');
create index jobs_ended on directory.jobs (finished_at) where finished_at is not null;

-- The outcome of each row of an import that did not go well, or in a dry run of each row.
create table directory.job_rows (
  tenant_id uuid not null,
  job_id uuid not null,
  row_number bigint not null,
  outcome text not null check (outcome in ('created', 'updated', 'unchanged', 'failed')),
  code text,
  faults jsonb not null default '[]',
  content jsonb,
  primary key (tenant_id, job_id, row_number),
  foreign key (tenant_id, job_id) references directory.jobs on delete cascade
);

-- The receipt of an erased person: no name, only the number and where it was to be removed.
create table directory.erasures (
  tenant_id uuid not null references directory.tenants,
  id uuid not null,
  person_id uuid not null,
  person_number bigint not null,
  records text not null check (records in ('delete', 'pseudonymise')),
  -- Contents of the person's photos (SHA-256 in hex) that are still to be deleted.
  photo_hashes text[] not null default '{}',
  requested_at timestamptz not null default now(),
  completed_at timestamptz,
  primary key (tenant_id, id)
);
create index erasures_in_order on directory.erasures (tenant_id, id desc);
create index erasures_by_person on directory.erasures (tenant_id, person_id);
-- Numbers are given once: whoever comes with one of these is nobody any more.
create unique index erasures_by_number on directory.erasures (tenant_id, person_number);

create table directory.erasure_places (
  tenant_id uuid not null,
  erasure_id uuid not null,
  place text not null,
  device_id uuid not null default '00000000-0000-0000-0000-000000000000',
  state text not null check (state in ('pending', 'done')),
  detail text not null default '',
  updated_at timestamptz not null default now(),
  primary key (tenant_id, erasure_id, place, device_id),
  foreign key (tenant_id, erasure_id) references directory.erasures on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['departments', 'persons', 'person_terms', 'person_cards', 'person_external_ids', 'photos', 'loose_photos',
                           'photo_criteria', 'groups',
                           'group_members', 'visits', 'jobs', 'job_rows', 'erasures', 'erasure_places'] loop
    call platform.guard(format('directory.%I', t)::regclass);
    execute format('grant select, insert, update, delete on directory.%I to gatehouse_directory', t);
  end loop;
end $$;

-- Contents without a photo are looked for across tenants.
call platform.admit_system('directory.loose_photos', 'gatehouse_directory_system');
grant select on directory.loose_photos to gatehouse_directory_system;

-- Photos that the object store would not give up at once are looked for across tenants.
call platform.admit_system('directory.erasures', 'gatehouse_directory_system');
grant select on directory.erasures to gatehouse_directory_system;
create index erasures_with_photos on directory.erasures (requested_at) where photo_hashes <> '{}';

-- Jobs of all tenants are worked off in turn.
call platform.admit_system('directory.jobs', 'gatehouse_directory_system');
grant select, update on directory.jobs to gatehouse_directory_system;

-- A visit whose person was here for another one comes into force when that has ended.
call platform.admit_system('directory.visits', 'gatehouse_directory_system');
grant select on directory.visits to gatehouse_directory_system;

-- What the hub and sync read of people: what a terminal is told. Across tenants the hub sees only
-- whose number a record carries, and sync only when somebody's time begins or ends.
grant select on directory.persons, directory.person_cards, directory.photos, directory.groups, directory.group_members
  to gatehouse_hub, gatehouse_sync;
grant select on directory.devices, directory.tenants, directory.erasures to gatehouse_sync;
-- A door stays closed to whoever was erased, and what comes of them late is kept as nobody's.
grant select (tenant_id, person_number) on directory.erasures to gatehouse_hub;
call platform.admit_system('directory.erasures', 'gatehouse_hub_system');
grant select (tenant_id, person_number, records) on directory.erasures to gatehouse_hub_system;
grant select (tenant_id, id, person_number, records) on directory.erasures to gatehouse_attendance;
call platform.admit_system('directory.persons', 'gatehouse_hub_system');
grant select (tenant_id, id, number, type) on directory.persons to gatehouse_hub_system;
call platform.admit_system('directory.persons', 'gatehouse_sync_system');
grant select (tenant_id, id, valid_from, valid_to) on directory.persons to gatehouse_sync_system;
grant usage on schema directory to gatehouse_sync_system;
