//! A read-back from step to step: the terminal counts, and where that is not enough or not what was
//! expected it tells everybody; then what it told is compared and mended.

use super::compare::{self, Compared};
use super::store::{self, CommandRow, Outcome, Row};
use crate::delivery;
use crate::sync::Sync;
use async_trait::async_trait;
use gatehouse_contracts::{CommandFinished, Event, RawEnvelope};
use gatehouse_domain::DeviceId;
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{DbError, TenantTx};
use serde_json::json;
use std::sync::Arc;

/// Reads how commands ended.
pub(super) fn consumer(sync: &Arc<Sync>) -> Consumer {
    Consumer {
        queue: "sync.readbacks",
        kinds: &[CommandFinished::KIND],
        handler: Arc::new(Commands { sync: sync.clone() }),
    }
}

struct Commands {
    sync: Arc<Sync>,
}

#[async_trait]
impl Handler for Commands {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let event = message.read::<CommandFinished>()?.data;
        if !reads_register(event.command_type) {
            return Ok(());
        }
        if go_on(tx, &event).await? {
            self.sync.refills.push(tx.scope().clone(), event.device_id);
        }
        Ok(())
    }
}

const fn reads_register(kind: CommandType) -> bool {
    match kind {
        CommandType::CountPersons | CommandType::ListPersons => true,
        CommandType::OpenDoor
        | CommandType::Reboot
        | CommandType::CapturePhoto
        | CommandType::GetParameters
        | CommandType::SetParameters
        | CommandType::UpgradeFirmware
        | CommandType::ClearRecords
        | CommandType::ReadPerson => false,
    }
}

/// The next step of the read-back that waits for this command; whether assignments changed.
///
/// # Errors
/// The database's.
pub(super) async fn go_on(tx: &TenantTx, event: &CommandFinished) -> Result<bool, DbError> {
    let Some(readback) = store::awaiting(tx, event.device_id, event.command_id).await? else {
        return Ok(false);
    };
    let command = store::command_row(tx, event.command_id).await?;
    if event.state != CommandState::Succeeded {
        store::fail(tx, &readback, &why(event.state, &command)).await?;
        return Ok(false);
    }
    if event.command_type == CommandType::CountPersons {
        counted(tx, &readback, &command).await?;
        return Ok(false);
    }
    let kept = store::kept(tx, event.command_id).await?;
    if command.count() != Some(kept) {
        // Whom a list with holes does not name may be there all the same.
        store::fail(tx, &readback, &with_holes(command.count(), kept)).await?;
        return Ok(false);
    }
    read(tx, &readback, event, &command).await?;
    Ok(true)
}

fn with_holes(told: Option<i64>, kept: i64) -> String {
    let told = told.map_or_else(
        || "an unknown number of".to_owned(),
        |told| told.to_string(),
    );
    format!(
        "The terminal told {told} persons, and {kept} of them arrived. Nothing was changed; ask again."
    )
}

fn why(state: CommandState, command: &CommandRow) -> String {
    let what = match state {
        CommandState::Expired => "The terminal did not come within an hour; it was not asked.",
        CommandState::Undeliverable => "There is no terminal to ask.",
        CommandState::TimedOut => "The terminal fell silent before it had told everything.",
        CommandState::Failed
        | CommandState::Queued
        | CommandState::Sent
        | CommandState::Succeeded => "The terminal did not tell what it holds.",
    };
    let again = "Nothing was changed; ask again when it is online.";
    match command.error_detail.as_deref() {
        Some(detail) if state == CommandState::Failed => format!("{what} {detail} {again}"),
        Some(_) | None => format!("{what} {again}"),
    }
}

/// The terminal told how many it holds.
async fn counted(tx: &TenantTx, readback: &Row, command: &CommandRow) -> Result<(), DbError> {
    let device = DeviceId::from_uuid(readback.device_id);
    let Some(counted) = command.count() else {
        return store::fail(
            tx,
            readback,
            "The terminal did not tell how many it holds. Nothing was changed; ask again.",
        )
        .await;
    };
    let (expected, at_least, at_most) = store::expected(tx, device).await?;
    if readback.full_read || counted < at_least || counted > at_most {
        return store::read_all(tx, readback, counted, expected).await;
    }
    let outcome = Outcome {
        counted,
        expected,
        findings: json!([]),
        ..Outcome::default()
    };
    store::succeed(tx, readback, outcome).await
}

/// The terminal told everybody it holds.
async fn read(
    tx: &TenantTx,
    readback: &Row,
    event: &CommandFinished,
    command: &CommandRow,
) -> Result<(), DbError> {
    // Nobody settles or offers for this device until what it told is judged.
    delivery::hold(tx, event.device_id).await?;
    let began_at = command.sent_at.unwrap_or(readback.asked_at);
    let compared = compare::compare(tx, readback, event.command_id, began_at).await?;
    let Compared {
        told,
        missing,
        surplus,
        differing,
        findings,
    } = compared;
    let outcome = Outcome {
        counted: told,
        expected: readback.expected.unwrap_or_default(),
        missing,
        surplus,
        differing,
        findings,
    };
    tracing::info!(device = %event.device_id, told, missing, surplus, differing, "a terminal's register was read back");
    for (kind, count) in [
        ("missing", missing),
        ("surplus", surplus),
        ("differing", differing),
    ] {
        metrics::counter!("gatehouse_sync_readback_findings_total", "kind" => kind)
            .increment(u64::try_from(count).unwrap_or(0));
    }
    store::note_full(tx, event.device_id).await?;
    store::succeed(tx, readback, outcome).await
}
