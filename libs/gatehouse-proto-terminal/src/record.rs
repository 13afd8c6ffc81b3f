//! `uploadRecord` (2.3.1): somebody stood before the terminal, now or while it was off-line.

use crate::decode::{self, DecodeError, words};
use crate::{ClockError, Gender, PassedAt, PhotoField, Position, Uplink};
use gatehouse_domain::record::{
    Mask, Passage, RecordResult, RecordType, TemperatureVerdict, Verification,
};
use gatehouse_wire::Object;

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

/// Reads `uploadRecord`. Without a message id it could never be answered; everything else may lack.
pub(crate) fn read(mut object: Object<'_>) -> Result<Uplink, DecodeError> {
    let message_id = decode::message_id(&object)?.ok_or(DecodeError::Missing {
        message: "uploadRecord",
        field: "msgID",
    })?;
    let recognition_photo = take_photo(&mut object, "recognitionPhoto");
    let compare_photo = take_photo(&mut object, "comparePhoto");
    let token = decode::token(&object)?;
    object.take("token");
    let id_document = take_id_document(&mut object);
    let text = |field| words(&object, field);
    let snap_type = object.word("snapType").unwrap_or_default();
    Ok(Uplink::UploadRecord(Box::new(UploadRecord {
        message_id,
        device_no: decode::device_no(&object)?.unwrap_or_default(),
        token,
        version: text("version"),
        pass_time: text("passTime").unwrap_or_default(),
        person_number: text("idNumber").unwrap_or_default(),
        person_name: text("name").unwrap_or_default(),
        record_type: record_type(snap_type, object.word("priority")),
        result: object.word("compareResult").and_then(result),
        verification: verification(snap_type),
        passage: passage(object.word("inOutMode").unwrap_or_default()),
        temperature_celsius: object.word("temperature").and_then(temperature),
        temperature_verdict: verdict(object.word("temperatureResult").unwrap_or_default()),
        mask: mask(object.word("faceMaskResult").unwrap_or_default()),
        match_score: score(&object, "comparePoint"),
        liveness_score: score(&object, "liveIrPoint"),
        card_number: text("normalNumber"),
        position: decode::position(&object),
        id_document,
        gender: object.word("sex").and_then(Gender::read),
        birth: text("birth"),
        company: text("company"),
        department: text("department"),
        phone: text("phone"),
        valid_from: text("validDateStart"),
        valid_to: text("validDateEnd"),
        spoken_text: text("visitorVoiceText"),
        backlog: object.parsed("offLineRecordNum"),
        recognition_photo,
        compare_photo,
        raw: object.into_json(),
    })))
}

fn take_photo(object: &mut Object<'_>, field: &str) -> Option<PhotoField> {
    object
        .take_text(field)
        .and_then(|text| PhotoField::new(text.into_owned()))
}

fn take_id_document(object: &mut Object<'_>) -> Option<IdDocument> {
    let mut taken = |field| {
        object
            .take_text(field)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let document = IdDocument {
        number: taken("rfIdNumber"),
        ethnicity: taken("ethnicity"),
        address: taken("address"),
        authority: taken("authority"),
    };
    let said = document.number.is_some()
        || document.ethnicity.is_some()
        || document.address.is_some()
        || document.authority.is_some();
    said.then_some(document)
}

/// The terminal tells strangers by `snapType` 3, and blocked persons by `priority` 1 (after V3.5).
/// It knows no visitors.
fn record_type(snap_type: &str, priority: Option<&str>) -> RecordType {
    match (snap_type, priority) {
        ("3", _) => RecordType::Stranger,
        (_, Some("1")) => RecordType::Blocklist,
        _ => RecordType::Staff,
    }
}

/// L1236: 2 is face and card, 4 the card alone.
fn verification(snap_type: &str) -> Verification {
    match snap_type {
        "0" | "3" => Verification::Face,
        "1" => Verification::IdDocument,
        "2" => Verification::FaceAndCard,
        "4" => Verification::Card,
        _ => Verification::Unknown,
    }
}

fn result(compare_result: &str) -> Option<RecordResult> {
    match compare_result {
        "0" => Some(RecordResult::Passed),
        "1" => Some(RecordResult::Failed),
        "2" => Some(RecordResult::OutsideSchedule),
        "3" => Some(RecordResult::Expired),
        "4" => Some(RecordResult::Unauthorized),
        _ => None,
    }
}

/// L1251: not the numbers of the parameter `entranceDirection`.
fn passage(in_out_mode: &str) -> Passage {
    match in_out_mode {
        "1" => Passage::In,
        "2" => Passage::Out,
        _ => Passage::Unknown,
    }
}

/// Not measured comes as `0.0` (protocols 1.1); a unit behind the number is tolerated.
fn temperature(text: &str) -> Option<f32> {
    text.trim_end_matches(['C', 'c', '\u{b0}', '\u{2103}', ' '])
        .parse()
        .ok()
        .filter(|celsius| *celsius > 0.0 && *celsius < 100.0)
}

fn verdict(temperature_result: &str) -> TemperatureVerdict {
    match temperature_result {
        "1" => TemperatureVerdict::Normal,
        "2" => TemperatureVerdict::High,
        _ => TemperatureVerdict::NotMeasured,
    }
}

/// Seen is only 0. By the pattern of `temperatureResult` and by that of a flag alike, 1 is worn.
fn mask(face_mask_result: &str) -> Mask {
    match face_mask_result {
        "1" => Mask::Worn,
        "2" => Mask::NotWorn,
        _ => Mask::Unknown,
    }
}

fn score(object: &Object<'_>, field: &str) -> Option<f32> {
    object
        .parsed::<f32>(field)
        .filter(|score| score.is_finite())
}
