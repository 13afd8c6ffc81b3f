//! What other features ask about devices.

use super::{presence, store};
use crate::directory::Directory;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::db::DbError;
use gatehouse_platform::tenant::TenantScope;
use uuid::Uuid;

/// A device, as far as the decision about who may pass needs it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) id: DeviceId,
    pub(crate) timezone: String,
    pub(crate) door_decision: String,
    pub(crate) online: bool,
    /// When its last session ended; null where it never had one.
    pub(crate) disconnected_at: Option<DateTime<Utc>>,
}

/// The device of an id, or else of a serial number. No connection to the database is held while Redis
/// is asked.
pub(crate) async fn standing(
    directory: &Directory,
    scope: &TenantScope,
    named: &str,
) -> Result<Option<Standing>, DbError> {
    let row = {
        let tx = directory.kit.db.tenant(scope).await?;
        match named.parse::<DeviceId>() {
            Ok(id) => store::read(&tx, id).await?,
            Err(_) => store::by_sn(&tx, named).await?,
        }
    };
    let rows = row.into_iter().collect();
    let seen = presence::of(&directory.kit.cache, scope.tenant(), rows).await;
    Ok(seen.into_iter().next().map(|(row, online)| Standing {
        id: DeviceId::from_uuid(row.id),
        timezone: row.timezone,
        door_decision: row.door_decision,
        online,
        disconnected_at: row.disconnected_at,
    }))
}

/// How many of the devices are not there at the moment.
pub(crate) async fn offline(
    directory: &Directory,
    scope: &TenantScope,
    devices: Vec<Uuid>,
) -> Result<usize, DbError> {
    let rows = {
        let tx = directory.kit.db.tenant(scope).await?;
        store::of(&tx, devices).await?
    };
    let seen = presence::of(&directory.kit.cache, scope.tenant(), rows).await;
    Ok(seen.iter().filter(|(_, online)| !online).count())
}
