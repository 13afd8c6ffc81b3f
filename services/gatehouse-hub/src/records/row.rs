//! A record on its way into the table: everything settled, nothing Postgres would refuse.

use super::clock::Judgement;
use super::door::DoorAnswer;
use super::photos::KeptPhotos;
use chrono::{DateTime, Utc};
use gatehouse_contracts::StoredRecord;
use gatehouse_domain::record::{
    Mask, Passage, RecordResult, RecordType, TemperatureVerdict, Verification,
};
use gatehouse_domain::{DeviceId, PersonId, RecordId, TenantId};
use gatehouse_proto_terminal::{Position, UploadRecord};

/// Longest time text that is kept as the terminal wrote it.
const DEVICE_TIME_MAX_CHARS: usize = 64;

/// Who passed, as the terminal named them. Whom the platform knows by that number is found out by
/// the statement that stores the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Passer {
    /// The number by which the terminal knows them; empty for strangers.
    pub(crate) number: String,
    /// Their name as the terminal has it.
    pub(crate) name: String,
}

/// A row of `hub.records`.
#[derive(Debug, Clone)]
pub(crate) struct RecordRow {
    pub(crate) tenant: TenantId,
    pub(crate) id: RecordId,
    pub(crate) device: DeviceId,
    pub(crate) message_id: String,
    pub(crate) device_time: String,
    pub(crate) clock: Judgement,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) passer: Passer,
    pub(crate) record_type: RecordType,
    pub(crate) result: RecordResult,
    pub(crate) verification: Verification,
    pub(crate) passage: Passage,
    pub(crate) temperature_celsius: Option<f32>,
    pub(crate) temperature_verdict: TemperatureVerdict,
    pub(crate) mask: Mask,
    pub(crate) match_score: Option<f32>,
    pub(crate) card_number: Option<String>,
    pub(crate) position: Option<Position>,
    pub(crate) photos: KeptPhotos,
    pub(crate) id_document_sealed: Option<Vec<u8>>,
    pub(crate) door: DoorAnswer,
    /// JSON text.
    pub(crate) raw: String,
}

/// What is decided about an upload besides what it says itself.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) id: RecordId,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) clock: Judgement,
    pub(crate) passer: Passer,
    pub(crate) photos: KeptPhotos,
    pub(crate) id_document_sealed: Option<Vec<u8>>,
    pub(crate) door: DoorAnswer,
}

impl RecordRow {
    /// Puts an upload and what was found about it together.
    pub(crate) fn new(upload: UploadRecord, device_time: String, found: Findings) -> Self {
        Self {
            tenant: found.tenant,
            id: found.id,
            device: found.device,
            message_id: storable(upload.message_id),
            device_time,
            clock: found.clock,
            received_at: found.received_at,
            passer: found.passer,
            record_type: upload.record_type,
            result: result_of(upload.result),
            verification: upload.verification,
            passage: upload.passage,
            temperature_celsius: upload.temperature_celsius.filter(|c| c.is_finite()),
            temperature_verdict: upload.temperature_verdict,
            mask: upload.mask,
            match_score: upload.match_score.filter(|score| score.is_finite()),
            card_number: upload.card_number.map(storable),
            position: upload.position,
            photos: found.photos,
            id_document_sealed: found.id_document_sealed,
            door: found.door,
            raw: storable_json(upload.raw),
        }
    }

    /// What other services are told, with the person whom the platform knows by that number.
    pub(crate) fn as_event(&self, person_id: Option<PersonId>) -> StoredRecord {
        StoredRecord {
            record_id: self.id,
            device_id: self.device,
            person_id,
            person_number: self.passer.number.clone(),
            passed_at: self.clock.passed_at,
            received_at: self.received_at,
            record_type: self.record_type,
            result: self.result,
            verification: self.verification,
            passage: self.passage,
        }
    }
}

/// A result that was not understood never counts as a pass; the terminal's word stays in `raw`.
pub(crate) fn result_of(told: Option<RecordResult>) -> RecordResult {
    told.unwrap_or(RecordResult::Failed)
}

/// The text by which a repeat of an upload is recognised beside its message id: the terminal's own
/// time. Where there is none, message ids alone would mistake a later record for a repeat, so the
/// contents stand in for it.
pub(crate) fn device_time_of(upload: &UploadRecord) -> String {
    let said = &upload.pass_time;
    if !said.is_empty() && said.chars().count() <= DEVICE_TIME_MAX_CHARS {
        return storable(said.clone());
    }
    let contents = serde_json::to_vec(&upload.raw).unwrap_or_default();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &contents);
    format!("sha256:{}", hex::encode(digest))
}

/// Postgres holds no NUL in text.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}

/// The same for the texts inside JSON, where NUL is written as an escape.
pub(crate) fn storable_json(value: serde_json::Value) -> String {
    let text = value.to_string();
    if text.contains("\\u0000") {
        without_nul(value).to_string()
    } else {
        text
    }
}

fn without_nul(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (storable(name), without_nul(value)))
                .collect(),
        ),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_never_reaches_the_database() {
        assert_eq!(storable("a\0b\0".to_owned()), "ab");
        let text = storable_json(json!({"na\0me": ["x\0", {"y": "\0"}], "kept": "\\u0000"}));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read, json!({"name": ["x", {"y": ""}], "kept": "\\u0000"}));
    }

    #[test]
    fn what_was_not_understood_is_no_pass() {
        assert_eq!(result_of(None), RecordResult::Failed);
        assert_eq!(result_of(Some(RecordResult::Passed)), RecordResult::Passed);
    }
}
