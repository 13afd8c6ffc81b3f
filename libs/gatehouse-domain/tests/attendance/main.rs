//! The attendance engine from outside: cases as data, every fault by its code, properties, and an
//! oracle that judges minute by minute.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]

mod adjustments;
mod cases;
mod check;
mod generated;
mod oracle;
mod properties;
mod views;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{GroupRule, Punch};
use gatehouse_domain::{AdjustmentId, RecordId};
use uuid::Uuid;

/// `2024-05-06 09:00[:59]` on a zone's clock, where it is not ambiguous, or RFC 3339.
fn instant(text: &str, zone: Tz) -> DateTime<Utc> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return at.to_utc();
    }
    let local = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .unwrap_or_else(|| panic!("\"{text}\" is not a time"));
    let at = zone.from_local_datetime(&local).single();
    at.unwrap_or_else(|| panic!("\"{text}\" is skipped or shown twice in {zone}"))
        .to_utc()
}

fn record(number: usize) -> RecordId {
    RecordId::from_uuid(Uuid::from_u128(number as u128 + 1))
}

fn adjustment(number: usize) -> AdjustmentId {
    AdjustmentId::from_uuid(Uuid::from_u128(number as u128 + 1))
}

fn punches(texts: &[&str], zone: Tz) -> Vec<Punch> {
    let punch = |(number, text): (usize, &&str)| Punch {
        passed_at: instant(text, zone),
        record_id: record(number),
    };
    texts.iter().enumerate().map(punch).collect()
}

/// A plain day: 08:30 to 09:00, 18:00 to 18:30, Monday to Friday.
fn office() -> GroupRule {
    serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "08:30", "on_et": "09:00", "off_st": "18:00", "off_et": "18:30"}],
            "week_plan": ["monday", "tuesday", "wednesday", "thursday", "friday"]}"#,
    )
    .unwrap()
}
