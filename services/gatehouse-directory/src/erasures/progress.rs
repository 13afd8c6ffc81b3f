//! What other services say about an erased person: noted on the receipt.

use super::store::{self, Place};
use async_trait::async_trait;
use gatehouse_contracts::{ErasureProgressed, RawEnvelope};
use gatehouse_platform::bus::{HandleError, Handler};
use gatehouse_platform::db::TenantTx;
use uuid::Uuid;

/// Notes on receipts what places confirm.
#[derive(Debug)]
pub(crate) struct Progress;

#[async_trait]
impl Handler for Progress {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let ErasureProgressed {
            erasure_id,
            place,
            device_id,
            done,
            detail,
        } = message.read::<ErasureProgressed>()?.data;
        // The receipt of another installation's copy of the queue would be nobody's.
        if store::read(tx, erasure_id).await?.is_none() {
            return Ok(());
        }
        let place = Place {
            place,
            device: device_id.map_or(Uuid::nil(), |id| id.uuid()),
            done,
            detail,
        };
        store::insert_places(tx, erasure_id, &[place]).await?;
        Ok(())
    }
}
