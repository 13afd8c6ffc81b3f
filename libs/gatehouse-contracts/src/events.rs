//! The events, each with its version.

use crate::Event;
use chrono::{DateTime, Utc};
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::record::{Passage, RecordResult, RecordType, Verification};
use gatehouse_domain::{
    AlarmId, AuditEntryId, CommandId, DeviceId, ErasureId, PersonId, RecordId, TerminalTokenId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// Terminals answered what they were told about persons, all of one device. Repeats are harmless:
/// an offer is settled once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveriesAnswered {
    /// The device.
    pub device_id: DeviceId,
    /// At least one.
    pub answers: Vec<DeliveryAnswer>,
}
impl Event for DeliveriesAnswered {
    const KIND: &'static str = "delivery.answered.v1";
}

/// What came of one offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryAnswer {
    /// The offer (`sync.assignments.offer`).
    pub offer: Uuid,
    /// The person's number on the terminal.
    pub number: String,
    /// Hash of what was sent (`sync.content_hash`), in hex; null: the person was taken away.
    pub content: Option<String>,
    /// When the terminal answered, or was given up.
    pub at: DateTime<Utc>,
    /// What it said.
    #[serde(flatten)]
    pub outcome: DeliveryOutcome,
}

/// How an offer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// The terminal confirmed it.
    Applied,
    /// The terminal refused it.
    Refused {
        /// Its code, for example `302`.
        code: String,
        /// Its words, or ours.
        message: String,
    },
    /// Sent, and no answer: the terminal may or may not hold it.
    Unanswered,
    /// It could not be sent.
    NotSent {
        /// Why, as a word: `no_photo`, `photo_unavailable`, `session_ended`, ...
        code: String,
        /// Why, in a sentence.
        message: String,
    },
}

/// A device says that it holds nothing (a push device that asks for everything): what was confirmed
/// counts no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterLost {
    /// The device.
    pub device_id: DeviceId,
}
impl Event for RegisterLost {
    const KIND: &'static str = "register.lost.v1";
}

/// A service asks for a command to a terminal; the hub stores it under this id and sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandWanted {
    /// Drawn by who asks; a repeat is recognised by it.
    pub command_id: CommandId,
    /// The device.
    pub device_id: DeviceId,
    /// What is asked: `count_persons`, `list_persons` or `read_person`.
    #[serde(rename = "type")]
    pub command_type: CommandType,
    /// Its parameters, as the API takes them.
    pub parameters: serde_json::Value,
    /// Who asks, for example `readback`.
    pub origin: String,
}
impl Event for CommandWanted {
    const KIND: &'static str = "command.wanted.v1";
}

/// Somebody who must not enter was recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRaised {
    /// The alarm.
    pub alarm_id: AlarmId,
    /// `blocklist`.
    pub alarm_kind: String,
    /// What the terminal saw.
    pub record_id: RecordId,
    /// Where.
    pub device_id: DeviceId,
    /// Whom.
    pub person_id: Option<PersonId>,
}
impl Event for AlarmRaised {
    const KIND: &'static str = "alarm.raised.v1";
}

/// What becomes of an erased person's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsFate {
    /// They go, pictures included.
    Delete,
    /// They stay without name, number, card and pictures.
    Pseudonymise,
}

/// A person was erased from the directory. Whoever holds something of them removes it and says so by
/// [`ErasureProgressed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonErased {
    /// The receipt.
    pub erasure_id: ErasureId,
    /// The person.
    pub person_id: PersonId,
    /// The number by which terminals and records know the person.
    pub person_number: String,
    /// What becomes of the records.
    pub records: RecordsFate,
}
impl Event for PersonErased {
    const KIND: &'static str = "person.erased.v1";
}

/// A place holds nothing of an erased person any more, or says why it still does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErasureProgressed {
    /// The receipt.
    pub erasure_id: ErasureId,
    /// `records`, `punches` or `terminal`.
    pub place: String,
    /// The terminal, where the place is one.
    pub device_id: Option<DeviceId>,
    /// Whether nothing is left there.
    pub done: bool,
    /// In a sentence, for example how many records were deleted.
    pub detail: String,
}
impl Event for ErasureProgressed {
    const KIND: &'static str = "erasure.progressed.v1";
}
