//! Rows of `directory.schedules`.

use super::request::Content;
use chrono::{DateTime, Utc};
use gatehouse_domain::schedule::Schedule;
use gatehouse_domain::{DeviceId, ScheduleId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value, json};
use uuid::Uuid;

/// A schedule.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    plan: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl Row {
    /// What a request could say. A plan that cannot be read admits nobody, here as everywhere.
    pub(super) fn content(&self) -> Content {
        let plan = serde_json::from_value(self.plan.clone()).unwrap_or_else(|error| {
            tracing::error!(schedule = %self.id, %error, "a schedule cannot be read");
            Schedule::default()
        });
        let name = self.name.clone();
        Content { name, plan }
    }
}

const SELECT: &str =
    "select id, number, name, plan, created_at, updated_at, version from directory.schedules
   where tenant_id = $1";

pub(super) async fn read(tx: &TenantTx, id: ScheduleId) -> Result<Option<Row>, DbError> {
    one(tx, id, "").await
}

/// Reads a schedule and keeps others from changing it, and authorities from beginning to use it, until
/// the transaction ends.
pub(super) async fn read_to_change(tx: &TenantTx, id: ScheduleId) -> Result<Option<Row>, DbError> {
    one(tx, id, "for update").await
}

async fn one(tx: &TenantTx, id: ScheduleId, lock: &str) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and id = $2 {lock}"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Schedules, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    name: Option<String>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "{SELECT}
               and ($2::uuid is null or id < $2)
               and ($3::text is null or position(lower($3) in lower(name)) > 0)
             order by id desc limit $4"
        ),
        [
            tx.tenant_uuid().into(),
            after.into(),
            name.into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

pub(super) async fn insert(tx: &TenantTx, id: ScheduleId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.schedules (tenant_id, id, name, plan) values ($1, $2, $3, $4)",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                json!(new.plan).into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Writes what a schedule becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: ScheduleId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.schedules set name = $3, plan = $4, updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                json!(new.plan).into(),
            ],
        ))
        .await?;
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: ScheduleId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.schedules where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// How many authorities use a schedule.
pub(super) async fn used_by(tx: &TenantTx, id: ScheduleId) -> Result<i64, DbError> {
    #[derive(FromQueryResult)]
    struct Count {
        count: i64,
    }
    let statement = sql(
        "select count(*) as count from directory.authorities where tenant_id = $1 and schedule_id = $2",
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    let row = Count::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// The devices that somebody may pass by a schedule.
pub(super) async fn devices(tx: &TenantTx, id: ScheduleId) -> Result<Vec<DeviceId>, DbError> {
    #[derive(FromQueryResult)]
    struct Device {
        id: Uuid,
    }
    let statement = sql(
        "select distinct device_id as id from directory.permits where tenant_id = $1 and schedule_id = $2",
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    let rows = Device::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| DeviceId::from_uuid(row.id))
        .collect())
}
