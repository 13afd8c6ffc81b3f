//! The events, each with its version.

use crate::Event;
use chrono::{DateTime, Utc};
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::record::{Passage, RecordResult, RecordType, Verification};
use gatehouse_domain::{AuditEntryId, CommandId, DeviceId, PersonId, RecordId, TerminalTokenId};
use serde::{Deserialize, Serialize};

/// Records were stored, all of one tenant, in one transaction. One message for many records keeps
/// the cost per record small under load; a reader stores per record id, so a repeat is harmless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordsStored {
    /// At least one.
    pub records: Vec<StoredRecord>,
}
impl Event for RecordsStored {
    const KIND: &'static str = "record.stored.v1";
}

/// What other services need to know of a record. No names and no pictures: who needs them reads
/// the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredRecord {
    /// The record.
    pub record_id: RecordId,
    /// The terminal that saw it.
    pub device_id: DeviceId,
    /// The person, where known to the platform.
    pub person_id: Option<PersonId>,
    /// The person's number as the terminal told it; empty for strangers.
    pub person_number: String,
    /// When the person passed, corrected by what is known of the terminal's clock.
    pub passed_at: DateTime<Utc>,
    /// When the record was received.
    pub received_at: DateTime<Utc>,
    /// Who the terminal took the person for.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// What the terminal decided.
    pub result: RecordResult,
    /// By what.
    pub verification: Verification,
    /// Which way.
    pub passage: Passage,
}

/// What happened to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChange {
    /// It was created or claimed.
    Created,
    /// A setting changed.
    Updated,
    /// It was removed.
    Deleted,
}

/// A device was created, changed or removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceChanged {
    /// The device.
    pub device_id: DeviceId,
    /// Its serial number.
    pub sn: String,
    /// What happened.
    pub change: DeviceChange,
}
impl Event for DeviceChanged {
    const KIND: &'static str = "device.changed.v1";
}

/// A terminal token was created, or revoked: sessions that came in with a revoked one end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TerminalTokenChanged {
    /// The token.
    pub terminal_token_id: TerminalTokenId,
    /// Whether it still admits terminals.
    pub revoked: bool,
}
impl Event for TerminalTokenChanged {
    const KIND: &'static str = "terminal_token.changed.v1";
}

/// A command reached a final state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandFinished {
    /// The command.
    pub command_id: CommandId,
    /// The device it was for.
    pub device_id: DeviceId,
    /// What was asked.
    #[serde(rename = "type")]
    pub command_type: CommandType,
    /// How it ended.
    pub state: CommandState,
}
impl Event for CommandFinished {
    const KIND: &'static str = "command.finished.v1";
}

/// Somebody changed something outside the directory; the directory keeps the trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecorded {
    /// The entry's id, drawn where the change was made.
    pub audit_entry_id: AuditEntryId,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, `api_key`, `operator`, `terminal` or `system`.
    pub actor_kind: String,
    /// The actor's id where it has one.
    pub actor_id: Option<String>,
    /// What was done, for example `command.created`.
    pub action: String,
    /// The kind of thing it was done to, for example `device`.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// What changed, without secrets, names or pictures.
    pub detail: serde_json::Value,
    /// The request in which it happened.
    pub request_id: Option<String>,
}
impl Event for AuditRecorded {
    const KIND: &'static str = "audit.recorded.v1";
}
