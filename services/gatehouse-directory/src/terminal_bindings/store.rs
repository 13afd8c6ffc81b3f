//! Rows of `directory.terminal_bindings`.

use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, sql};
use gatehouse_schema::entities::directory::terminal_bindings::{Column, Entity, Model};
use gatehouse_schema::entities::directory::{devices, tenants};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

pub(super) async fn tenant_exists(tx: &SystemTx, tenant: TenantId) -> Result<bool, DbError> {
    Ok(tenants::Entity::find_by_id(tenant.uuid())
        .one(tx.conn())
        .await?
        .is_some())
}

/// Binds a serial number that is not bound yet; whether it was.
pub(super) async fn insert(tx: &SystemTx, tenant: TenantId, sn: &str) -> Result<bool, DbError> {
    let bound = tx
        .conn()
        .execute_raw(sql(
            "insert into directory.terminal_bindings (tenant_id, sn) values ($1, $2) on conflict do nothing",
            [tenant.uuid().into(), sn.into()],
        ))
        .await?;
    Ok(bound.rows_affected() == 1)
}

pub(super) async fn read(
    tx: &SystemTx,
    tenant: TenantId,
    sn: &str,
) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tenant.uuid(), sn.to_owned()))
        .one(tx.conn())
        .await?)
}

/// The tenant's bindings by serial number.
pub(super) async fn list(
    tx: &SystemTx,
    tenant: TenantId,
    after: Option<String>,
    limit: u64,
) -> Result<Vec<Model>, DbError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Sn.gt(after));
    }
    Ok(query
        .order_by_asc(Column::Sn)
        .limit(limit)
        .all(tx.conn())
        .await?)
}

/// Whether there was one to remove.
pub(super) async fn delete(tx: &SystemTx, tenant: TenantId, sn: &str) -> Result<bool, DbError> {
    let deleted = Entity::delete_by_id((tenant.uuid(), sn.to_owned()))
        .exec(tx.conn())
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// The tenant's device with this serial number, whose session may have come in by the binding.
pub(super) async fn device(
    tx: &SystemTx,
    tenant: TenantId,
    sn: &str,
) -> Result<Option<DeviceId>, DbError> {
    let device = devices::Entity::find()
        .filter(devices::Column::TenantId.eq(tenant.uuid()))
        .filter(devices::Column::Sn.eq(sn))
        .one(tx.conn())
        .await?;
    Ok(device.map(|row| DeviceId::from_uuid(row.id)))
}
