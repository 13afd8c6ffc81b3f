//! Ends the commands that nobody ends any more: those that waited too long, and those that were
//! sent by a process or a session that is gone. It takes no input; every process may run it, also
//! at the same time.

use crate::commands::store::{self, Patience};
use crate::commands::view::unknown_word;
use crate::commands::words::Reason;
use crate::hub::Hub;
use gatehouse_contracts::{CommandFinished, Wake};
use gatehouse_domain::command::CommandType;
use gatehouse_domain::{CommandId, DeviceId, TenantId};
use gatehouse_platform::db::{DbError, HUB, SystemTx};
use gatehouse_platform::outbox;
use gatehouse_platform::service::Schedule;
use gatehouse_schema::entities::hub::commands;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(2);
/// Most rows of one transaction.
const BATCH: i64 = 200;
/// What a session that has just ended may still need to tell how its command ended.
const MARGIN_MS: i64 = 5_000;
/// A living session ends its commands itself; this much later it has failed to.
const LIVING_MARGIN_MS: i64 = 60_000;

/// The schedule.
pub(crate) fn schedule(hub: &Arc<Hub>) -> Schedule {
    let hub = Arc::clone(hub);
    Schedule::new("hub.commands.reconcile", EVERY, move || {
        let hub = Arc::clone(&hub);
        async move { run(&hub).await.map_err(|e| e.to_string()) }
    })
}

/// Goes on until nothing is left to end.
async fn run(hub: &Hub) -> Result<(), DbError> {
    loop {
        let tx = hub.kit.db.system().await?;
        let mut ended = store::expire(
            &tx,
            unwaiting(),
            (Reason::NotTaken.as_str(), Reason::NotTaken.sentence()),
            (Reason::Expired.as_str(), Reason::Expired.sentence()),
            BATCH,
        )
        .await?;
        let lost = (Reason::NoAnswer.as_str(), Reason::NoAnswer.sentence());
        ended.extend(store::time_out(&tx, &patience(), lost, BATCH).await?);
        if ended.is_empty() {
            return Ok(());
        }
        for row in &ended {
            tell(&tx, row).await?;
        }
        tx.commit().await?;
        for row in &ended {
            let command_id = CommandId::from_uuid(row.id);
            hub.waiters.ended_as(row);
            hub.kit.bus.wake(Wake::CommandFinished { command_id });
        }
        metrics::counter!("gatehouse_commands_reconciled_total")
            .increment(u64::try_from(ended.len()).unwrap_or_default());
    }
}

async fn tell(tx: &SystemTx, row: &commands::Model) -> Result<(), DbError> {
    let event = CommandFinished {
        command_id: CommandId::from_uuid(row.id),
        device_id: DeviceId::from_uuid(row.device_id),
        command_type: row.r#type.parse().map_err(|e| unknown_word(&e))?,
        state: row.state.parse().map_err(|e| unknown_word(&e))?,
    };
    outbox::publish_as_system(tx, HUB, TenantId::from_uuid(row.tenant_id), event).await?;
    Ok(())
}

/// The types that never wait for their terminal.
fn unwaiting() -> Vec<String> {
    let all = CommandType::ALL
        .iter()
        .filter(|kind| kind.time_to_live_s() == 0);
    all.map(|kind| kind.as_str().to_owned()).collect()
}

fn patience() -> Vec<Patience> {
    let all = CommandType::ALL.iter().map(|kind| Patience {
        kind: *kind,
        without_session_ms: kind.answer_within_ms().saturating_add(MARGIN_MS),
        at_most_ms: kind.answer_within_ms().saturating_add(LIVING_MARGIN_MS),
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_door_never_waits() {
        assert_eq!(unwaiting(), ["open_door"]);
    }

    #[test]
    fn a_living_session_is_given_longer() {
        assert_eq!(patience().len(), CommandType::ALL.len());
        for p in patience() {
            assert!(
                p.at_most_ms > p.without_session_ms
                    && p.without_session_ms > p.kind.answer_within_ms(),
                "{p:?}"
            );
        }
    }
}
