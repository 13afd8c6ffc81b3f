//! The SQL of the shadow.

use crate::parameters::at_rest;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::secrets::Secrets;
use gatehouse_schema::entities::hub::parameters;
use sea_orm::{ConnectionTrait, EntityTrait};
use std::collections::BTreeMap;

/// What a terminal should have and what it said it has, secrets opened.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Shadow {
    /// What it should have; the rest is left as it is.
    pub(crate) desired: BTreeMap<String, String>,
    /// Counts the changes of `desired`.
    pub(crate) desired_version: i64,
    /// When it last changed.
    pub(crate) desired_at: Option<DateTime<Utc>>,
    /// What it said; `None` where it never did.
    pub(crate) reported: Option<BTreeMap<String, String>>,
    /// Counts the changes of `reported`.
    pub(crate) reported_version: i64,
    /// When it last said so.
    pub(crate) reported_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shadow")
            .field("desired_version", &self.desired_version)
            .field("reported_version", &self.reported_version)
            .finish_non_exhaustive()
    }
}

/// Reads the shadow of a device; an empty one where nothing is stored.
pub(crate) async fn read(
    tx: &TenantTx,
    secrets: &Secrets,
    device: DeviceId,
) -> Result<Shadow, DbError> {
    select(
        tx,
        secrets,
        device,
        "select * from hub.parameters where tenant_id = $1 and device_id = $2",
    )
    .await
}

/// Reads the shadow of a device, and holds it until the transaction ends.
pub(crate) async fn hold(
    tx: &TenantTx,
    secrets: &Secrets,
    device: DeviceId,
) -> Result<Shadow, DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into hub.parameters (tenant_id, device_id) values ($1, $2) on conflict do nothing",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    select(
        tx,
        secrets,
        device,
        "select * from hub.parameters where tenant_id = $1 and device_id = $2 for update",
    )
    .await
}

async fn select(
    tx: &TenantTx,
    secrets: &Secrets,
    device: DeviceId,
    text: &str,
) -> Result<Shadow, DbError> {
    let statement = sql(text, [tx.tenant_uuid().into(), device.uuid().into()]);
    let row = parameters::Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?;
    let Some(row) = row else {
        return Ok(Shadow::default());
    };
    let reported = row
        .reported
        .map(|stored| at_rest::open(secrets, &stored))
        .transpose()?;
    Ok(Shadow {
        desired: at_rest::open(secrets, &row.desired)?,
        desired_version: row.desired_version,
        desired_at: row.desired_at,
        reported,
        reported_version: row.reported_version,
        reported_at: row.reported_at,
    })
}

/// Replaces what is desired by its next version.
pub(crate) async fn desire(
    tx: &TenantTx,
    secrets: &Secrets,
    device: DeviceId,
    desired: &BTreeMap<String, String>,
) -> Result<(), DbError> {
    let values = at_rest::seal(secrets, desired)?;
    tx.conn()
        .execute_raw(sql(
            "update hub.parameters set desired = $3, desired_version = desired_version + 1, desired_at = now() \
             where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into(), values.into()],
        ))
        .await?;
    Ok(())
}

/// Replaces what was reported by its next version.
pub(crate) async fn report(
    tx: &TenantTx,
    secrets: &Secrets,
    device: DeviceId,
    reported: &BTreeMap<String, String>,
) -> Result<(), DbError> {
    let values = at_rest::seal(secrets, reported)?;
    tx.conn()
        .execute_raw(sql(
            "update hub.parameters set reported = $3, reported_version = reported_version + 1, reported_at = now() \
             where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into(), values.into()],
        ))
        .await?;
    Ok(())
}

/// Notes that the same was reported again.
pub(crate) async fn report_again(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update hub.parameters set reported_at = now() where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// Lets the transaction's commit return before the disk has it: for what a terminal tells again.
pub(crate) async fn durable_a_moment_later(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn()
        .execute_unprepared("set local synchronous_commit = off")
        .await?;
    Ok(())
}
