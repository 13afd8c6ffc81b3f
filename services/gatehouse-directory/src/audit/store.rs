//! Rows of `directory.audit_entries`.

use chrono::{DateTime, Utc};
use gatehouse_contracts::AuditRecorded;
use gatehouse_domain::TenantId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_platform::tenant::Actor;
use gatehouse_schema::entities::directory::audit_entries::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use uuid::Uuid;

/// Enters a change of this transaction's actor.
pub(crate) async fn enter(tx: &TenantTx, deed: Deed<'_>) -> Result<(), DbError> {
    insert(tx.conn(), tx.scope().tenant(), tx.scope().actor(), deed).await
}

/// Enters a change by the platform's operator, in the trail of the tenant it concerns.
pub(crate) async fn enter_as_operator(
    tx: &SystemTx,
    tenant: TenantId,
    deed: Deed<'_>,
) -> Result<(), DbError> {
    insert(tx.conn(), tenant, &Actor::Operator, deed).await
}

async fn insert(
    conn: &DatabaseTransaction,
    tenant: TenantId,
    actor: &Actor,
    deed: Deed<'_>,
) -> Result<(), DbError> {
    let Deed {
        action,
        subject_kind,
        subject_id,
        detail,
        request_id,
    } = deed;
    Entity::insert(ActiveModel {
        tenant_id: Set(tenant.uuid()),
        id: Set(Uuid::now_v7()),
        at: Set(Utc::now()),
        actor_kind: Set(actor.kind().to_owned()),
        actor_id: Set(actor.id()),
        action: Set(action.to_owned()),
        subject_kind: Set(subject_kind.to_owned()),
        subject_id: Set(subject_id),
        detail: Set(detail),
        request_id: Set(request_id.map(str::to_owned)),
    })
    .exec_without_returning(conn)
    .await?;
    Ok(())
}

/// Enters what another service recorded. A repeat finds its entry there and changes nothing.
pub(super) async fn enter_recorded(tx: &TenantTx, recorded: AuditRecorded) -> Result<(), DbError> {
    let AuditRecorded {
        audit_entry_id,
        at,
        actor_kind,
        actor_id,
        action,
        subject_kind,
        subject_id,
        detail,
        request_id,
    } = recorded;
    tx.conn()
        .execute_raw(sql(
            "insert into directory.audit_entries
               (tenant_id, id, at, actor_kind, actor_id, action, subject_kind, subject_id, detail, request_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            [
                tx.tenant_uuid().into(),
                audit_entry_id.uuid().into(),
                at.into(),
                actor_kind.into(),
                actor_id.into(),
                action.into(),
                subject_kind.into(),
                subject_id.into(),
                detail.into(),
                request_id.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Which entries are wanted.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) subject_id: Option<String>,
    pub(super) subject_kind: Option<String>,
    pub(super) actor_id: Option<String>,
    pub(super) action: Option<String>,
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
    /// The last entry of the page before.
    pub(super) after: Option<(DateTime<Utc>, Uuid)>,
}

/// Entries, newest first.
pub(super) async fn list(tx: &TenantTx, wanted: Wanted, limit: u64) -> Result<Vec<Model>, DbError> {
    let Wanted {
        subject_id,
        subject_kind,
        actor_id,
        action,
        from,
        to,
        after,
    } = wanted;
    let mut query = Entity::find().filter(Column::TenantId.eq(tx.tenant_uuid()));
    for (column, value) in [
        (Column::SubjectId, subject_id),
        (Column::SubjectKind, subject_kind),
        (Column::ActorId, actor_id),
        (Column::Action, action),
    ] {
        if let Some(value) = value {
            query = query.filter(column.eq(value));
        }
    }
    if let Some(from) = from {
        query = query.filter(Column::At.gte(from));
    }
    if let Some(to) = to {
        query = query.filter(Column::At.lt(to));
    }
    if let Some((at, id)) = after {
        let position = Expr::tuple([Expr::col(Column::At), Expr::col(Column::Id)]);
        query = query.filter(position.lt(Expr::tuple([Expr::value(at), Expr::value(id)])));
    }
    let entries = query
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(tx.conn())
        .await?;
    Ok(entries)
}
