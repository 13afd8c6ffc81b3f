//! What other services changed.

use super::store;
use async_trait::async_trait;
use gatehouse_contracts::{AuditRecorded, RawEnvelope};
use gatehouse_platform::bus::{HandleError, Handler};
use gatehouse_platform::db::TenantTx;

/// Enters what other services changed into the trail.
#[derive(Debug)]
pub(crate) struct KeepTrail;

#[async_trait]
impl Handler for KeepTrail {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let recorded = message.read::<AuditRecorded>()?.data;
        store::enter_recorded(tx, recorded).await?;
        Ok(())
    }
}
