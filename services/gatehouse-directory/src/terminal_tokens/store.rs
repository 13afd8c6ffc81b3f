//! Rows of `directory.terminal_tokens`.

use chrono::{DateTime, Utc};
use gatehouse_domain::TerminalTokenId;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_schema::entities::directory::terminal_tokens::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Unchanged,
};
use uuid::Uuid;

pub(super) async fn insert(
    tx: &TenantTx,
    name: String,
    token_hash: Vec<u8>,
    hint: String,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Model, DbError> {
    let row = ActiveModel {
        tenant_id: Set(tx.tenant_uuid()),
        id: Set(Uuid::now_v7()),
        name: Set(name),
        token_hash: Set(token_hash),
        hint: Set(hint),
        expires_at: Set(expires_at),
        revoked_at: Set(None),
        created_at: Set(Utc::now()),
    };
    Ok(row.insert(tx.conn()).await?)
}

/// Tokens, newest first, revoked ones included.
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

pub(super) async fn read_to_change(
    tx: &TenantTx,
    id: TerminalTokenId,
) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

pub(super) async fn revoke(tx: &TenantTx, id: TerminalTokenId) -> Result<(), DbError> {
    let row = ActiveModel {
        tenant_id: Unchanged(tx.tenant_uuid()),
        id: Unchanged(id.uuid()),
        revoked_at: Set(Some(Utc::now())),
        ..Default::default()
    };
    row.update(tx.conn()).await?;
    Ok(())
}
