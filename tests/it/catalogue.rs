//! Tenancy as the database itself holds it: a walk through its catalogue. A new table, grant or
//! policy is judged here without anybody having to think of it.
//!
//! Deliberately absent: attempts to get through (`isolation.rs`).

use crate::goldens;
use crate::repository::refuse;
use kit::Environment;
use kit::world::{owner_pool, undisturbed};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use uuid::Uuid;

/// Tables that belong to no tenant, with the reason.
pub const NOT_A_TENANTS: &[(&str, &str)] = &[(
    "public.seaql_migrations",
    "which migrations ran; no service may read it",
)];

/// Keys that are unique across tenants. Whoever hits one learns that somebody else holds the value,
/// so each is one that cannot be guessed, or one that only the platform's operator sets.
const UNIQUE_ACROSS_TENANTS: &[(&str, &str)] = &[
    (
        "directory.api_keys (secret_hash)",
        "a hash of 32 random bytes",
    ),
    ("directory.devices (number)", "given by the database"),
    (
        "directory.facade_credentials (vendor, key_id)",
        "made up by us, or named by the operator",
    ),
    (
        "directory.refresh_tokens (token_hash)",
        "a hash of 32 random bytes",
    ),
    ("directory.tenants (number)", "given by the database"),
    (
        "directory.terminal_bindings (sn)",
        "bound by the operator alone",
    ),
    (
        "directory.terminal_tokens (token_hash)",
        "a hash of 32 random bytes",
    ),
];

const OURS: &str = "n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(temp|toast)'";
const GUARD: &str = "(tenant_id = platform.tenant_id())";

/// A table, with what makes it a tenant's.
#[derive(Debug)]
pub struct Table {
    /// Schema and name.
    pub name: String,
    tenant_column: Option<String>,
    key: Option<String>,
    guarded: bool,
    forced: bool,
    guard: Option<String>,
}

/// Every table, with what makes it a tenant's.
pub async fn tables(pool: &PgPool) -> Vec<Table> {
    let sql = format!(
        "select format('%s.%s', n.nspname, c.relname) as name,
                (select format('%s%s', format_type(a.atttypid, null), case when a.attnotnull then ' not null' else '' end)
                   from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenant_column,
                (select a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                  where i.indrelid = c.oid and i.indisprimary) as key,
                c.relrowsecurity as guarded, c.relforcerowsecurity as forced,
                (select format('%s %s %s for %s to %s', case when p.polpermissive then 'permissive' else 'restrictive' end,
                               pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid), p.polcmd, p.polroles::text)
                   from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant') as guard
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p', 'f') and {OURS} order by 1"
    );
    type Row = (
        String,
        Option<String>,
        Option<String>,
        bool,
        bool,
        Option<String>,
    );
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap();
    let mut tables: Vec<Table> = rows
        .into_iter()
        .map(|(name, tenant_column, key, guarded, forced, guard)| Table {
            name,
            tenant_column,
            key,
            guarded,
            forced,
            guard,
        })
        .collect();
    for (name, _) in NOT_A_TENANTS {
        let before = tables.len();
        tables.retain(|t| t.name != *name);
        assert!(tables.len() < before, "the exception {name} does not exist");
    }
    assert!(
        tables.len() > 20,
        "only {} tables found: was the database migrated?",
        tables.len()
    );
    tables
}

async fn texts(pool: &PgPool, sql: impl Into<String>) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql.into()))
        .fetch_all(pool)
        .await
        .unwrap()
}

/// The role that the services log in as.
pub fn login_role() -> String {
    let url = reqwest::Url::parse(Environment::get().var("GATEHOUSE_DATABASE_URL")).unwrap();
    url.username().to_owned()
}

#[tokio::test]
async fn every_table_belongs_to_a_tenant_and_is_guarded() {
    let _turn = undisturbed().await;
    let mut offences = Vec::new();
    for t in tables(&owner_pool().await).await {
        let mut say = |what: &str| offences.push(format!("{}: {what}", t.name));
        if t.tenant_column.as_deref() != Some("uuid not null") {
            say("it needs a column tenant_id uuid not null");
        }
        if t.key.as_deref() != Some("tenant_id") {
            say("its primary key must begin with tenant_id");
        }
        if !t.guarded {
            say("row-level security is off");
        }
        if !t.forced {
            say("row-level security is not forced, so the owner sees all rows");
        }
        // '{0}' is everybody, '*' every kind of statement.
        if t.guard.as_deref() != Some(format!("permissive {GUARD} {GUARD} for * to {{0}}").as_str())
        {
            say(&format!(
                "its policy `tenant` is not the guard (call platform.guard): {:?}",
                t.guard
            ));
        }
    }
    refuse(
        "a table that a tenant's rows are in is guarded by the database itself:",
        &offences,
    );
}

#[tokio::test]
async fn the_guard_knows_no_tenant_where_none_is_set() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let mut tx = pool.begin().await.unwrap();
    for setting in ["", "7b7c1c4e-5a0a-4a51-9d0c-0d2f3e6a9b11"] {
        sqlx::query("select set_config('gatehouse.tenant_id', $1, true)")
            .bind(setting)
            .execute(&mut *tx)
            .await
            .unwrap();
        let tenant: Option<Uuid> = sqlx::query_scalar("select platform.tenant_id()")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(tenant.map(|t| t.to_string()).unwrap_or_default(), setting);
    }
}

#[tokio::test]
async fn foreign_keys_stay_within_a_tenant() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let keys = texts(
        &pool,
        "select conname::text from pg_constraint where contype = 'f'",
    )
    .await;
    assert!(keys.len() > 5, "only {} foreign keys found", keys.len());
    let offences = texts(
        &pool,
        "select format('%s on %s', k.conname, k.conrelid::regclass) from pg_constraint k
          where k.contype = 'f'
            and exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'tenant_id')
            and not exists (
              select from generate_subscripts(k.conkey, 1) as i
                join pg_attribute f on f.attrelid = k.conrelid and f.attnum = k.conkey[i]
                join pg_attribute t on t.attrelid = k.confrelid and t.attnum = k.confkey[i]
               where f.attname = 'tenant_id' and t.attname = 'tenant_id')",
    )
    .await;
    refuse(
        "row-level security does not guard foreign keys: a plain one accepts another tenant's row, and tells that it exists:",
        &offences,
    );
}

#[tokio::test]
async fn what_is_unique_across_tenants_cannot_be_guessed() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let found = texts(
        &pool,
        format!(
            "select format('%s.%s (%s)', n.nspname, c.relname,
                           (select string_agg(coalesce(a.attname::text, '?'), ', ' order by k.at)
                              from unnest(i.indkey::int[]) with ordinality as k (num, at)
                              left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.num))
               from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
              where i.indisunique and {OURS} and c.relname <> 'seaql_migrations'
                and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnum = any (i.indkey::int[]))
              order by 1"
        ),
    )
    .await;
    let known: Vec<String> = UNIQUE_ACROSS_TENANTS
        .iter()
        .map(|(key, _)| (*key).to_owned())
        .collect();
    assert_eq!(
        found, known,
        "a key that is unique across tenants tells one of them about another; give the reason in the table, or begin it with tenant_id"
    );
}

#[tokio::test]
async fn our_roles_have_no_power_beyond_their_grants() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let login = login_role();
    let roles = texts(
        &pool,
        "select rolname::text from pg_roles where rolname like 'gatehouse\\_%' order by 1",
    )
    .await;
    assert!(roles.len() >= 11, "{roles:?}");
    let mut offences = texts(
        &pool,
        "select format('%s may go around row-level security', rolname) from pg_roles
          where rolname like 'gatehouse\\_%' and (rolsuper or rolbypassrls or rolreplication)",
    )
    .await;
    // Those of the services are taken for a transaction; nobody is one of them, or inherits from one.
    offences.extend(
        texts(
            &pool,
            format!(
                "select format('%s must be nologin, noinherit, nocreaterole, nocreatedb', rolname) from pg_roles
                  where rolname like 'gatehouse\\_%' and rolname not in ('gatehouse_owner', '{login}')
                    and (rolcanlogin or rolinherit or rolcreaterole or rolcreatedb)"
            ),
        )
        .await,
    );
    offences.extend(
        texts(
            &pool,
            format!(
                "select format('%s must be noinherit, nocreaterole, nocreatedb', rolname) from pg_roles
                  where rolname = '{login}' and (rolinherit or rolcreaterole or rolcreatedb)"
            ),
        )
        .await,
    );
    refuse(
        "cross-tenant powers are policies that can be read, never attributes of a role:",
        &offences,
    );
    let taken = texts(
        &pool,
        format!(
            "select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
              where r.rolname = '{login}' order by 1"
        ),
    )
    .await;
    let services: Vec<String> = roles
        .into_iter()
        .filter(|r| *r != login && r != "gatehouse_owner")
        .collect();
    assert_eq!(
        taken, services,
        "the login role takes the services' roles and no other"
    );
}

#[tokio::test]
async fn the_login_role_may_do_nothing_by_itself() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let login = login_role();
    let offences = texts(
        &pool,
        format!(
            "select what from (
               select format('owns %s', c.oid::regclass) as what, c.relowner as who from pg_class c
               union all select format('%s on %s', a.privilege_type, c.oid::regclass), a.grantee from pg_class c, aclexplode(c.relacl) a
               union all select format('%s on %s.%s', a.privilege_type, t.attrelid::regclass, t.attname), a.grantee from pg_attribute t, aclexplode(t.attacl) a
               union all select format('owns schema %s', n.nspname), n.nspowner from pg_namespace n
               union all select format('%s on schema %s', a.privilege_type, n.nspname), a.grantee from pg_namespace n, aclexplode(n.nspacl) a
               union all select format('%s on %s', a.privilege_type, p.oid::regprocedure), a.grantee from pg_proc p, aclexplode(p.proacl) a
             ) found where who = '{login}'::regrole"
        ),
    )
    .await;
    refuse(
        "a connection that forgot its transaction's role must reach nothing, but the login role itself:",
        &offences,
    );
}

#[tokio::test]
async fn every_table_is_written_by_its_own_service_alone() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    // The credential check notes when a key was last used, and may touch nothing else of it.
    let noted = "gatehouse_auth: UPDATE on directory.api_keys.last_used_at";
    let mut found = texts(
        &pool,
        format!(
            "select what from (
               select format('%s: %s on %s.%s', coalesce(r.rolname, 'PUBLIC'), a.privilege_type, n.nspname, c.relname) as what, n.nspname, r.rolname, a.privilege_type, c.relowner
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
                where {OURS} and a.grantee <> c.relowner
               union all
               select format('%s: %s on %s.%s.%s', coalesce(r.rolname, 'PUBLIC'), a.privilege_type, n.nspname, c.relname, t.attname), n.nspname, r.rolname, a.privilege_type, c.relowner
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a left join pg_roles r on r.oid = a.grantee
                where {OURS}
             ) found
             where privilege_type <> 'SELECT'
               and not (privilege_type in ('INSERT', 'UPDATE', 'DELETE') and rolname in (format('gatehouse_%s', nspname), format('gatehouse_%s_system', nspname)))
                or rolname is null
             order by 1"
        ),
    )
    .await;
    let known = found.len();
    found.retain(|f| f != noted);
    assert_eq!(
        found.len() + 1,
        known,
        "the exception \"{noted}\" is gone: take it out"
    );
    refuse(
        "one writer per table, its service; TRUNCATE goes around row-level security; nothing is for everybody:",
        &found,
    );
}

#[tokio::test]
async fn nothing_runs_with_the_owners_rights() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let functions = texts(
        &pool,
        format!("select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS} and p.prosecdef"),
    )
    .await;
    refuse(
        "a SECURITY DEFINER function lends the owner's rights to whoever calls it:",
        &functions,
    );
    let views = texts(
        &pool,
        format!(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where {OURS} and (c.relkind = 'm' or c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false))"
        ),
    )
    .await;
    refuse(
        "a view reads with its owner's eyes unless it is security_invoker; a materialised one has no policies at all:",
        &views,
    );
}

/// Every power of a role over tables that are not guarded by the tenant, or not its own service's.
#[tokio::test]
async fn powers_across_tenants_and_services_are_the_reviewed_ones() {
    let _turn = undisturbed().await;
    let pool = owner_pool().await;
    let powers = "select n.nspname, c.relname, c.oid, r.rolname, r.oid as role,
                         string_agg(a.privilege_type, ', ' order by a.privilege_type) as may
                    from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    cross join lateral (
                      select grantee, lower(privilege_type) as privilege_type from aclexplode(c.relacl)
                      union all
                      select x.grantee, format('%s (%s)', lower(x.privilege_type), t.attname) from pg_attribute t, aclexplode(t.attacl) x where t.attrelid = c.oid
                    ) a
                    join pg_roles r on r.oid = a.grantee
                   where r.rolname like 'gatehouse\\_%' and a.grantee <> c.relowner group by 1, 2, 3, 4, 5";
    let across = texts(
        &pool,
        format!(
            "with powers as ({powers})
             select format('%s  %s.%s  %s', r.rolname, n.nspname, c.relname, coalesce(w.may, 'NO GRANT'))
                    || case when p.polpermissive and p.polcmd = '*' and pg_get_expr(p.polqual, c.oid) = 'true' and pg_get_expr(p.polwithcheck, c.oid) = 'true' then ''
                            else format('  where %s check %s', pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)) end
               from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
               cross join lateral unnest(p.polroles) as member (id) left join pg_roles r on r.oid = member.id
               left join powers w on w.oid = c.oid and w.role = member.id
              where p.polname <> 'tenant' order by r.rolname, n.nspname, c.relname"
        ),
    )
    .await;
    let foreign = texts(
        &pool,
        format!(
            "with powers as ({powers})
             select format('%s  %s.%s  %s', rolname, nspname, relname, may) from powers
              where rolname not in (format('gatehouse_%s', nspname), format('gatehouse_%s_system', nspname))
                and not exists (select from pg_policy p where p.polrelid = powers.oid and powers.role = any (p.polroles))
              order by rolname, nspname, relname"
        ),
    )
    .await;
    goldens::check(
        "database_powers",
        &format!(
            "Across tenants, by a policy of their own:\n{}\n\nWithin a tenant, tables of other services:\n{}",
            across.join("\n"),
            foreign.join("\n")
        ),
    );
    let dead = texts(
        &pool,
        format!(
            "with powers as ({powers})
             select format('%s on %s.%s', rolname, nspname, relname) from powers
              where (rolname like '%\\_system' or rolname = 'gatehouse_auth')
                -- A view has no policy; with security_invoker those of its tables hold, which another test checks.
                and (select relkind from pg_class where pg_class.oid = powers.oid) <> 'v'
                and not exists (select from pg_policy p where p.polrelid = powers.oid and powers.role = any (p.polroles))"
        ),
    )
    .await;
    refuse(
        "a role that works across tenants sees nothing of a table without a policy (call platform.admit_system):",
        &dead,
    );
}
