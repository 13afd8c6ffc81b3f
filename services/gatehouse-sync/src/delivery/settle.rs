//! What happens when terminals have answered: one story, from the hub's answers to the next offers.
//! Repeats and late answers are harmless: an offer is settled once.

use super::fate::{Fate, judge};
use super::settle_store::{self, Answered, Settled};
use crate::sync::Sync;
use async_trait::async_trait;
use gatehouse_contracts::{
    DeliveriesAnswered, DeliveryAnswer, DeliveryOutcome, Event, RawEnvelope, RegisterLost,
};
use gatehouse_domain::DeviceId;
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{DbError, TenantTx};
use std::sync::Arc;

/// Reads answers.
pub(super) fn consumer(sync: &Arc<Sync>) -> Consumer {
    Consumer {
        queue: "sync.deliveries",
        kinds: &[DeliveriesAnswered::KIND, RegisterLost::KIND],
        handler: Arc::new(Deliveries { sync: sync.clone() }),
    }
}

struct Deliveries {
    sync: Arc<Sync>,
}

#[async_trait]
impl Handler for Deliveries {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let device_id = if message.kind == RegisterLost::KIND {
            let device_id = message.read::<RegisterLost>()?.data.device_id;
            lost(tx, device_id).await?;
            device_id
        } else {
            let event = message.read::<DeliveriesAnswered>()?.data;
            settle(tx, event.device_id, &event.answers).await?;
            event.device_id
        };
        // What is offered next builds on this transaction: whoever offers waits for its end.
        self.sync.refills.push(tx.scope().clone(), device_id);
        Ok(())
    }
}

/// Settles the answers of one device.
///
/// # Errors
/// The database's.
pub(super) async fn settle(
    tx: &TenantTx,
    device: DeviceId,
    answers: &[DeliveryAnswer],
) -> Result<(), DbError> {
    let refused = refused_removals(answers);
    let answers: Vec<Answered> = answers.iter().filter_map(read).collect();
    // 1. Nobody offers or settles for this device meanwhile.
    settle_store::hold(tx, device).await?;
    // 2. Those who were taken away, and stay away: their rows go. A place is free for each, and who
    //    reads the register at this moment is told.
    let takes_away = answers
        .iter()
        .any(|answer| answer.fate == Fate::Done.as_str() && answer.content.is_empty());
    if takes_away {
        settle_store::lock(tx, device, &answers).await?;
        let removed = settle_store::drop_removed(tx, device, &answers).await?;
        let places = i64::try_from(removed.len()).unwrap_or(i64::MAX);
        if places > 0 {
            measure(removed.iter().map(|(_, settled)| settled));
            let numbers = removed.into_iter().map(|(number, _)| number).collect();
            settle_store::fill_places(tx, device, places).await?;
            settle_store::note_removed(tx, device, numbers).await?;
        }
    }
    // 3. Everything else, by what is desired now.
    let settled = settle_store::settle(tx, device, &answers).await?;
    measure(settled.iter());
    // 4. Who is refused to be taken away again and again is not there perhaps: the register is read.
    if !refused.is_empty() {
        settle_store::ask_for_register(tx, device, refused).await?;
    }
    Ok(())
}

/// Numbers whose removal the device refused.
fn refused_removals(answers: &[DeliveryAnswer]) -> Vec<String> {
    answers
        .iter()
        .filter(|answer| {
            answer.content.is_none() && matches!(answer.outcome, DeliveryOutcome::Refused { .. })
        })
        .map(|answer| answer.number.clone())
        .collect()
}

/// The device says that it holds nothing.
///
/// # Errors
/// The database's.
pub(super) async fn lost(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    settle_store::hold(tx, device).await?;
    let rows = settle_store::forget_register(tx, device).await?;
    tracing::info!(%device, rows, "a device has lost its register; it is told everything again");
    Ok(())
}

fn read(answer: &DeliveryAnswer) -> Option<Answered> {
    let DeliveryAnswer {
        offer,
        number,
        content,
        at,
        outcome,
    } = answer;
    let content = content.clone().unwrap_or_default();
    // Made by the hub from a column of ours: anything else is a fault, and settles nothing.
    if hex::decode(&content).is_err() {
        tracing::error!(%offer, "an answer carries a hash that is none");
        return None;
    }
    count(outcome);
    let judged = judge(outcome, is_removal(outcome, &content));
    Some(Answered {
        offer: *offer,
        number: number.clone(),
        content,
        at: *at,
        fate: judged.fate.as_str(),
        code: judged.code,
        message: judged.message,
    })
}

/// Whether somebody was to be taken away. What was not sent may carry no hash either way; it is
/// judged as an addition, and the row knows better.
fn is_removal(outcome: &DeliveryOutcome, content: &str) -> bool {
    match outcome {
        DeliveryOutcome::Applied
        | DeliveryOutcome::Refused { .. }
        | DeliveryOutcome::Unanswered => content.is_empty(),
        DeliveryOutcome::NotSent { .. } => false,
    }
}

fn measure<'a>(settled: impl Iterator<Item = &'a Settled>) {
    for one in settled {
        if one.fate == Fate::Done.as_str() {
            metrics::histogram!("gatehouse_sync_delivery_seconds").record(one.took_s);
        }
    }
}

fn count(outcome: &DeliveryOutcome) {
    let outcome = match outcome {
        DeliveryOutcome::Applied => "applied",
        DeliveryOutcome::Refused { .. } => "refused",
        DeliveryOutcome::Unanswered => "unanswered",
        DeliveryOutcome::NotSent { .. } => "not_sent",
    };
    metrics::counter!("gatehouse_sync_answers_total", "outcome" => outcome).increment(1);
}
