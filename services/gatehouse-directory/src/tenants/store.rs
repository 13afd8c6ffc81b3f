//! Rows of `directory.tenants`, and the first rows of a new one.

use chrono::Utc;
use chrono_tz::Tz;
use gatehouse_domain::access::{Permission, Role};
use gatehouse_domain::{ApiKeyId, TenantId, TerminalTokenId, UserId};
use gatehouse_platform::auth::api_key::NewKey;
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_schema::entities::directory::tenants::{ActiveModel, Column, Entity, Model};
use gatehouse_schema::entities::directory::{api_keys, terminal_tokens, users};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

/// The transaction's own tenant.
pub(crate) async fn read(tx: &TenantTx) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id(tx.tenant_uuid()).one(tx.conn()).await?)
}

pub(super) async fn read_any(tx: &SystemTx, tenant: TenantId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id(tenant.uuid()).one(tx.conn()).await?)
}

/// Reads a tenant and keeps others from changing it until the transaction ends.
pub(super) async fn read_to_change(
    conn: &DatabaseTransaction,
    tenant: Uuid,
) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id(tenant)
        .lock_exclusive()
        .one(conn)
        .await?)
}

/// Tenants, newest first.
pub(super) async fn list(
    tx: &SystemTx,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbError> {
    let mut query = Entity::find();
    if let Some(after) = after {
        query = query.filter(Column::TenantId.lt(after));
    }
    Ok(query
        .order_by_desc(Column::TenantId)
        .limit(limit)
        .all(tx.conn())
        .await?)
}

pub(super) async fn insert(
    tx: &SystemTx,
    tenant: TenantId,
    name: &str,
    timezone: &str,
) -> Result<(), DbError> {
    let now = Utc::now();
    Entity::insert(ActiveModel {
        tenant_id: Set(tenant.uuid()),
        number: NotSet,
        name: Set(name.to_owned()),
        timezone: Set(timezone.to_owned()),
        disabled_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Writes what was changed, with the next version.
pub(super) async fn update(
    conn: &DatabaseTransaction,
    old: &Model,
    mut change: ActiveModel,
) -> Result<Model, DbError> {
    change.tenant_id = sea_orm::Unchanged(old.tenant_id);
    change.updated_at = Set(Utc::now());
    change.version = Set(old.version.saturating_add(1));
    Ok(change.update(conn).await?)
}

pub(super) async fn insert_owner(
    tx: &SystemTx,
    tenant: TenantId,
    user: UserId,
    email: &str,
    password_hash: String,
) -> Result<(), DbError> {
    let now = Utc::now();
    users::Entity::insert(users::ActiveModel {
        tenant_id: Set(tenant.uuid()),
        id: Set(user.uuid()),
        email: Set(email.to_owned()),
        name: Set("Owner".to_owned()),
        role: Set(Role::Owner.to_string()),
        password_hash: Set(password_hash),
        disabled_at: Set(None),
        last_login_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_api_key(
    tx: &SystemTx,
    tenant: TenantId,
    id: ApiKeyId,
    key: &NewKey,
    scopes: &[Permission],
) -> Result<(), DbError> {
    let now = Utc::now();
    api_keys::Entity::insert(api_keys::ActiveModel {
        tenant_id: Set(tenant.uuid()),
        id: Set(id.uuid()),
        name: Set("First key".to_owned()),
        secret_hash: Set(key.hash.clone()),
        hint: Set(key.hint.clone()),
        scopes: Set(scopes.iter().map(ToString::to_string).collect()),
        allowed_addresses: Set(Vec::new()),
        expires_at: Set(None),
        disabled_at: Set(None),
        last_used_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_terminal_token(
    tx: &SystemTx,
    tenant: TenantId,
    id: TerminalTokenId,
    token: &str,
    token_hash: Vec<u8>,
) -> Result<(), DbError> {
    terminal_tokens::Entity::insert(terminal_tokens::ActiveModel {
        tenant_id: Set(tenant.uuid()),
        id: Set(id.uuid()),
        name: Set("First token".to_owned()),
        token_hash: Set(token_hash),
        hint: Set(crate::terminal_tokens::hint(token)),
        expires_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(Utc::now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Stores a facade's key, unless the vendor's key id is taken; whether it was stored.
pub(super) async fn insert_facade_credential(
    tx: &SystemTx,
    tenant: TenantId,
    vendor: &str,
    key_id: &str,
    secret_sealed: Vec<u8>,
) -> Result<bool, DbError> {
    let stored = tx
        .conn()
        .execute_raw(sql(
            "insert into directory.facade_credentials (tenant_id, id, vendor, key_id, secret_sealed)
             values ($1, $2, $3, $4, $5) on conflict (vendor, key_id) do nothing",
            [
                tenant.uuid().into(),
                Uuid::now_v7().into(),
                vendor.into(),
                key_id.into(),
                secret_sealed.into(),
            ],
        ))
        .await?;
    Ok(stored.rows_affected() == 1)
}

/// The terminal tokens of a tenant, for those who hold sessions that came in with one.
pub(super) async fn terminal_token_ids(
    tx: &SystemTx,
    tenant: TenantId,
) -> Result<Vec<TerminalTokenId>, DbError> {
    let ids: Vec<Uuid> = terminal_tokens::Entity::find()
        .select_only()
        .column(terminal_tokens::Column::Id)
        .filter(terminal_tokens::Column::TenantId.eq(tenant.uuid()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(ids.into_iter().map(TerminalTokenId::from_uuid).collect())
}

/// The tenant's zone, in which date-times without an offset are meant.
pub(crate) async fn zone(tx: &TenantTx) -> Answer<Tz> {
    let tenant = read(tx)
        .await?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    // It was checked when it was set.
    Ok(tenant.timezone.parse().unwrap_or(Tz::UTC))
}
