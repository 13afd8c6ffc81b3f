//! What a change may have changed for terminals: noted in the transaction of the change, planned by
//! sync. Deliberately absent: what is to be sent (gatehouse-sync).

use crate::directory::Directory;
use actix_web::HttpResponse;
use gatehouse_contracts::Wake;
use gatehouse_domain::{DeviceId, DistributionId, PersonId, TenantId};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Persons of one note: a plan of more is cut into several.
const PERSONS_AT_ONCE: usize = 2000;

/// Whose assignments are to be planned again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Everybody on these devices.
    Devices(&'a [DeviceId]),
    /// These persons, on whatever device.
    Persons(&'a [PersonId]),
}

/// Notes a change, under an id by which its way to the terminals can be followed. Nothing is noted
/// where nobody is concerned. After the commit, call [`wake`].
///
/// # Errors
/// The database's.
pub(crate) async fn note(
    tx: &TenantTx,
    reason: &str,
    scope: Scope<'_>,
) -> Result<Option<DistributionId>, DbError> {
    let mut first = None;
    match scope {
        Scope::Devices([]) | Scope::Persons([]) => {}
        Scope::Devices(devices) => {
            let devices = devices.iter().map(|id| id.uuid()).collect();
            first = Some(insert(tx, reason, Some(devices), None).await?);
        }
        Scope::Persons(persons) => {
            for part in persons.chunks(PERSONS_AT_ONCE) {
                let part = part.iter().map(|id| id.uuid()).collect();
                let id = insert(tx, reason, None, Some(part)).await?;
                first.get_or_insert(id);
            }
        }
    }
    Ok(first)
}

async fn insert(
    tx: &TenantTx,
    reason: &str,
    devices: Option<Vec<Uuid>>,
    persons: Option<Vec<Uuid>>,
) -> Result<DistributionId, DbError> {
    let id = Uuid::now_v7();
    tx.conn()
        .execute_raw(sql(
            "insert into directory.access_changes (tenant_id, id, reason, device_ids, person_ids) values ($1, $2, $3, $4, $5)",
            [
                tx.tenant_uuid().into(),
                id.into(),
                reason.into(),
                devices.into(),
                persons.into(),
            ],
        ))
        .await?;
    Ok(DistributionId::from_uuid(id))
}

/// Wakes whoever plans; to be called after the commit.
pub(crate) fn wake(directory: &Directory, tenant: TenantId) {
    directory.kit.bus.wake(Wake::Access { tenant_id: tenant });
}

/// The answer, without a body, of an operation that has committed: wakes whoever plans, and names the
/// change in the header `Distribution-Id`.
pub(crate) fn done(
    directory: &Directory,
    tenant: TenantId,
    distribution: Option<DistributionId>,
) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    if let Some(distribution) = distribution {
        wake(directory, tenant);
        answer.insert_header(("Distribution-Id", distribution.to_string()));
    }
    answer.finish()
}

/// Removes changes that were planned long ago.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(db: &Database) -> Result<(), DbError> {
    let tx = db.system().await?;
    tx.conn()
        .execute_raw(sql(
            "delete from directory.access_changes where created_at < now() - interval '30 days'",
            [],
        ))
        .await?;
    tx.commit().await
}
