//! What `syface` and `syattribute` share: a sight becomes a record, by the same way into the table
//! that uploads of terminals take.

use super::call::Refusal;
use super::callers::Caller;
use crate::hub::Hub;
use crate::records::clock::{ClockBook, Judgement};
use crate::records::door::DoorAnswer;
use crate::records::ingest::{self, NotStored, Stored};
use crate::records::photos::PicturesOf;
use crate::records::row::{Passer, RecordRow, storable, storable_json};
use crate::records::{id_document, photos};
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_domain::RecordId;
use gatehouse_domain::access::{Decision, ReasonCode};
use gatehouse_domain::record::{RecordResult, RecordType, TemperatureVerdict, Verification};
use gatehouse_platform::secrets::Secrets;
use gatehouse_proto_device::push::{Base64Text, IdCard, Sight};
use gatehouse_proto_terminal::{
    ClockError, ControlState, IdDocument, PassedAt, PhotoField, WallTime,
};
use uuid::Uuid;

/// Longest time text that is kept as the device wrote it.
const DEVICE_TIME_MAX_CHARS: usize = 64;
/// What the key is for, under which the names of records are digests.
const NAMES: &str = "push_record";
/// `openCode` for a temperature that was too high, as the device judged it.
const OPEN_CODE_TEMPERATURE: &str = "101";

/// What the platform makes of a sight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    pub(super) record_type: RecordType,
    pub(super) result: RecordResult,
    /// From where on a temperature is too high here.
    pub(super) deny_above_celsius: Option<f32>,
}

impl Judged {
    /// Nobody that the platform knows.
    pub(super) const fn stranger() -> Self {
        Self {
            record_type: RecordType::Stranger,
            result: RecordResult::Failed,
            deny_above_celsius: None,
        }
    }
}

/// A record but for what the device said.
#[derive(Debug)]
pub(super) struct Row {
    /// The verb; a part of what names the record.
    pub(super) kind: &'static str,
    pub(super) received_at: DateTime<Utc>,
    pub(super) clock: Judgement,
    pub(super) passer: Passer,
    pub(super) judged: Judged,
    /// Whether the door opens.
    pub(super) opens: bool,
    /// Why or why not, in a sentence.
    pub(super) reason: String,
}

/// Whom the device names.
pub(super) fn passer(seen: &Sight) -> Passer {
    Passer {
        number: storable(seen.user_id.clone()),
        name: storable(seen.user_name.clone()),
    }
}

/// When it was: these devices tell Unix time, and nothing tells what their clock is worth.
pub(super) fn judge_clock(seen: &Sight, received_at: DateTime<Utc>) -> Judgement {
    let said = match seen.seen_at() {
        Some(at) => Ok(PassedAt {
            at,
            wall: WallTime::Unix,
        }),
        None => Err(ClockError::Missing),
    };
    ClockBook::default().judge(said, received_at, None)
}

/// Whether somebody still stands at the door.
pub(super) fn is_live(hub: &Hub, clock: &Judgement, received_at: DateTime<Utc>) -> bool {
    let within = TimeDelta::seconds(i64::from(hub.settings.push_live_within_s));
    received_at.signed_duration_since(clock.passed_at) <= within
}

/// The decision in the vocabulary of records.
pub(super) const fn result_of(decision: &Decision) -> RecordResult {
    if decision.allow {
        return RecordResult::Passed;
    }
    match decision.reason {
        ReasonCode::OutsideSchedule | ReasonCode::Holiday => RecordResult::OutsideSchedule,
        ReasonCode::NotYetValid | ReasonCode::Expired => RecordResult::Expired,
        ReasonCode::NoAuthority
        | ReasonCode::Disabled
        | ReasonCode::Blocklisted
        | ReasonCode::Never => RecordResult::Unauthorized,
        ReasonCode::InSchedule
        | ReasonCode::Always
        | ReasonCode::Temperature
        | ReasonCode::Mask => RecordResult::Failed,
    }
}

/// Keeps the pictures, then the record and the event about it.
pub(super) async fn store(
    hub: &Hub,
    caller: &Caller,
    mut seen: Sight,
    row: Row,
) -> Result<Result<Stored, NotStored>, Refusal> {
    let (message_id, device_time) = names(&hub.kit.secrets, row.kind, &seen);
    let photo = |text: Option<Base64Text>| text.and_then(|t| PhotoField::new(t.into_string()));
    let (image, card_image) = (photo(seen.image.take()), photo(seen.id_card_image.take()));
    let of = PicturesOf {
        tenant: caller.tenant(),
        day: row.received_at.date_naive(),
        number: &row.passer.number,
    };
    let kept = photos::keep(&hub.kit.objects, of, image, card_image).await;
    let photos = kept.map_err(|error| away("objects", &error))?;
    let document = seen.id_card.take().map(id_document_of);
    let verification = if document.is_some() {
        Verification::IdDocument
    } else {
        Verification::Face
    };
    let sealed = document
        .map(|document| id_document::seal(&hub.kit.secrets, &document))
        .transpose()
        .map_err(|error| away("secrets", &error))?;
    let record = RecordRow {
        tenant: caller.tenant(),
        id: RecordId::from_uuid(Uuid::now_v7()),
        device: caller.device,
        message_id,
        device_time,
        clock: row.clock,
        received_at: row.received_at,
        passer: row.passer,
        record_type: row.judged.record_type,
        result: row.judged.result,
        verification,
        passage: seen.passage,
        temperature_celsius: seen.temperature_celsius.filter(|c| c.is_finite()),
        temperature_verdict: temperature(&seen, row.judged.deny_above_celsius),
        mask: seen.mask,
        match_score: seen.similarity,
        card_number: None,
        position: None,
        photos,
        id_document_sealed: sealed,
        door: DoorAnswer {
            state: if row.opens {
                ControlState::Open
            } else {
                ControlState::Close
            },
            says: "",
            reason: row.reason,
        },
        raw: storable_json(seen.raw),
    };
    let stored = ingest::store(hub, &caller.scope, record).await;
    match &stored {
        Ok(Stored::New | Stored::Nobodys) => {
            metrics::counter!("gatehouse_records_stored_total").increment(1);
        }
        Ok(Stored::Repeat) => metrics::counter!("gatehouse_records_repeated_total").increment(1),
        Err(NotStored::Now) => {
            metrics::counter!("gatehouse_records_unacknowledged_total", "store" => "database")
                .increment(1);
        }
        Err(NotStored::Ever(_)) => {}
    }
    Ok(stored)
}

fn away(store: &'static str, error: &dyn std::error::Error) -> Refusal {
    metrics::counter!("gatehouse_records_unacknowledged_total", "store" => store).increment(1);
    tracing::debug!(store, %error, "a record is not acknowledged; the device sends it again");
    Refusal::Later
}

/// By what a repeat is recognised: verb and person, and the device's time. Where nobody was
/// recognised, two people may stand there in one second: the picture tells them apart. Where there is
/// no time, the contents stand in for it. These names outlive the person: they are digests under a key,
/// and say nobody's number.
fn names(secrets: &Secrets, kind: &'static str, seen: &Sight) -> (String, String) {
    let digest = |bytes: &[u8]| hex::encode(secrets.digest(NAMES, bytes));
    let who = if seen.user_id.is_empty() {
        let image = seen.image.as_ref().map_or("", Base64Text::as_str);
        digest(image.as_bytes())
    } else {
        digest(seen.user_id.as_bytes())
    };
    let said = &seen.screen_time;
    let when = if !said.is_empty() && said.chars().count() <= DEVICE_TIME_MAX_CHARS {
        storable(said.clone())
    } else {
        let contents = serde_json::to_vec(&seen.raw).unwrap_or_default();
        format!("digest:{}", digest(&contents))
    };
    (format!("{kind}:{who}"), when)
}

fn temperature(seen: &Sight, deny_above_celsius: Option<f32>) -> TemperatureVerdict {
    let Some(celsius) = seen.temperature_celsius else {
        return TemperatureVerdict::NotMeasured;
    };
    let too_high = deny_above_celsius.is_some_and(|most| celsius > most)
        || seen.open_code.as_deref() == Some(OPEN_CODE_TEMPERATURE);
    if too_high {
        TemperatureVerdict::High
    } else {
        TemperatureVerdict::Normal
    }
}

fn id_document_of(card: IdCard) -> IdDocument {
    IdDocument {
        number: card.id,
        ethnicity: card.national,
        address: card.address,
        authority: card.maker,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;
    use gatehouse_proto_device::push::read_sight;

    fn seen(text: &str) -> Sight {
        read_sight(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_repeat_has_the_same_names_and_nothing_else_has() {
        let secrets = |digit: &str| {
            Secrets::new(&SecretSettings {
                master_key: digit.repeat(64),
                operator_key: None,
            })
            .unwrap()
        };
        let (secrets, others) = (secrets("a"), secrets("b"));
        let others = |kind, text| names(&others, kind, &seen(text));
        let names = |kind, text| names(&secrets, kind, &seen(text));
        let face = r#"{"userId":"100000007","screenTime":1487295360,"img":"QUJD"}"#;
        let (message_id, device_time) = names("syface", face);
        assert_eq!(device_time, "1487295360");
        assert!(message_id.starts_with("syface:") && !message_id.contains("100000007"));
        assert_ne!(
            message_id,
            others("syface", face).0,
            "nobody can try out numbers"
        );
        // The picture is compressed anew with each try.
        let again = r#"{"userId":"100000007","screenTime":1487295360,"img":"QUJE"}"#;
        assert_eq!(names("syface", face), names("syface", again));
        for other in [
            r#"{"userId":"8","screenTime":1487295360,"img":"QUJD"}"#,
            r#"{"userId":"100000007","screenTime":1487295361,"img":"QUJD"}"#,
            r#"{"userId":"100000007","img":"QUJD"}"#,
        ] {
            assert_ne!(names("syface", face), names("syface", other), "{other}");
        }
        let two = [
            r#"{"screenTime":1487295360,"img":"QUJD"}"#,
            r#"{"screenTime":1487295360,"img":"QUJE"}"#,
        ];
        assert_ne!(names("syattribute", two[0]), names("syattribute", two[1]));
    }

    #[test]
    fn temperatures_are_judged_by_the_threshold_and_by_the_device() {
        let verdict = |text, most| temperature(&seen(text), most);
        let warm = r#"{"temperature":"37.5"}"#;
        assert_eq!(verdict(warm, None), TemperatureVerdict::Normal);
        assert_eq!(verdict(warm, Some(37.5)), TemperatureVerdict::Normal);
        assert_eq!(verdict(warm, Some(37.3)), TemperatureVerdict::High);
        assert_eq!(
            verdict(r#"{"temperature":"36","openCode":101}"#, None),
            TemperatureVerdict::High
        );
        assert_eq!(
            verdict(r#"{"temperature":"0"}"#, Some(1.0)),
            TemperatureVerdict::NotMeasured
        );
    }

    #[test]
    fn a_device_without_a_clock_is_believed_to_tell_of_now() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let at = |text| judge_clock(&seen(text), now).passed_at;
        assert_eq!(at("{}"), now);
        assert_eq!(
            at(r#"{"screenTime":1789999000}"#).timestamp(),
            1_789_999_000
        );
        assert_eq!(at(r#"{"screenTime":1999999999}"#), now);
    }
}
