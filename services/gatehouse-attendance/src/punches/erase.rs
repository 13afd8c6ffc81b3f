//! What happens with `person.erased.v1`: the person's punches go, or lose whose they are, and the
//! receipt hears of it.

use super::store;
use async_trait::async_trait;
use gatehouse_contracts::{ErasureProgressed, PersonErased, RawEnvelope, RecordsFate};
use gatehouse_platform::bus::{HandleError, Handler};
use gatehouse_platform::db::{ATTENDANCE, TenantTx};
use gatehouse_platform::outbox;

/// Erases the punches of a person.
#[derive(Debug)]
pub(crate) struct ErasePunches;

#[async_trait]
impl Handler for ErasePunches {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let PersonErased {
            erasure_id,
            person_id,
            person_number,
            records,
        } = message.read::<PersonErased>()?.data;
        let detail = match records {
            RecordsFate::Delete => {
                let count = store::delete(tx, person_id, &person_number).await?;
                format!("{count} punches were deleted.")
            }
            // Days stay countable: all punches of one person bear the same pseudonym, which leads
            // nowhere but to the receipt.
            RecordsFate::Pseudonymise => {
                let pseudonym = erasure_id.to_string();
                let count = store::rename(tx, person_id, &person_number, &pseudonym).await?;
                format!("{count} punches stay without the person.")
            }
        };
        let progressed = ErasureProgressed {
            erasure_id,
            place: "punches".to_owned(),
            device_id: None,
            done: true,
            detail,
        };
        outbox::publish(tx, ATTENDANCE, progressed).await?;
        Ok(())
    }
}
