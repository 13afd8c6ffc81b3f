//! The audit trail of services other than the directory: an event in the same transaction as the
//! change; the directory, which owns the trail, stores it.

use crate::db::{DbError, ServiceRoles, TenantTx};
use crate::outbox;
use gatehouse_contracts::AuditRecorded;
use gatehouse_domain::AuditEntryId;

/// What was done to what.
#[derive(Debug)]
pub struct Deed<'a> {
    /// For example `command.created`.
    pub action: &'a str,
    /// For example `device`.
    pub subject_kind: &'a str,
    /// The subject's id.
    pub subject_id: String,
    /// What changed, without secrets, names or pictures.
    pub detail: serde_json::Value,
    /// The request in which it happened.
    pub request_id: Option<&'a str>,
}

/// Leaves an entry in the trail, if the transaction commits.
///
/// # Errors
/// The database's.
pub async fn publish(tx: &TenantTx, roles: ServiceRoles, deed: Deed<'_>) -> Result<(), DbError> {
    let actor = tx.scope().actor();
    let event = AuditRecorded {
        audit_entry_id: AuditEntryId::from_uuid(uuid::Uuid::now_v7()),
        at: chrono::Utc::now(),
        actor_kind: actor.kind().to_owned(),
        actor_id: actor.id(),
        action: deed.action.to_owned(),
        subject_kind: deed.subject_kind.to_owned(),
        subject_id: deed.subject_id,
        detail: deed.detail,
        request_id: deed.request_id.map(str::to_owned),
    };
    outbox::publish(tx, roles, event).await?;
    Ok(())
}
