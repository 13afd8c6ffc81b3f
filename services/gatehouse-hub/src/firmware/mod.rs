//! Firmware files: uploaded once, fetched by terminals at a signed link that is made when the
//! command is sent.
//!
//! Deliberately absent: what is in a file, and starting it (`commands`). A file is held in memory
//! while it is received, so its size is bounded by the hub's settings.

mod api;
mod store;

pub(crate) use api::routes;

use crate::hub::Hub;
use chrono::Utc;
use gatehouse_domain::FirmwareId;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::tenant::TenantScope;
use gatehouse_proto_terminal::UpdateType;
use std::time::Duration;

/// How long a terminal may take to begin fetching a file.
const LINK_VALID: Duration = Duration::from_secs(6 * 60 * 60);

/// Where a terminal finds a file.
#[derive(Debug)]
pub(crate) struct Source {
    /// What the file replaces.
    pub(crate) update_type: UpdateType,
    /// A signed link.
    pub(crate) url: String,
    /// In bytes.
    pub(crate) length: u64,
}

/// Whether there is such a file.
///
/// # Errors
/// The database's.
pub(crate) async fn exists(tx: &TenantTx, firmware: FirmwareId) -> Result<bool, DbError> {
    Ok(store::find(tx, firmware).await?.is_some())
}

/// A fresh link to an uploaded file; `None` where it is not there (any more).
///
/// # Errors
/// The database's.
pub(crate) async fn source(
    hub: &Hub,
    scope: &TenantScope,
    firmware: FirmwareId,
) -> Result<Option<Source>, DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let Some(row) = store::find(&tx, firmware).await? else {
        return Ok(None);
    };
    let update_type = row
        .update_type
        .parse()
        .map_err(|e| crate::commands::unknown_word(&e))?;
    let url =
        hub.kit
            .secrets
            .media_url(&hub.kit.public_url, &row.object_key, Utc::now(), LINK_VALID);
    Ok(Some(Source {
        update_type,
        url,
        length: u64::try_from(row.size_bytes).unwrap_or_default(),
    }))
}
