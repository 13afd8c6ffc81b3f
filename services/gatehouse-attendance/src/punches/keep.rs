//! What happens with `record.stored.v1`: the records that count are kept, each once.

use super::store;
use async_trait::async_trait;
use gatehouse_contracts::{RawEnvelope, RecordsStored, StoredRecord};
use gatehouse_domain::record::{RecordResult, RecordType};
use gatehouse_platform::bus::{HandleError, Handler};
use gatehouse_platform::db::TenantTx;

/// Keeps the punches among stored records.
#[derive(Debug)]
pub(crate) struct KeepPunches;

#[async_trait]
impl Handler for KeepPunches {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let mut records = message.read::<RecordsStored>()?.data.records;
        records.retain(is_punch);
        if !records.is_empty() {
            store::insert(tx, records).await?;
        }
        Ok(())
    }
}

/// Whether a record counts: somebody of the house or a guest, recognised and let in. Guests count
/// because a guest of today may be told to be staff tomorrow; nothing is settled for them.
fn is_punch(record: &StoredRecord) -> bool {
    let known = match record.record_type {
        RecordType::Staff | RecordType::Visitor => true,
        RecordType::Blocklist | RecordType::Stranger => false,
    };
    let let_in = match record.result {
        RecordResult::Passed => true,
        RecordResult::Failed
        | RecordResult::OutsideSchedule
        | RecordResult::Expired
        | RecordResult::Unauthorized => false,
    };
    known && let_in
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use gatehouse_domain::record::{Passage, Verification};
    use gatehouse_domain::{DeviceId, RecordId};
    use uuid::Uuid;

    fn record(record_type: RecordType, result: RecordResult) -> StoredRecord {
        StoredRecord {
            record_id: RecordId::from_uuid(Uuid::from_u128(1)),
            device_id: DeviceId::from_uuid(Uuid::from_u128(2)),
            person_id: None,
            person_number: "7".into(),
            passed_at: DateTime::UNIX_EPOCH,
            received_at: DateTime::UNIX_EPOCH,
            record_type,
            result,
            verification: Verification::Face,
            passage: Passage::In,
        }
    }

    #[test]
    fn only_known_people_who_were_let_in_count() {
        for record_type in RecordType::ALL {
            for result in RecordResult::ALL {
                let known = matches!(record_type, RecordType::Staff | RecordType::Visitor);
                let expected = known && *result == RecordResult::Passed;
                assert_eq!(
                    is_punch(&record(*record_type, *result)),
                    expected,
                    "{record_type} {result}"
                );
            }
        }
    }
}
