//! Reading what a request or a row of a file says about a person: each field is checked here, for
//! both alike.

use super::given::{Cards, Given, Members};
use super::request::PersonPatch;
use crate::reading::Reading;
use chrono::{
    DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, SubsecRound, TimeZone, Utc,
};
use chrono_tz::Tz;
use gatehouse_domain::person::{Gender, PersonType, Priority};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest name.
pub(crate) const NAME_MAX_CHARS: usize = 64;
const CODE_MAX_CHARS: usize = 64;
const CARD_MAX_CHARS: usize = 32;
/// Digits of a card's number, at least (document 004).
const CARD_DIGITS: usize = 10;
/// Most cards of a person.
const CARDS_MAX: usize = 5;
const POSITION_MAX_CHARS: usize = 64;
const WORK_PLACE_MAX_CHARS: usize = 100;
const REMARK_MAX_CHARS: usize = 500;
/// What a terminal can say or show (document 004, 2.2.1).
const TERMINAL_TEXT_MAX_CHARS: usize = 30;
const EXTERNAL_ID_MAX_CHARS: usize = 128;
const EXTERNAL_IDS_MAX: usize = 10;
const ATTRIBUTES_MAX: usize = 50;
const ATTRIBUTES_MAX_BYTES: usize = 8192;
const ATTRIBUTE_MAX_DEPTH: usize = 8;

/// Reads what was said about a person; `zone` is that of date-times without an offset.
pub(crate) fn read(reading: &mut Reading, patch: PersonPatch, zone: Tz) -> Given {
    let PersonPatch {
        name,
        kind,
        code,
        gender,
        phone_area_code,
        phone,
        email,
        birthday,
        card_no,
        cards,
        priority,
        valid_from,
        valid_to,
        position,
        work_place,
        entry_on,
        department_id,
        id_document_number,
        pin,
        remark,
        welcome_text,
        display_text,
        external_ids,
        attributes,
        disabled,
    } = patch;
    let r = reading;
    let valid_from = optional(valid_from, |text| {
        instant(r, "/valid_from", text, zone, Edge::Begins)
    });
    let valid_to = optional(valid_to, |text| {
        instant(r, "/valid_to", text, zone, Edge::Ends)
    });
    Given {
        name: name.map(|name| r.text("/name", &name, NAME_MAX_CHARS)),
        kind: kind.map(|word| r.word("/type", Some(&word), PersonType::Staff)),
        code: optional(code, |code| self::code(r, code)),
        gender: gender.map(|word| r.word("/gender", Some(&word), Gender::Unknown)),
        birthday_on: optional(birthday, |text| date(r, "/birthday", text)).map(Option::flatten),
        phone_area_code: optional(phone_area_code, |code| area_code(r, code)),
        phone: optional(phone, |phone| self::phone(r, "/phone", phone)),
        email: optional(email, |email| r.email("/email", email)),
        position: optional(position, |text| {
            r.optional_text("/position", text, POSITION_MAX_CHARS)
        }),
        work_place: optional(work_place, |text| {
            r.optional_text("/work_place", text, WORK_PLACE_MAX_CHARS)
        }),
        entry_on: optional(entry_on, |text| date(r, "/entry_on", text)).map(Option::flatten),
        department_id,
        id_document_number: optional(id_document_number, |number| id_document(r, number)),
        pin: optional(pin, |pin| self::pin(r, pin)),
        remark: remark.map(|remark| {
            r.optional_text("/remark", &remark.unwrap_or_default(), REMARK_MAX_CHARS)
        }),
        priority: priority.map(|word| r.word("/priority", Some(&word), Priority::Normal)),
        valid_from: valid_from.map(Option::flatten),
        valid_to: valid_to.map(Option::flatten),
        welcome_text: optional(welcome_text, |text| {
            r.optional_text("/welcome_text", text, TERMINAL_TEXT_MAX_CHARS)
        }),
        display_text: optional(display_text, |text| {
            r.optional_text("/display_text", text, TERMINAL_TEXT_MAX_CHARS)
        }),
        cards: self::cards(r, card_no, cards),
        external_ids: external_ids.map(|ids| self::external_ids(r, ids)),
        attributes: attributes.map(|members| self::attributes(r, members.map(BTreeMap::from_iter))),
        disabled,
    }
}

/// A field that can be cleared: null and nothing but spaces do.
fn optional<T>(field: Option<Option<String>>, read: impl FnOnce(&str) -> T) -> Option<Option<T>> {
    field.map(|text| {
        text.filter(|text| !text.trim().is_empty())
            .map(|text| read(&text))
    })
}

fn code(reading: &mut Reading, text: &str) -> String {
    let code = text.trim();
    if code.chars().count() > CODE_MAX_CHARS
        || code.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        reading.fault(
            "/code",
            format!("must have 1 to {CODE_MAX_CHARS} characters without spaces"),
        );
    }
    code.to_owned()
}

/// A phone number as it is kept and looked for: digits, with a plus where one was given.
pub(super) fn phone(reading: &mut Reading, pointer: &str, text: &str) -> String {
    let number: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.' | '/'))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if !((3..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())) {
        reading.fault(
            pointer,
            "must have 3 to 18 digits; spaces, hyphens, brackets and a leading + are fine",
        );
    }
    number
}

fn area_code(reading: &mut Reading, text: &str) -> String {
    let code = text.trim().trim_start_matches('+');
    if !((1..=6).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())) {
        reading.fault(
            "/phone_area_code",
            "must have 1 to 6 digits, for example 86",
        );
    }
    code.to_owned()
}

/// A card's number as it is kept and looked for.
pub(super) fn card(reading: &mut Reading, pointer: &str, text: &str) -> String {
    let card = normal_card(text);
    if !((1..=CARD_MAX_CHARS).contains(&card.len())
        && card.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        reading.fault(
            pointer,
            format!("must have 1 to {CARD_MAX_CHARS} letters and digits"),
        );
    } else if card.bytes().all(|b| b == b'0') {
        reading.fault(
            pointer,
            "must not be zeros only, by which terminals say that there is no card",
        );
    }
    card
}

/// One card has one number: terminals fill up digits with zeros to ten, and know no small letters.
pub(crate) fn normal_card(text: &str) -> String {
    let card = text.trim().to_ascii_uppercase();
    if !card.is_empty() && card.bytes().all(|b| b.is_ascii_digit()) {
        format!("{card:0>CARD_DIGITS$}")
    } else {
        card
    }
}

fn cards(
    reading: &mut Reading,
    first: Option<Option<String>>,
    all: Option<Option<Vec<String>>>,
) -> Option<Cards> {
    let first = optional(first, |text| card(reading, "/card_no", text));
    let Some(all) = all else {
        return first.map(Cards::First);
    };
    let all = all.unwrap_or_default();
    if all.len() > CARDS_MAX {
        reading.fault("/cards", format!("must have at most {CARDS_MAX} entries"));
        return None;
    }
    let mut cards: Vec<String> = Vec::with_capacity(all.len());
    for (index, text) in all.iter().enumerate() {
        let pointer = format!("/cards/{index}");
        let card = card(reading, &pointer, text);
        if cards.contains(&card) {
            reading.fault(&pointer, "is named twice");
        }
        cards.push(card);
    }
    if let Some(first) = first
        && first.as_ref() != cards.first()
    {
        reading.fault(
            "/card_no",
            "must be the first of the cards where both are given",
        );
    }
    Some(Cards::All(cards))
}

fn pin(reading: &mut Reading, text: &str) -> String {
    let pin = text.trim();
    if !((4..=8).contains(&pin.len()) && pin.bytes().all(|b| b.is_ascii_digit())) {
        reading.fault("/pin", "must have 4 to 8 digits");
    }
    pin.to_owned()
}

fn id_document(reading: &mut Reading, text: &str) -> String {
    let number: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !((1..=32).contains(&number.len())
        && number
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    {
        reading.fault(
            "/id_document_number",
            "must have 1 to 32 letters, digits and hyphens",
        );
    }
    // The check digit of a Chinese identity card may be an x; the same card must give the same number.
    number.to_ascii_uppercase()
}

fn date(reading: &mut Reading, pointer: &str, text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok();
    let date = date.filter(|date| (1900..=2199).contains(&date.year()));
    if date.is_none() {
        reading.fault(pointer, "must be a date such as 2001-02-28, from 1900 on");
    }
    date
}

/// What a date without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Its first second.
    Begins,
    /// Its last second.
    Ends,
}

fn instant(
    reading: &mut Reading,
    pointer: &str,
    text: &str,
    zone: Tz,
    edge: Edge,
) -> Option<DateTime<Utc>> {
    let at = parse_instant(text.trim(), zone, edge);
    // To the second: the database keeps less than a date-time can say.
    let at = at
        .filter(|at| (1970..=9998).contains(&at.year()))
        .map(|at| at.trunc_subsecs(0));
    if at.is_none() {
        reading.fault(
            pointer,
            "must be a date-time such as 2026-12-01T08:00:00, with an offset or in the tenant's zone, or a date",
        );
    }
    at
}

fn parse_instant(text: &str, zone: Tz, edge: Edge) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let local = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .or_else(|| {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        match edge {
            Edge::Begins => date.and_hms_opt(0, 0, 0),
            Edge::Ends => date.and_hms_opt(23, 59, 59),
        }
    })?;
    let local_at = |local: &NaiveDateTime| match (zone.from_local_datetime(local), edge) {
        (LocalResult::Single(at), _) => Some(at.to_utc()),
        // The clock shows it twice: whoever is let in is let in for the longer time.
        (LocalResult::Ambiguous(first, _), Edge::Begins) => Some(first.to_utc()),
        (LocalResult::Ambiguous(_, second), Edge::Ends) => Some(second.to_utc()),
        (LocalResult::None, _) => None,
    };
    // The clock jumps over it: what it shows an hour later.
    local_at(&local).or_else(|| local_at(&local.checked_add_signed(Duration::hours(1))?))
}

/// The name of another system.
pub(super) fn system(reading: &mut Reading, pointer: &str, text: &str) -> String {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if !((1..=32).contains(&text.len()) && text.bytes().all(fits)) {
        reading.fault(
            pointer,
            "must name the system with 1 to 32 small letters, digits, _ and -",
        );
    }
    text.to_owned()
}

fn external_ids(
    reading: &mut Reading,
    ids: Option<BTreeMap<String, Option<String>>>,
) -> Members<String> {
    let clear = ids.is_none();
    let mut members = BTreeMap::new();
    let ids = ids.unwrap_or_default();
    if ids.len() > EXTERNAL_IDS_MAX {
        reading.fault(
            "/external_ids",
            format!("must have at most {EXTERNAL_IDS_MAX} members"),
        );
        return Members { clear, members };
    }
    for (name, id) in ids {
        let pointer = format!("/external_ids/{}", escaped(&name));
        let name = system(reading, &pointer, &name);
        let id = id.map(|id| reading.text(&pointer, &id, EXTERNAL_ID_MAX_CHARS));
        members.insert(name, id);
    }
    Members { clear, members }
}

fn attributes(reading: &mut Reading, members: Option<BTreeMap<String, Value>>) -> Members<Value> {
    let clear = members.is_none();
    let members = members.unwrap_or_default();
    if members.len() > ATTRIBUTES_MAX {
        reading.fault(
            "/attributes",
            format!("must have at most {ATTRIBUTES_MAX} members"),
        );
    }
    let size = serde_json::to_string(&members).map_or(usize::MAX, |text| text.len());
    if size > ATTRIBUTES_MAX_BYTES {
        reading.fault(
            "/attributes",
            format!("must have at most {ATTRIBUTES_MAX_BYTES} bytes as JSON"),
        );
    }
    for (name, value) in &members {
        let pointer = format!("/attributes/{}", escaped(name));
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            reading.fault(&pointer, "must have a name of 1 to 64 characters");
        } else if !storable(value, ATTRIBUTE_MAX_DEPTH) {
            reading.fault(
                &pointer,
                format!("must not nest deeper than {ATTRIBUTE_MAX_DEPTH} levels or contain the character U+0000"),
            );
        }
    }
    let members = members
        .into_iter()
        .map(|(name, value)| (name, Some(value).filter(|value| !value.is_null())))
        .collect();
    Members { clear, members }
}

/// Whether the database can hold a value: its texts have no U+0000.
fn storable(value: &Value, depth: usize) -> bool {
    let Some(deeper) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.contains('\0'),
        Value::Array(items) => items.iter().all(|item| storable(item, deeper)),
        Value::Object(members) => members
            .iter()
            .all(|(name, value)| !name.contains('\0') && storable(value, deeper)),
    }
}

/// A member's name within a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(body: Value) -> Result<Given, Vec<String>> {
        let mut reading = Reading::begin();
        let patch: PersonPatch = serde_json::from_value(body).unwrap();
        let given = read(&mut reading, patch, chrono_tz::Asia::Shanghai);
        let faults = reading.into_faults();
        if faults.is_empty() {
            Ok(given)
        } else {
            Err(faults.into_iter().map(|fault| fault.pointer).collect())
        }
    }

    #[test]
    fn each_field_is_refused_by_its_pointer() {
        for (field, bad) in [
            ("name", json!("")),
            ("name", json!("a\u{0}b")),
            ("type", json!("guest")),
            ("code", json!("a b")),
            ("gender", json!("x")),
            ("phone_area_code", json!("eighty-six")),
            ("phone", json!("12")),
            ("phone", json!("call me")),
            ("email", json!("nobody")),
            ("birthday", json!("28.02.2001")),
            ("birthday", json!("2001-02-29")),
            ("birthday", json!("1850-01-01")),
            ("card_no", json!("12-34")),
            ("priority", json!("high")),
            ("valid_from", json!("tomorrow")),
            ("valid_to", json!("2026-12-01T25:00")),
            ("position", json!("x".repeat(65))),
            ("entry_on", json!("2020")),
            ("id_document_number", json!("#1")),
            ("pin", json!("123")),
            ("pin", json!("123456789")),
            ("remark", json!("x".repeat(501))),
            ("welcome_text", json!("x".repeat(31))),
            ("display_text", json!("欢".repeat(31))),
        ] {
            let body = Value::Object([(field.to_owned(), bad.clone())].into_iter().collect());
            assert_eq!(given(body).unwrap_err(), [format!("/{field}")], "{bad}");
        }
        let ids = json!({"external_ids": {"Hong/tu": "1"}});
        assert_eq!(given(ids).unwrap_err(), ["/external_ids/Hong~1tu"]);
        let attributes = json!({"attributes": {"a": "\u{0}"}});
        assert_eq!(given(attributes).unwrap_err(), ["/attributes/a"]);
        let large = json!({"attributes": {"a": "x".repeat(8192)}});
        assert_eq!(given(large).unwrap_err(), ["/attributes"]);
    }

    #[test]
    fn what_is_absent_stays_and_what_is_null_or_empty_is_cleared() {
        let g = given(json!({"code": null, "phone": "  ", "email": "A@B.example"})).unwrap();
        assert_eq!((g.code, g.phone), (Some(None), Some(None)));
        assert_eq!(g.email, Some(Some("a@b.example".to_owned())));
        assert!(g.name.is_none() && g.birthday_on.is_none() && g.cards.is_none());
    }

    #[test]
    fn phones_are_kept_as_digits() {
        let phone = |text: &str| {
            given(json!({"phone": text}))
                .unwrap()
                .phone
                .flatten()
                .unwrap()
        };
        assert_eq!(phone("138 0013-8000"), "13800138000");
        assert_eq!(phone("+86 (138) 0013 8000"), "+8613800138000");
    }

    #[test]
    fn the_first_card_and_the_list_agree() {
        let cards = |body| given(body).map(|given| given.cards);
        assert_eq!(
            cards(json!({"card_no": "1", "cards": ["0001", "2"]})),
            Ok(Some(Cards::All(vec![
                "0000000001".into(),
                "0000000002".into()
            ])))
        );
        assert_eq!(
            cards(json!({"card_no": "2", "cards": ["1", "2"]})),
            Err(vec!["/card_no".into()])
        );
        assert_eq!(
            cards(json!({"cards": ["1", "0000000001"]})),
            Err(vec!["/cards/1".into()])
        );
        assert_eq!(
            cards(json!({"cards": ["1", "2", "3", "4", "5", "6"]})),
            Err(vec!["/cards".into()])
        );
        assert_eq!(
            cards(json!({"card_no": null})),
            Ok(Some(Cards::First(None)))
        );
    }

    #[test]
    fn a_card_has_one_number_however_it_is_written() {
        for (text, card) in [
            (" 8899 ", "0000008899"),
            ("0000008899", "0000008899"),
            ("123456789012", "123456789012"),
            ("ab12", "AB12"),
            ("", ""),
        ] {
            assert_eq!(normal_card(text), card, "{text:?}");
        }
        assert_eq!(given(json!({"card_no": "0"})).unwrap_err(), ["/card_no"]);
    }

    #[test]
    fn local_times_are_the_tenants() {
        let to = |text: &str| {
            let given = given(json!({"valid_from": text, "valid_to": text})).unwrap();
            let text = |at: Option<Option<DateTime<Utc>>>| at.flatten().unwrap().to_rfc3339();
            (text(given.valid_from), text(given.valid_to))
        };
        let both = |at: &str| (at.to_owned(), at.to_owned());
        assert_eq!(to("2026-12-01T08:00:00"), both("2026-12-01T00:00:00+00:00"));
        assert_eq!(to("2026-12-01 08:00"), both("2026-12-01T00:00:00+00:00"));
        assert_eq!(
            to("2026-12-01T08:00:00+01:00"),
            both("2026-12-01T07:00:00+00:00")
        );
        assert_eq!(
            to("2026-12-01"),
            (
                "2026-11-30T16:00:00+00:00".to_owned(),
                "2026-12-01T15:59:59+00:00".to_owned()
            )
        );
    }

    #[test]
    fn clocks_that_are_put_forward_and_back() {
        let at = |text, edge| {
            parse_instant(text, chrono_tz::Europe::Berlin, edge)
                .unwrap()
                .to_rfc3339()
        };
        assert_eq!(
            at("2026-03-29T02:30", Edge::Begins),
            "2026-03-29T01:30:00+00:00"
        );
        assert_eq!(
            at("2026-10-25T02:30", Edge::Begins),
            "2026-10-25T00:30:00+00:00"
        );
        assert_eq!(
            at("2026-10-25T02:30", Edge::Ends),
            "2026-10-25T01:30:00+00:00"
        );
    }
}
