//! `syface` (9.2) and `syattribute` (9.3): somebody stood before the device. One reader serves both,
//! because devices wrap and leave flat as they like.

use super::{body, instant, unwrapped, words};
use chrono::{DateTime, Utc};
use gatehouse_domain::record::{Mask, Passage};
use gatehouse_wire::{Object, ReadError, Value};
use std::fmt;

/// A picture as it stands in a body: Base64 text without white space and without a `data:` prefix,
/// never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Base64Text(String);

impl Base64Text {
    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let base64 = match text.strip_prefix("data:") {
            Some(url) => url.split_once(',').map_or(url, |(_, base64)| base64),
            None => text,
        };
        let base64: String = base64.split_whitespace().collect();
        (!base64.is_empty()).then_some(Self(base64))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Base64Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Text({} characters)", self.0.len())
    }
}

/// What an identity card held against the device says (9.2). Sensitive: it stands nowhere else, in
/// particular not in [`Sight::raw`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdCard {
    /// `name`.
    pub name: Option<String>,
    /// `gender`, for example `男`.
    pub gender: Option<String>,
    /// `national`: the ethnicity.
    pub national: Option<String>,
    /// `birthday`, for example `19961122`.
    pub birthday: Option<String>,
    /// `address`.
    pub address: Option<String>,
    /// `id`: the number of the card.
    pub id: Option<String>,
    /// `maker`: who issued it.
    pub maker: Option<String>,
    /// `startDate`, for example `2012.11.22`.
    pub start_date: Option<String>,
    /// `endDate`.
    pub end_date: Option<String>,
}

/// What a device saw. `None` and empty text mean that it did not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// `deviceid` as written here; the address decides.
    pub device_id: Option<String>,
    /// `userId`: the person's number; empty where nobody was recognised.
    pub user_id: String,
    /// `userName`.
    pub user_name: String,
    /// `userType`.
    pub user_type: Option<String>,
    /// From `actionCode`: 1 in, 2 out.
    pub passage: Passage,
    /// `temperature`; `None` where not measured.
    pub temperature_celsius: Option<f32>,
    /// From `mask`.
    pub mask: Mask,
    /// `screenTime` as received, trimmed; see [`Sight::seen_at`].
    pub screen_time: String,
    /// `similarity`.
    pub similarity: Option<f32>,
    /// `openCode` (9.3): 100 opened, 101 temperature, 102 no mask; others exist.
    pub open_code: Option<String>,
    /// `openMsg` (9.3).
    pub open_message: Option<String>,
    /// What an identity card said, in `idCardInfo` or flat.
    pub id_card: Option<IdCard>,
    /// `img`: who stood there.
    pub image: Option<Base64Text>,
    /// `IDCardImg`: the picture of the card.
    pub id_card_image: Option<Base64Text>,
    /// All members as received, except the pictures and those of the identity card.
    pub raw: serde_json::Value,
}

impl Sight {
    /// When it was, by the device's clock: `screenTime` in seconds or milliseconds.
    #[must_use]
    pub fn seen_at(&self) -> Option<DateTime<Utc>> {
        instant::instant(&self.screen_time)
    }
}

/// Reads a body of `syface` or `syattribute`, flat or in `Info`. What stands beside `Info`
/// (`idCardInfo`, `IDCardImg`) counts as if it stood in it.
///
/// # Errors
/// [`ReadError`] where the body is no JSON object within the limits.
pub fn read_sight(bytes: &[u8]) -> Result<Sight, ReadError> {
    let (mut info, mut beside) = unwrapped(body(bytes)?, "Info");
    let image = take_image(&mut info, beside.as_mut(), "img");
    let id_card_image = take_image(&mut info, beside.as_mut(), "IDCardImg");
    let id_card = take_id_card(&mut info, beside.as_mut());
    Ok(Sight {
        device_id: words(&info, "deviceid"),
        user_id: words(&info, "userId").unwrap_or_default(),
        user_name: words(&info, "userName").unwrap_or_default(),
        user_type: words(&info, "userType"),
        passage: passage(info.word("actionCode"), info.word("action")),
        temperature_celsius: info.word("temperature").and_then(temperature),
        mask: info.word("mask").map_or(Mask::Unknown, mask),
        screen_time: words(&info, "screenTime").unwrap_or_default(),
        similarity: info
            .parsed::<f32>("similarity")
            .filter(|score| score.is_finite()),
        open_code: words(&info, "openCode"),
        open_message: words(&info, "openMsg"),
        id_card,
        image,
        id_card_image,
        raw: raw(info, beside),
    })
}

fn take_image<'a>(
    info: &mut Object<'a>,
    beside: Option<&mut Object<'a>>,
    name: &str,
) -> Option<Base64Text> {
    let outer = beside.and_then(|object| object.take_text(name));
    let text = info.take_text(name).or(outer)?;
    Base64Text::new(&text)
}

/// The card's members: in an object of their own, in or beside `Info`, or flat as the table has them.
fn take_id_card<'a>(info: &mut Object<'a>, beside: Option<&mut Object<'a>>) -> Option<IdCard> {
    let outer = beside.and_then(|object| object.take("idCardInfo"));
    match info.take("idCardInfo").or(outer) {
        Some(Value::Object(mut card)) => read_id_card(&mut card),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_))
        | None => read_id_card(info),
    }
}

fn read_id_card(object: &mut Object<'_>) -> Option<IdCard> {
    let mut taken = |name| {
        object
            .take_text(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let card = IdCard {
        name: taken("name"),
        gender: taken("gender"),
        national: taken("national"),
        birthday: taken("birthday"),
        address: taken("address"),
        id: taken("id"),
        maker: taken("maker"),
        start_date: taken("startDate"),
        end_date: taken("endDate"),
    };
    (card != IdCard::default()).then_some(card)
}

/// What stood beside the wrapper is kept beside it.
fn raw(info: Object<'_>, beside: Option<Object<'_>>) -> serde_json::Value {
    let Some(beside) = beside else {
        return info.into_json();
    };
    let mut kept = beside.into_json();
    if let Some(members) = kept.as_object_mut() {
        members.insert("Info".to_owned(), info.into_json());
    }
    kept
}

/// The number counts; the word stands in where there is none.
fn passage(code: Option<&str>, word: Option<&str>) -> Passage {
    match (code, word) {
        (Some("1"), _) | (None, Some("进门" | "进")) => Passage::In,
        (Some("2"), _) | (None, Some("出门" | "出")) => Passage::Out,
        _ => Passage::Unknown,
    }
}

/// The number at the beginning: `36.5°C`, `36.3`, `36.5℃`. Not measured comes as 0 or empty.
fn temperature(text: &str) -> Option<f32> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(text.len());
    text.get(..end)?
        .parse()
        .ok()
        .filter(|celsius| *celsius > 0.0 && *celsius < 100.0)
}

fn mask(text: &str) -> Mask {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "1", "yes", "是", "已佩戴", "戴口罩"]) {
        Mask::Worn
    } else if is(&["false", "0", "no", "否", "未佩戴", "未戴口罩"]) {
        Mask::NotWorn
    } else {
        Mask::Unknown
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn temperatures_are_the_number_at_the_beginning() {
        for (text, expected) in [
            ("36.5°C", Some(36.5)),
            ("36.3", Some(36.3)),
            ("36.6 ℃", Some(36.6)),
            ("36", Some(36.0)),
            ("0", None),
            ("0.0", None),
            ("", None),
            ("°C", None),
            ("--", None),
            ("999", None),
            ("nan", None),
        ] {
            assert_eq!(temperature(text), expected, "{text}");
        }
    }

    #[test]
    fn debug_does_not_print_the_picture() {
        let sight = read_sight(br#"{"img": "QUJD"}"#).unwrap();
        assert!(!format!("{sight:?}").contains("QUJD"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_sight(&bytes);
            let _ = super::super::read_results(&bytes);
            let _ = super::super::read_heartbeat(&bytes);
        }

        #[test]
        fn members_of_any_kind_are_read(key in "(Info|img|temperature|mask|screenTime|idCardInfo|similarity|userId|resultList|Heartinfo)",
                                        value in "(null|true|-?[0-9]{1,25}(\\.[0-9]{1,3})?|\"[^\"\\\\]{0,20}\"|\\[\\]|\\{\\}|\\[\\{\\}\\])") {
            let text = format!("{{\"{key}\": {value}, \"Info\": {{\"{key}\": {value}}}}}");
            let _ = read_sight(text.as_bytes());
            let _ = super::super::read_results(text.as_bytes());
            let _ = super::super::read_heartbeat(text.as_bytes());
        }
    }
}
