//! Rows of `directory.api_keys`.

use chrono::Utc;
use gatehouse_domain::ApiKeyId;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_schema::entities::directory::api_keys::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Unchanged,
};
use uuid::Uuid;

pub(crate) async fn read(tx: &TenantTx, id: ApiKeyId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .one(tx.conn())
        .await?)
}

/// Reads a key and keeps others from changing it until the transaction ends.
pub(super) async fn read_to_change(tx: &TenantTx, id: ApiKeyId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

/// Keys, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tx.tenant_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Id.lt(after));
    }
    Ok(query
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(tx.conn())
        .await?)
}

pub(super) async fn insert(tx: &TenantTx, row: ActiveModel) -> Result<Model, DbError> {
    Ok(row.insert(tx.conn()).await?)
}

/// Writes what was changed, with the next version.
pub(super) async fn update(
    tx: &TenantTx,
    old: &Model,
    mut change: ActiveModel,
) -> Result<Model, DbError> {
    change.tenant_id = Unchanged(old.tenant_id);
    change.id = Unchanged(old.id);
    change.updated_at = Set(Utc::now());
    change.version = Set(old.version.saturating_add(1));
    Ok(change.update(tx.conn()).await?)
}

pub(super) async fn delete(tx: &TenantTx, id: ApiKeyId) -> Result<(), DbError> {
    Entity::delete_by_id((tx.tenant_uuid(), id.uuid()))
        .exec(tx.conn())
        .await?;
    Ok(())
}
