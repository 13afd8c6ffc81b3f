//! `syresult` (document 002, 9.4): what came of the feed. It is the proof that the device holds, or
//! holds no more, what the feed listed last.

use super::call::Refusal;
use super::callers::Caller;
use super::store::{self, Listed};
use crate::hub::Hub;
use chrono::{DateTime, Utc};
use gatehouse_contracts::{DeliveriesAnswered, DeliveryAnswer, DeliveryOutcome};
use gatehouse_platform::db::HUB;
use gatehouse_platform::outbox;
use gatehouse_proto_device::push::{Operation, ResultLine, Verdict, encode_plain, read_results};
use std::collections::BTreeMap;

/// Most results that are looked at.
const RESULTS_AT_MOST: usize = 500;

/// The answer to some results.
pub(super) async fn answer(hub: &Hub, caller: &Caller, body: &[u8]) -> Result<String, Refusal> {
    // 1. What the device says; of two results of one person the later counts.
    let results = read_results(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    let results: BTreeMap<String, ResultLine> = results
        .into_iter()
        .take(RESULTS_AT_MOST)
        .map(|line| (line.user_id.clone(), line))
        .collect();

    // 2. What the feed had listed; a result of anybody else proves nothing.
    let at = Utc::now();
    let numbers: Vec<String> = results.keys().cloned().collect();
    let tx = hub.kit.db.tenant(&caller.scope).await?;
    let listed = store::answered(&tx, caller.device, numbers, at).await?;
    let unknown = results.len().saturating_sub(listed.len());
    if unknown > 0 {
        tracing::debug!(device = %caller.device, unknown, "results of persons that were not listed");
        metrics::counter!("gatehouse_push_results_ignored_total")
            .increment(u64::try_from(unknown).unwrap_or_default());
    }

    // 3. Told to sync in the same transaction, then to the device.
    let answers: Vec<DeliveryAnswer> = listed
        .iter()
        .filter_map(|listed| Some(settled(listed, results.get(&listed.number)?, at)))
        .collect();
    if !answers.is_empty() {
        let event = DeliveriesAnswered {
            device_id: caller.device,
            answers,
        };
        outbox::publish(&tx, HUB, event).await?;
    }
    tx.commit().await?;
    Ok(encode_plain(Verdict::Success))
}

fn settled(listed: &Listed, result: &ResultLine, at: DateTime<Utc>) -> DeliveryAnswer {
    let outcome = outcome(listed, result);
    metrics::counter!("gatehouse_push_results_total", "outcome" => match &outcome {
        DeliveryOutcome::Applied => "applied",
        DeliveryOutcome::Refused { .. } => "refused",
        DeliveryOutcome::Unanswered | DeliveryOutcome::NotSent { .. } => "unclear",
    })
    .increment(1);
    DeliveryAnswer {
        offer: listed.offer,
        number: listed.number.clone(),
        content: listed.content.as_ref().map(hex::encode),
        at,
        outcome,
    }
}

/// A result of the other operation than the one that was listed is to an older listing: what the
/// device holds is not known.
fn outcome(listed: &Listed, result: &ResultLine) -> DeliveryOutcome {
    let meant = match listed.content {
        Some(_) => Operation::Save,
        None => Operation::Delete,
    };
    if result.operation.is_some_and(|operation| operation != meant) {
        DeliveryOutcome::Unanswered
    } else if result.is_success() {
        DeliveryOutcome::Applied
    } else {
        DeliveryOutcome::Refused {
            code: result.status.chars().take(16).collect(),
            message: result.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn result(status: &str, operation: Option<Operation>) -> ResultLine {
        ResultLine {
            user_id: "7".to_owned(),
            status: status.to_owned(),
            message: "words".to_owned(),
            operation,
        }
    }

    fn listed(content: Option<Vec<u8>>) -> Listed {
        Listed {
            number: "7".to_owned(),
            offer: Uuid::from_u128(1),
            content,
        }
    }

    #[test]
    fn only_a_hundred_is_a_proof_and_only_of_what_was_listed() {
        let held = listed(Some(vec![1]));
        let gone = listed(None);
        assert_eq!(
            outcome(&held, &result("100", None)),
            DeliveryOutcome::Applied
        );
        assert_eq!(
            outcome(&gone, &result("100", Some(Operation::Delete))),
            DeliveryOutcome::Applied
        );
        assert_eq!(
            outcome(&gone, &result("100", Some(Operation::Save))),
            DeliveryOutcome::Unanswered
        );
        assert_eq!(
            outcome(&held, &result("303", Some(Operation::Save))),
            DeliveryOutcome::Refused {
                code: "303".to_owned(),
                message: "words".to_owned()
            }
        );
        assert!(matches!(
            outcome(&held, &result("", None)),
            DeliveryOutcome::Refused { .. }
        ));
    }
}
