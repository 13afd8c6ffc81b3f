//! The outbox: an event is a row written in the transaction that makes it true, and a relay carries
//! rows to the broker afterwards.
//!
//! The relay takes rows under `for update skip locked`, publishes them with confirms, deletes the
//! confirmed ones and commits. It keeps nothing in memory: a crash in between repeats messages, which
//! readers recognise by the envelope's id, the row's own. The commit of a row wakes it (NOTIFY); a tick
//! backs that up.

mod relay;

pub(crate) use relay::{relay, watch_depth};

use crate::db::{DbError, ServiceRoles, SystemTx, TenantTx, sql};
use gatehouse_contracts::Event;
use gatehouse_domain::{MessageId, TenantId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use uuid::Uuid;

/// Writes an event into the service's outbox. It is published after the transaction commits, and
/// never if it does not.
///
/// # Errors
/// [`DbError`].
pub async fn publish<T: Event>(
    tx: &TenantTx,
    roles: ServiceRoles,
    event: T,
) -> Result<MessageId, DbError> {
    insert(tx.conn(), roles, tx.scope().tenant(), event).await
}

/// The same from a transaction across tenants, which has found out whose event it is.
///
/// # Errors
/// [`DbError`].
pub async fn publish_as_system<T: Event>(
    tx: &SystemTx,
    roles: ServiceRoles,
    tenant: TenantId,
    event: T,
) -> Result<MessageId, DbError> {
    insert(tx.conn(), roles, tenant, event).await
}

/// Many events, of many tenants, by one statement.
///
/// # Errors
/// [`DbError`].
pub async fn publish_all_as_system<T: Event>(
    tx: &SystemTx,
    roles: ServiceRoles,
    events: Vec<(TenantId, T)>,
) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let (mut tenants, mut ids) = (Vec::new(), Vec::new());
    let mut data = Vec::with_capacity(events.len());
    for (tenant, event) in &events {
        tenants.push(tenant.uuid());
        ids.push(Uuid::now_v7());
        data.push(written(event)?);
    }
    tx.conn()
        .execute_raw(sql(
            &format!(
                "insert into {}.outbox (tenant_id, id, kind, data) \
                 select tenant_id, id, $3, data::json from unnest($1::uuid[], $2::uuid[], $4::text[]) as new (tenant_id, id, data)",
                roles.schema
            ),
            [tenants.into(), ids.into(), T::KIND.into(), data.into()],
        ))
        .await?;
    Ok(())
}

fn written<T: Event>(event: &T) -> Result<String, DbError> {
    serde_json::to_string(event)
        .map_err(|e| DbError::Refused(DbErr::Json(format!("{}: {e}", T::KIND))))
}

async fn insert<T: Event>(
    conn: &DatabaseTransaction,
    roles: ServiceRoles,
    tenant: TenantId,
    event: T,
) -> Result<MessageId, DbError> {
    let data = written(&event)?;
    let id = MessageId::from_uuid(Uuid::now_v7());
    conn.execute_raw(sql(
        &format!(
            "insert into {}.outbox (tenant_id, id, kind, data) values ($1, $2, $3, $4::json)",
            roles.schema
        ),
        [
            tenant.uuid().into(),
            id.uuid().into(),
            T::KIND.into(),
            data.into(),
        ],
    ))
    .await?;
    Ok(id)
}
