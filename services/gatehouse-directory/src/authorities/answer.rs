//! The answer to a change of an authority: the authority, or what the change would do. Doors and
//! schedules answer in the same way.

use super::change::Change;
use super::effect::Effect;
use super::preview;
use super::view::Authority;
use crate::devices;
use crate::directory::Directory;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::Answer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Whether to look before leaping.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DryRun {
    /// Says what the change would do, and saves nothing.
    #[serde(default)]
    #[param(required = false)]
    pub(crate) dry_run: bool,
}

/// The authority, or with `dry_run` what the change would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Changed {
    /// It is saved.
    Authority(Authority),
    /// Nothing is saved.
    Effect(Effect),
}

/// Makes the change, looks what it does, and takes it back.
pub(super) async fn foresee(
    directory: &Directory,
    tx: TenantTx,
    change: &Change,
    request_id: &str,
) -> Answer<Effect> {
    let devices = change.devices(&tx).await?;
    preview::begin(&tx, &devices).await?;
    change.apply(&tx, request_id).await?;
    effect(directory, tx, &devices).await
}

/// What was done on the devices since [`preview::begin`]; and it is taken back.
///
/// # Errors
/// The database's.
pub(crate) async fn effect(
    directory: &Directory,
    tx: TenantTx,
    devices: &[Uuid],
) -> Answer<Effect> {
    let rows = preview::compare(&tx, devices).await?;
    let scope = tx.scope().clone();
    // Not committed: nothing of it remains.
    drop(tx);
    let touched = rows.iter().map(|row| row.device_id).collect();
    let offline = devices::offline(directory, &scope, touched).await?;
    Ok(Effect::new(&rows, offline))
}
