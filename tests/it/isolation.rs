//! Attempts to get at another tenant's rows, with the services' own login, that must fail.
//!
//! Deliberately absent: the walk over all tables and grants (`catalogue.rs`), and what the API
//! answers to strangers (`strangers.rs`).

use crate::catalogue::{NOT_A_TENANTS, login_role, tables};
use kit::Environment;
use kit::world::{owner_pool, undisturbed};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// One connection as the login role, so that whatever it keeps is met again.
async fn one_connection() -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .connect(Environment::get().var("GATEHOUSE_DATABASE_URL"))
        .await
        .expect("the database answers")
}

/// Takes a role and a tenant for the transaction, as platform::db does.
async fn become_role(conn: &mut PgConnection, role: &str, tenant: Option<Uuid>) {
    sqlx::query("select set_config('role', $1, true), set_config('gatehouse.tenant_id', $2, true)")
        .bind(role)
        .bind(tenant.map(|t| t.to_string()).unwrap_or_default())
        .execute(conn)
        .await
        .unwrap();
}

/// A table of the hub that refers to no other.
async fn store(conn: &mut PgConnection, tenant: Uuid) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query("insert into hub.rejected_uploads (tenant_id, id, device_id, message_id, reason, raw) values ($1, $2, $3, 'test', '', '')")
        .bind(tenant)
        .bind(id)
        .bind(Uuid::now_v7())
        .execute(conn)
        .await
        .map(|_| id)
}

async fn count(conn: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

/// A row of a fresh tenant, committed.
async fn tenant_with_a_row(app: &PgPool) -> Uuid {
    let tenant = Uuid::now_v7();
    let mut tx = app.begin().await.unwrap();
    become_role(&mut tx, "gatehouse_hub", Some(tenant)).await;
    store(&mut tx, tenant).await.unwrap();
    tx.commit().await.unwrap();
    tenant
}

fn denied(result: sqlx::Result<impl std::fmt::Debug>, what: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{what} was allowed"));
    let code = error
        .as_database_error()
        .and_then(|e| e.code())
        .map(|c| c.into_owned());
    assert_eq!(code.as_deref(), Some("42501"), "{what}: {error}");
}

#[tokio::test]
async fn without_a_role_no_table_can_be_read() {
    let _turn = undisturbed().await;
    let app = one_connection().await;
    for table in tables(&owner_pool().await).await {
        let name = table.name;
        denied(
            sqlx::query(AssertSqlSafe(format!("select 1 from {name}")))
                .execute(&app)
                .await,
            &name,
        );
    }
    for (name, _) in NOT_A_TENANTS {
        denied(
            sqlx::query(AssertSqlSafe(format!("select 1 from {name}")))
                .execute(&app)
                .await,
            name,
        );
    }
    denied(
        sqlx::query("set role gatehouse_owner").execute(&app).await,
        "taking the owner's role",
    );
    denied(
        sqlx::query("create table public.mine ()")
            .execute(&app)
            .await,
        "creating a table",
    );
}

#[tokio::test]
async fn a_role_without_a_tenant_sees_no_row_of_any_table() {
    let _turn = undisturbed().await;
    let (app, owner) = (one_connection().await, owner_pool().await);
    tenant_with_a_row(&app).await;
    for table in tables(&owner).await {
        let schema = table.name.split('.').next().unwrap();
        let mut tx = app.begin().await.unwrap();
        become_role(&mut tx, &format!("gatehouse_{schema}"), None).await;
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "select count(*) from {}",
            table.name
        )))
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        assert_eq!(rows, 0, "{} shows rows to nobody's transaction", table.name);
        // Forced: not even to the owner.
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "select count(*) from {}",
            table.name
        )))
        .fetch_one(&owner)
        .await
        .unwrap();
        assert_eq!(rows, 0, "{} shows rows to its owner", table.name);
    }
}

#[tokio::test]
async fn a_tenant_can_neither_see_nor_touch_anothers_rows() {
    let _turn = undisturbed().await;
    let app = one_connection().await;
    let (a, b) = (tenant_with_a_row(&app).await, tenant_with_a_row(&app).await);
    let mut tx = app.begin().await.unwrap();
    become_role(&mut tx, "gatehouse_hub", Some(a)).await;
    let seen: Vec<Uuid> = sqlx::query_scalar("select distinct tenant_id from hub.rejected_uploads")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert_eq!(seen, [a]);
    let touched = |result: sqlx::postgres::PgQueryResult| result.rows_affected();
    let update = sqlx::query("update hub.rejected_uploads set raw = 'taken' where tenant_id = $1")
        .bind(b)
        .execute(&mut *tx)
        .await;
    assert_eq!(
        update.map(touched).unwrap(),
        0,
        "an update reached another tenant"
    );
    let delete = sqlx::query("delete from hub.rejected_uploads where tenant_id = $1")
        .bind(b)
        .execute(&mut *tx)
        .await;
    assert_eq!(
        delete.map(touched).unwrap(),
        0,
        "a delete reached another tenant"
    );
    sqlx::query("savepoint before")
        .execute(&mut *tx)
        .await
        .unwrap();
    denied(store(&mut tx, b).await, "inserting for another tenant");
    sqlx::query("rollback to before")
        .execute(&mut *tx)
        .await
        .unwrap();
    denied(
        sqlx::query("update hub.rejected_uploads set tenant_id = $1")
            .bind(b)
            .execute(&mut *tx)
            .await,
        "giving a row to another tenant",
    );
    sqlx::query("rollback to before")
        .execute(&mut *tx)
        .await
        .unwrap();
    // Its own rows are there to be changed, or nothing above proves anything.
    let own = sqlx::query("update hub.rejected_uploads set raw = 'own'")
        .execute(&mut *tx)
        .await;
    assert_eq!(own.map(touched).unwrap(), 1);
}

#[tokio::test]
async fn a_pooled_connection_carries_nothing_over() {
    let _turn = undisturbed().await;
    let app = one_connection().await;
    tenant_with_a_row(&app).await;
    let mut conn = app.acquire().await.unwrap();
    // What a reused connection holds is '' and not null: the cast of it must not fail either.
    let left: Option<String> =
        sqlx::query_scalar("select current_setting('gatehouse.tenant_id', true)")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
    assert_eq!(left.as_deref(), Some(""));
    let who: String = sqlx::query_scalar("select current_user::text")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(who, login_role());
    denied(
        sqlx::query("select 1 from hub.rejected_uploads")
            .execute(&mut *conn)
            .await,
        "reading after the commit",
    );
    drop(conn);
    let mut tx = app.begin().await.unwrap();
    sqlx::query("set local role gatehouse_hub")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(
        count(&mut tx, "select count(*) from hub.rejected_uploads").await,
        0
    );
    denied(
        store(&mut tx, Uuid::now_v7()).await,
        "inserting without a tenant",
    );
}

#[tokio::test]
async fn a_system_role_reaches_the_tables_that_admit_it_and_no_others() {
    let _turn = undisturbed().await;
    let app = one_connection().await;
    let tenants = [Uuid::now_v7(), Uuid::now_v7()];
    let mut tx = app.begin().await.unwrap();
    become_role(&mut tx, "gatehouse_hub_system", None).await;
    for tenant in tenants {
        sqlx::query("insert into hub.terminals (tenant_id, device_id) values ($1, $2)")
            .bind(tenant)
            .bind(Uuid::now_v7())
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    let seen: i64 =
        sqlx::query_scalar("select count(*) from hub.terminals where tenant_id = any ($1)")
            .bind(tenants.to_vec())
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    assert_eq!(seen, 2);
    sqlx::query("savepoint before")
        .execute(&mut *tx)
        .await
        .unwrap();
    for table in [
        "hub.firmware",
        "hub.rejected_uploads",
        "directory.users",
        "directory.api_keys",
        "attendance.punches",
    ] {
        denied(
            sqlx::query(AssertSqlSafe(format!("select 1 from {table}")))
                .execute(&mut *tx)
                .await,
            table,
        );
        sqlx::query("rollback to before")
            .execute(&mut *tx)
            .await
            .unwrap();
    }
}
