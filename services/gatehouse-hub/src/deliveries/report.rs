//! What terminals answered, told to sync: answers of many terminals and tenants by one transaction.
//! Only what a terminal said, or that it said nothing in time, or why nothing was sent to it.
//!
//! An answer that is lost on the way (the process dies) is no harm: sync offers again what it does
//! not hear of.

use super::offer::{Fault, Offer};
use chrono::Utc;
use gatehouse_contracts::{DeliveriesAnswered, DeliveryAnswer, DeliveryOutcome};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{Database, DbError, HUB};
use gatehouse_platform::outbox;
use gatehouse_proto_terminal::session::Outcome;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long an answer waits for others that share its transaction.
const TOGETHER: Duration = Duration::from_millis(15);
/// Most answers of one transaction.
const BATCH: usize = 1_000;
/// After a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the last answers may take when the process stops.
const LAST_WITHIN: Duration = Duration::from_secs(3);

/// One answer, and whose.
#[derive(Debug, Clone)]
struct Report {
    tenant: TenantId,
    device: DeviceId,
    answer: DeliveryAnswer,
}

/// The way to sync.
#[derive(Debug)]
pub(crate) struct Reports {
    /// Unbounded, and yet bounded: a terminal answers what was offered to it, and sync offers
    /// nothing more to it before it has heard.
    waiting: mpsc::UnboundedSender<Report>,
    queue: Mutex<Option<mpsc::UnboundedReceiver<Report>>>,
}

/// What came of an offer, in the words of the contract; none where the session ended first: sync
/// offers it to the next session.
pub(crate) fn outcome_of(outcome: &Outcome) -> Option<DeliveryOutcome> {
    match outcome {
        Outcome::Succeeded(_) => Some(DeliveryOutcome::Applied),
        Outcome::Failed { code, message } => Some(DeliveryOutcome::Refused {
            code: code.as_str().to_owned(),
            message: match message.trim() {
                "" => code.meaning().to_owned(),
                words => words.to_owned(),
            },
        }),
        Outcome::TimedOut | Outcome::Unproven { .. } | Outcome::Cancelled => {
            Some(DeliveryOutcome::Unanswered)
        }
        Outcome::Lost => None,
    }
}

/// Why an offer was not sent, in the words of the contract.
pub(crate) fn not_sent(fault: Fault) -> DeliveryOutcome {
    DeliveryOutcome::NotSent {
        code: fault.code.to_owned(),
        message: fault.message.to_owned(),
    }
}

impl Reports {
    /// Nothing is told until [`Reports::run`] runs.
    pub(crate) fn new() -> Self {
        let (waiting, queue) = mpsc::unbounded_channel();
        Self {
            waiting,
            queue: Mutex::new(Some(queue)),
        }
    }

    /// Something came of an offer to a device.
    pub(crate) fn tell(
        &self,
        tenant: TenantId,
        device: DeviceId,
        offer: &Offer,
        outcome: DeliveryOutcome,
    ) {
        metrics::counter!("gatehouse_deliveries_total", "outcome" => word(&outcome)).increment(1);
        let report = Report {
            tenant,
            device,
            answer: DeliveryAnswer {
                offer: offer.id,
                number: offer.number.clone(),
                content: offer.content().map(hex::encode),
                at: Utc::now(),
                outcome,
            },
        };
        // Where the task has ended the process ends, and sync offers again.
        let _: Result<(), _> = self.waiting.send(report);
    }

    /// The task that tells. After `cancel` it tells what it has, for a few seconds.
    pub(crate) async fn run(&self, db: Database, cancel: CancellationToken) {
        let taken = self.queue.lock().ok().and_then(|mut queue| queue.take());
        let Some(mut queue) = taken else {
            return;
        };
        let mut batch = Vec::new();
        while let Some(count) = cancel
            .run_until_cancelled(queue.recv_many(&mut batch, BATCH))
            .await
        {
            if count == 0 {
                break;
            }
            cancel
                .run_until_cancelled(tokio::time::sleep(TOGETHER))
                .await;
            take_more(&mut queue, &mut batch);
            if cancel
                .run_until_cancelled(publish_all(&db, &batch))
                .await
                .is_some()
            {
                batch.clear();
            }
        }
        queue.close();
        let last = async {
            loop {
                take_more(&mut queue, &mut batch);
                if batch.is_empty() {
                    break;
                }
                publish_all(&db, &batch).await;
                batch.clear();
            }
        };
        if tokio::time::timeout(LAST_WITHIN, last).await.is_err() {
            tracing::warn!(
                answers = batch.len(),
                "answers of terminals are not told; sync offers them again"
            );
        }
    }
}

fn take_more(queue: &mut mpsc::UnboundedReceiver<Report>, batch: &mut Vec<Report>) {
    while batch.len() < BATCH
        && let Ok(report) = queue.try_recv()
    {
        batch.push(report);
    }
}

/// Tells a batch, however long the database is away. Twice is harmless: an offer is settled once.
async fn publish_all(db: &Database, batch: &[Report]) {
    let mut said = false;
    loop {
        match publish(db, batch).await {
            Ok(()) => return,
            Err(error) if error.is_transient() => {
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(%error, answers = batch.len(), "answers of terminals cannot be told at the moment");
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, answers = batch.len(), "answers of terminals cannot be told; sync offers them again");
                return;
            }
        }
    }
}

async fn publish(db: &Database, batch: &[Report]) -> Result<(), DbError> {
    let tx = db.system().await?;
    outbox::publish_all_as_system(&tx, HUB, by_device(batch)).await?;
    tx.commit().await
}

/// One event per device, answers in their order.
fn by_device(batch: &[Report]) -> Vec<(TenantId, DeliveriesAnswered)> {
    let mut devices: BTreeMap<(TenantId, DeviceId), Vec<DeliveryAnswer>> = BTreeMap::new();
    for report in batch {
        devices
            .entry((report.tenant, report.device))
            .or_default()
            .push(report.answer.clone());
    }
    devices
        .into_iter()
        .map(|((tenant, device_id), answers)| (tenant, DeliveriesAnswered { device_id, answers }))
        .collect()
}

const fn word(outcome: &DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Applied => "applied",
        DeliveryOutcome::Refused { .. } => "refused",
        DeliveryOutcome::Unanswered => "unanswered",
        DeliveryOutcome::NotSent { .. } => "not_sent",
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::deliveries::offer::What;
    use gatehouse_proto_terminal::{AnswerBody, ErrorCode};
    use uuid::Uuid;

    #[test]
    fn outcomes_say_what_the_terminal_said_and_no_more() {
        let failed = |code: &str, message: &str| Outcome::Failed {
            code: ErrorCode::from(code),
            message: message.to_owned(),
        };
        assert_eq!(
            outcome_of(&Outcome::Succeeded(AnswerBody::None)),
            Some(DeliveryOutcome::Applied)
        );
        assert_eq!(
            outcome_of(&failed("302", "人脸库已满")),
            Some(DeliveryOutcome::Refused {
                code: "302".into(),
                message: "人脸库已满".into()
            })
        );
        let Some(DeliveryOutcome::Refused { message, .. }) = outcome_of(&failed("301", " ")) else {
            panic!("no refusal")
        };
        assert_eq!(message, ErrorCode::NoFaceFeatures.meaning());
        assert_eq!(
            outcome_of(&Outcome::TimedOut),
            Some(DeliveryOutcome::Unanswered)
        );
        assert_eq!(outcome_of(&Outcome::Lost), None);
    }

    #[tokio::test]
    async fn answers_are_gathered_by_device_in_their_order() {
        let reports = Reports::new();
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let device = |number| DeviceId::from_uuid(Uuid::from_u128(number));
        for (number, of) in [(1, 1), (2, 2), (3, 1)] {
            let offer = Offer {
                id: Uuid::from_u128(number),
                number: number.to_string(),
                what: What::Removal,
            };
            reports.tell(tenant, device(of), &offer, DeliveryOutcome::Applied);
        }
        let mut queue = reports.queue.lock().unwrap().take().unwrap();
        let mut batch = Vec::new();
        take_more(&mut queue, &mut batch);
        let events = by_device(&batch);
        assert_eq!(events.len(), 2);
        let numbers: Vec<&str> = events[0]
            .1
            .answers
            .iter()
            .map(|answer| answer.number.as_str())
            .collect();
        assert_eq!(numbers, ["1", "3"]);
        assert_eq!(events[0].1.answers[0].content, None);
    }
}
