//! The bound of what Postgres does: copies of our tables, indexes included, without row-level
//! security, in a schema that is dropped afterwards.

use anyhow::Context;
use chrono::{DateTime, Utc};
use kit::Environment;
use sqlx::postgres::{PgArguments, PgConnection, PgPoolOptions, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Connection, PgPool, Row as _};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Fewest connections that keep the widest figure from waiting for one.
const CONNECTIONS: u32 = 16;
/// Batches that are made while another is stored.
const READY_BATCHES: usize = 4;
/// Rows that are read as patterns.
const PATTERNS: i64 = 1_000;

/// A schema of copies.
#[derive(Debug)]
pub(crate) struct Floor {
    pool: PgPool,
    schema: String,
}

impl Floor {
    /// Makes copies of these tables, for example `hub.records`.
    pub(crate) async fn copy(tables: &[&str]) -> anyhow::Result<Self> {
        let url = Environment::get().var("GATEHOUSE_DATABASE_OWNER_URL");
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect(url)
            .await
            .context("the database answers")?;
        crate::server::need_durable_database(&pool).await?;
        let floor = Self {
            pool,
            schema: format!("bench_{}", std::process::id()),
        };
        floor.run(format!("create schema {}", floor.schema)).await?;
        for table in tables {
            let (_, name) = table.split_once('.').context("a table has a schema")?;
            floor
                .run(format!(
                    "create table {}.{name} (like {table} including all)",
                    floor.schema
                ))
                .await?;
        }
        Ok(floor)
    }

    /// The pool of the database's owner.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Where the copies are.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Removes the copies.
    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        self.run(format!("drop schema {} cascade", self.schema))
            .await
    }

    async fn run(&self, statement: String) -> anyhow::Result<()> {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Stores rows in batches by one connection, one transaction each, for this long; rows per
    /// second. Rows are made ready by another task, so that the connection never waits for them.
    pub(crate) async fn insert_records(
        &self,
        patterns: &[Record],
        batch: usize,
        window: Duration,
    ) -> anyhow::Result<f64> {
        let (ready, mut batches) = tokio::sync::mpsc::channel(READY_BATCHES);
        let patterns = patterns.to_vec();
        let maker = tokio::task::spawn_blocking(move || {
            let mut rows = patterns.into_iter().cycle();
            loop {
                let rows: Vec<Record> = rows.by_ref().take(batch).map(Record::renewed).collect();
                let made = arguments(&rows);
                if ready.blocking_send(made).is_err() {
                    return;
                }
            }
        });
        let mut connection =
            PgConnection::connect(Environment::get().var("GATEHOUSE_DATABASE_OWNER_URL")).await?;
        let statement = insert(&self.schema);
        let (begun, mut stored) = (Instant::now(), 0);
        while begun.elapsed() < window {
            let arguments = batches
                .recv()
                .await
                .context("a batch is ready")?
                .map_err(anyhow::Error::from_boxed)?;
            let done = sqlx::query_with(AssertSqlSafe(statement.as_str()), arguments)
                .execute(&mut connection)
                .await?;
            stored += done.rows_affected();
        }
        let took = begun.elapsed();
        drop(batches);
        maker.await?;
        connection.close().await?;
        Ok(stored as f64 / took.as_secs_f64())
    }
}

macro_rules! record {
    ($($field:ident $column:literal: $type:ty = $cast:literal),* $(,)?) => {
        /// A row of `hub.records`.
        #[derive(Debug, Clone)]
        pub(crate) struct Record { $($field: $type),* }

        const COLUMNS: &[(&str, &str)] = &[$(($column, $cast)),*];

        fn read(row: &PgRow) -> sqlx::Result<Record> {
            Ok(Record { $($field: row.try_get($column)?),* })
        }

        fn arguments(rows: &[Record]) -> Result<PgArguments, sqlx::error::BoxDynError> {
            let mut arguments = PgArguments::default();
            $(arguments.add(rows.iter().map(|row| row.$field.clone()).collect::<Vec<$type>>())?;)*
            Ok(arguments)
        }
    };
}

record! {
    tenant_id "tenant_id": Uuid = "uuid[]",
    id "id": Uuid = "uuid[]",
    device_id "device_id": Uuid = "uuid[]",
    message_id "message_id": String = "text[]",
    device_time "device_time": String = "text[]",
    passed_at "passed_at": DateTime<Utc> = "timestamptz[]",
    device_passed_at "device_passed_at": Option<DateTime<Utc>> = "timestamptz[]",
    clock_offset_ms "clock_offset_ms": Option<i64> = "int8[]",
    clock_verdict "clock_verdict": String = "text[]",
    received_at "received_at": DateTime<Utc> = "timestamptz[]",
    person_id "person_id": Option<Uuid> = "uuid[]",
    person_number "person_number": String = "text[]",
    person_name "person_name": String = "text[]",
    record_type "type": String = "text[]",
    result "result": String = "text[]",
    verification "verification": String = "text[]",
    passage "passage": String = "text[]",
    temperature_celsius "temperature_celsius": Option<f32> = "float4[]",
    temperature_verdict "temperature_verdict": String = "text[]",
    mask "mask": String = "text[]",
    match_score "match_score": Option<f32> = "float4[]",
    card_number "card_number": Option<String> = "text[]",
    longitude "longitude": Option<f64> = "float8[]",
    latitude "latitude": Option<f64> = "float8[]",
    snapshot_key "snapshot_key": Option<String> = "text[]",
    compare_key "compare_key": Option<String> = "text[]",
    photo_fault "photo_fault": Option<String> = "text[]",
    id_document_sealed "id_document_sealed": Option<Vec<u8>> = "bytea[]",
    door_answer "door_answer": String = "text[]",
    raw "raw": String = "text[]",
}

impl Record {
    /// The same once more, as another pass of now.
    fn renewed(mut self) -> Self {
        let now = Utc::now();
        self.id = Uuid::now_v7();
        self.message_id = self.id.as_u128().to_string().split_off(25);
        self.passed_at = now;
        self.received_at = now;
        self
    }
}

fn insert(schema: &str) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = COLUMNS
        .iter()
        .map(|(name, _)| if *name == "raw" { "raw::jsonb" } else { *name })
        .collect();
    let arrays: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .map(|(place, (_, cast))| format!("${}::{cast}", place + 1))
        .collect();
    let (names, values, arrays) = (names.join(", "), values.join(", "), arrays.join(", "));
    format!(
        "insert into {schema}.records ({names}) select {values} from unnest({arrays}) as new ({names})"
    )
}

/// Some rows that the hub stored for a tenant, to insert the same.
pub(crate) async fn patterns(pool: &PgPool, tenant: Uuid) -> anyhow::Result<Vec<Record>> {
    let names: Vec<&str> = COLUMNS
        .iter()
        .map(|(name, _)| if *name == "raw" { "raw::text" } else { *name })
        .collect();
    let statement = format!(
        "select {} from hub.records where tenant_id = $1 order by id desc limit {PATTERNS}",
        names.join(", ")
    );
    let mut tx = as_tenant(pool, tenant).await?;
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(tenant)
        .fetch_all(&mut *tx)
        .await?;
    let rows = rows
        .iter()
        .map(read)
        .collect::<sqlx::Result<Vec<Record>>>()?;
    anyhow::ensure!(!rows.is_empty(), "the hub stored nothing");
    Ok(rows)
}

/// A transaction that sees the rows of a tenant: row-level security holds for the owner as well.
pub(crate) async fn as_tenant(
    pool: &PgPool,
    tenant: Uuid,
) -> anyhow::Result<sqlx::Transaction<'static, sqlx::Postgres>> {
    let mut tx = pool.begin().await?;
    sqlx::query("select set_config('gatehouse.tenant_id', $1, true)")
        .bind(tenant.to_string())
        .execute(&mut *tx)
        .await?;
    Ok(tx)
}
