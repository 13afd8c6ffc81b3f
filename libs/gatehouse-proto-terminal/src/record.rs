//! `uploadRecord` (2.3.1): somebody stood before the terminal, now or while it was off-line.

use crate::{ClockError, Gender, PassedAt, PhotoField, Position};
use gatehouse_domain::record::{
    Mask, Passage, RecordResult, RecordType, TemperatureVerdict, Verification,
};

/// What an identity document held against the reader says (2.3.1). Sensitive: it stands nowhere
/// else, in particular not in [`UploadRecord::raw`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdDocument {
    /// `rfIdNumber`: the number of the document.
    pub number: Option<String>,
    /// `ethnicity`.
    pub ethnicity: Option<String>,
    /// `address`.
    pub address: Option<String>,
    /// `authority`: who issued it.
    pub authority: Option<String>,
}

/// A record as the terminal uploaded it. `None` and empty text mean that the terminal did not say.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadRecord {
    /// `msgID`: what the answer must carry, else the terminal uploads for ever. It may restart from
    /// the beginning after a reset of the terminal. Never empty, at most 128 bytes.
    pub message_id: String,
    /// `deviceNo` as used here.
    pub device_no: String,
    /// `token`.
    pub token: Option<String>,
    /// `version` of the interface, for example `V1.0`.
    pub version: Option<String>,
    /// `passTime` as received, trimmed: the terminal's wall clock. See [`UploadRecord::passed_at`].
    pub pass_time: String,
    /// `idNumber` as received: may be empty or not a number (strangers carry 32 hexadecimal digits).
    pub person_number: String,
    /// `name`.
    pub person_name: String,
    /// From `snapType` and `priority`.
    pub record_type: RecordType,
    /// From `compareResult`; `None` where it was not understood (it stays in `raw`).
    pub result: Option<RecordResult>,
    /// From `snapType`.
    pub verification: Verification,
    /// From `inOutMode`.
    pub passage: Passage,
    /// `temperature`; `None` where not measured (`0.0`).
    pub temperature_celsius: Option<f32>,
    /// From `temperatureResult`.
    pub temperature_verdict: TemperatureVerdict,
    /// From `faceMaskResult` (after V3.5): 1 worn, 2 not worn; 0 does not tell.
    pub mask: Mask,
    /// `comparePoint` (after V3.5): how alike the faces are, 0 to 100.
    pub match_score: Option<f32>,
    /// `liveIrPoint` (after V3.5): how alive the face looked.
    pub liveness_score: Option<f32>,
    /// `normalNumber`: the number of the IC card.
    pub card_number: Option<String>,
    /// Where the terminal was.
    pub position: Option<Position>,
    /// What an identity document said.
    pub id_document: Option<IdDocument>,
    /// `sex`.
    pub gender: Option<Gender>,
    /// `birth` as received: `1997年4月3日`, or `19970403` from identity documents.
    pub birth: Option<String>,
    /// `company`.
    pub company: Option<String>,
    /// `department`.
    pub department: Option<String>,
    /// `phone`.
    pub phone: Option<String>,
    /// `validDateStart` as received.
    pub valid_from: Option<String>,
    /// `validDateEnd` as received.
    pub valid_to: Option<String>,
    /// `visitorVoiceText`: what the terminal said aloud.
    pub spoken_text: Option<String>,
    /// `offLineRecordNum` (after V3.5): how many records still wait in the terminal.
    pub backlog: Option<u32>,
    /// `recognitionPhoto`: who stood there.
    pub recognition_photo: Option<PhotoField>,
    /// `comparePhoto`: the stored photo it was compared with.
    pub compare_photo: Option<PhotoField>,
    /// All members as received, except the photos, the token and those of the identity document.
    pub raw: serde_json::Value,
}

impl UploadRecord {
    /// The instant of the pass: the terminal's wall time, read in the zone it hangs in.
    ///
    /// # Errors
    /// [`ClockError`] when `passTime` is empty or not a time.
    pub fn passed_at(&self, zone: chrono_tz::Tz) -> Result<PassedAt, ClockError> {
        crate::clock::read_pass_time(&self.pass_time, zone)
    }
}
