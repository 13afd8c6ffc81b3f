//! Rows of `directory.users` and `directory.refresh_tokens`.
//!
//! Two statements run across tenants, because whoever signs in or refreshes has no tenant yet: finding
//! users by e-mail address, and finding a refresh token by its hash. Both only read.

use chrono::{DateTime, Utc};
use gatehouse_domain::{TenantId, UserId};
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_schema::entities::directory::{refresh_tokens, users};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Set, Unchanged,
};
use uuid::Uuid;

/// Somebody who may be the one who signs in.
#[derive(Debug, FromQueryResult)]
pub(super) struct Candidate {
    tenant_id: Uuid,
    id: Uuid,
    pub(super) password_hash: String,
}

impl Candidate {
    pub(super) const fn tenant(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }
    pub(super) const fn id(&self) -> UserId {
        UserId::from_uuid(self.id)
    }
}

pub(super) async fn candidates(
    tx: &SystemTx,
    email: &str,
    tenant: Option<TenantId>,
    limit: u64,
) -> Result<Vec<Candidate>, DbError> {
    let found = Candidate::find_by_statement(sql(
        "select u.tenant_id, u.id, u.password_hash
           from directory.users u join directory.tenants t using (tenant_id)
          where u.email = $1 and ($2::uuid is null or u.tenant_id = $2)
            and u.disabled_at is null and t.disabled_at is null
          order by t.number limit $3",
        [
            email.into(),
            tenant.map(TenantId::uuid).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    ))
    .all(tx.conn())
    .await?;
    Ok(found)
}

/// A refresh token as it was found.
#[derive(Debug, FromQueryResult)]
pub(super) struct Presented {
    pub(super) tenant_id: Uuid,
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) family: Uuid,
}

pub(super) async fn presented(
    tx: &SystemTx,
    token_hash: Vec<u8>,
) -> Result<Option<Presented>, DbError> {
    let found = Presented::find_by_statement(sql(
        "select r.tenant_id, r.id, r.user_id, r.family
           from directory.refresh_tokens r
           join directory.users u on u.tenant_id = r.tenant_id and u.id = r.user_id
           join directory.tenants t on t.tenant_id = r.tenant_id
          where r.token_hash = $1 and u.disabled_at is null and t.disabled_at is null",
        [token_hash.into()],
    ))
    .one(tx.conn())
    .await?;
    Ok(found)
}

/// Uses a token up, if it is valid; whether it was.
pub(super) async fn use_refresh_token(tx: &TenantTx, id: Uuid) -> Result<bool, DbError> {
    let used = tx
        .conn()
        .execute_raw(sql(
            "update directory.refresh_tokens set used_at = now()
              where tenant_id = $1 and id = $2 and used_at is null and revoked_at is null and expires_at > now()",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    Ok(used.rows_affected() == 1)
}

pub(super) async fn was_used(tx: &TenantTx, id: Uuid) -> Result<bool, DbError> {
    let row = refresh_tokens::Entity::find_by_id((tx.tenant_uuid(), id))
        .one(tx.conn())
        .await?;
    Ok(row.is_some_and(|row| row.used_at.is_some()))
}

/// Ends a session; whether there was anything to end.
pub(super) async fn revoke_family(tx: &TenantTx, family: Uuid) -> Result<bool, DbError> {
    let revoked = tx
        .conn()
        .execute_raw(sql(
            "update directory.refresh_tokens set revoked_at = now()
              where tenant_id = $1 and family = $2 and revoked_at is null",
            [tx.tenant_uuid().into(), family.into()],
        ))
        .await?;
    Ok(revoked.rows_affected() > 0)
}

/// Ends all sessions of a user.
pub(super) async fn revoke_sessions(tx: &TenantTx, user: UserId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.refresh_tokens set revoked_at = now()
              where tenant_id = $1 and user_id = $2 and revoked_at is null",
            [tx.tenant_uuid().into(), user.uuid().into()],
        ))
        .await?;
    Ok(())
}

pub(super) async fn insert_refresh_token(
    tx: &TenantTx,
    user: UserId,
    family: Uuid,
    token_hash: Vec<u8>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    refresh_tokens::Entity::insert(refresh_tokens::ActiveModel {
        tenant_id: Set(tx.tenant_uuid()),
        id: Set(Uuid::now_v7()),
        user_id: Set(user.uuid()),
        family: Set(family),
        token_hash: Set(token_hash),
        created_at: Set(created_at),
        expires_at: Set(expires_at),
        used_at: Set(None),
        revoked_at: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Removes what ended more than so many days ago, across tenants.
pub(super) async fn delete_ended_tokens(tx: &SystemTx, days: i32) -> Result<u64, DbError> {
    let deleted = tx
        .conn()
        .execute_raw(sql(
            "delete from directory.refresh_tokens
              where least(expires_at, coalesce(revoked_at, expires_at)) < now() - make_interval(days => $1)",
            [days.into()],
        ))
        .await?;
    Ok(deleted.rows_affected())
}

pub(super) async fn note_login(tx: &TenantTx, user: UserId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.users set last_login_at = now() where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), user.uuid().into()],
        ))
        .await?;
    Ok(())
}

pub(super) async fn read(tx: &TenantTx, user: UserId) -> Result<Option<users::Model>, DbError> {
    Ok(users::Entity::find_by_id((tx.tenant_uuid(), user.uuid()))
        .one(tx.conn())
        .await?)
}

/// Reads a user and keeps others from changing it until the transaction ends.
pub(super) async fn read_to_change(
    tx: &TenantTx,
    user: UserId,
) -> Result<Option<users::Model>, DbError> {
    Ok(users::Entity::find_by_id((tx.tenant_uuid(), user.uuid()))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

/// Users, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<users::Model>, DbError> {
    let mut query = users::Entity::find().filter(users::Column::TenantId.eq(tx.tenant_uuid()));
    if let Some(after) = after {
        query = query.filter(users::Column::Id.lt(after));
    }
    Ok(query
        .order_by_desc(users::Column::Id)
        .limit(limit)
        .all(tx.conn())
        .await?)
}

/// The owners who can sign in, kept as they are until the transaction ends: of two owners who demote
/// each other at the same time, one succeeds.
pub(super) async fn lock_owners(tx: &TenantTx) -> Result<Vec<UserId>, DbError> {
    let rows = users::Entity::find()
        .filter(users::Column::TenantId.eq(tx.tenant_uuid()))
        .filter(users::Column::Role.eq("owner"))
        .filter(users::Column::DisabledAt.is_null())
        .order_by_asc(users::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| UserId::from_uuid(row.id))
        .collect())
}

pub(super) async fn insert(
    tx: &TenantTx,
    row: users::ActiveModel,
) -> Result<users::Model, DbError> {
    Ok(row.insert(tx.conn()).await?)
}

/// Writes what was changed, with the next version.
pub(super) async fn update(
    tx: &TenantTx,
    old: &users::Model,
    mut change: users::ActiveModel,
) -> Result<users::Model, DbError> {
    change.tenant_id = Unchanged(old.tenant_id);
    change.id = Unchanged(old.id);
    change.updated_at = Set(Utc::now());
    change.version = Set(old.version.saturating_add(1));
    Ok(change.update(tx.conn()).await?)
}

pub(super) async fn delete(tx: &TenantTx, user: UserId) -> Result<(), DbError> {
    users::Entity::delete_by_id((tx.tenant_uuid(), user.uuid()))
        .exec(tx.conn())
        .await?;
    Ok(())
}
