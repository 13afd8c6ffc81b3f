//! A person in the words of document 004, 2.2.1. Pure.
//!
//! What the document leaves open is decided here:
//! - A message is complete: what somebody has not is written as empty, also in a change. Terminals
//!   seem to accept sparse items (protocols, 1.1), so what is left out may stay as it was: a card that
//!   was taken away would go on opening doors.
//! - The document requires what the platform need not know. Somebody whose gender is not told is
//!   written 男, as in its samples; it shows nowhere, because nobody is addressed by title. Without a
//!   birthday: 1970-01-01. Without a phone, or with one that is longer than the document's 16: empty.
//!   Without a validity: 2000 to 2099.
//! - A day on which all hours are open is written `00_00,23_59`, as in the document's sample for
//!   Sunday, and not left out, for the same reason. A closed day cannot be left empty, because that
//!   means all day; it is `00_00,00_00`, which leaves a minute after midnight.
//! - Who may always pass is told so only while the validity neither begins nor ends inside the week:
//!   passing times do not bind a VIP, and the document's validity knows whole days. Until then, and
//!   again before the end, they are written as bound, with all hours of the validity open.
//! - A card of fewer than ten digits is filled with zeros from the left, as real servers of these
//!   terminals do (protocols, 1.1); other card numbers go as they are.
//! - A text of the tenant's own is said after the name (mode 1); without one nothing special is
//!   said (mode 0).
//! - Photos move up: the first that somebody has is the terminal's first, whatever its slot, because
//!   a terminal wants its first one.

use super::offer::{Offer, Photo, Profile, What};
use chrono::{NaiveDate, NaiveTime};
use gatehouse_domain::person::{self, Admittance};
use gatehouse_domain::schedule::{DayPlan, Week};
use gatehouse_proto_terminal::pass_times::{DaySpans, Span};
use gatehouse_proto_terminal::{
    Announcement, Gender, PersonInfo, PersonOperation, PersonPhoto, Priority,
};
use std::sync::Arc;

/// Longest name, phone and text of the document, in characters.
const NAME_MAX_CHARS: usize = 32;
const PHONE_MAX_CHARS: usize = 16;
const TEXT_MAX_CHARS: usize = 30;
/// The digits of a card number, as terminals read it from the card.
const CARD_DIGITS: usize = 10;
/// The last minute of a day.
const LAST_MINUTE: u16 = 23 * 60 + 59;

/// What is asked of the terminal; `photos` are those of the offer, in its order, in Base64.
pub(crate) fn person(offer: &Offer, photos: &[Arc<str>]) -> PersonInfo {
    match &offer.what {
        What::Removal | What::Unsendable(_) => {
            PersonInfo::new(PersonOperation::Delete, offer.number.clone(), String::new())
        }
        What::Person(profile) => told(&offer.number, profile, photos),
    }
}

fn told(number: &str, profile: &Profile, photos: &[Arc<str>]) -> PersonInfo {
    let operation = if profile.is_known {
        PersonOperation::Change
    } else {
        PersonOperation::Add
    };
    let gender = match profile.gender {
        person::Gender::Male | person::Gender::Unknown => Gender::Male,
        person::Gender::Female => Gender::Female,
    };
    let week = binding(profile);
    let priority = match profile.admittance {
        Admittance::Scheduled => Priority::Scheduled,
        Admittance::Always if week.is_some() => Priority::Scheduled,
        Admittance::Always => Priority::Vip,
        Admittance::Never => Priority::Blocklist,
    };
    let phone = profile.phone.as_deref().unwrap_or_default();
    let phone_fits = phone.chars().count() <= PHONE_MAX_CHARS;
    PersonInfo {
        operation,
        id_number: number.to_owned(),
        card_number: Some(profile.card.as_deref().map(card).unwrap_or_default()),
        name: cut(&profile.name, NAME_MAX_CHARS),
        gender: Some(gender),
        birthday_on: profile.birthday_on.or_else(|| date(1970, 1, 1)),
        phone: Some(phone)
            .filter(|_| phone_fits)
            .or(Some(""))
            .map(str::to_owned),
        valid_from_on: first_day(profile),
        valid_to_on: last_day(profile),
        priority: Some(priority),
        photos: slots(&profile.photos, photos),
        voice: announcement(profile.welcome_text.as_deref()),
        display: announcement(profile.display_text.as_deref()),
        pass_times: pass_times(week.as_ref()),
    }
}

fn date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

fn card(number: &str) -> String {
    if number.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{number:0>CARD_DIGITS$}")
    } else {
        number.to_owned()
    }
}

fn first_day(profile: &Profile) -> Option<NaiveDate> {
    profile
        .valid_from
        .map_or_else(|| date(2000, 1, 1), |from| Some(from.date()))
}

/// The last day of which at least a moment is valid: at midnight it is the day before.
fn last_day(profile: &Profile) -> Option<NaiveDate> {
    match profile.valid_to {
        None => date(2099, 12, 31),
        Some(to) if to.time() == NaiveTime::MIN => to.date().pred_opt(),
        Some(to) => Some(to.date()),
    }
}

/// Three slots, as in the document's sample: those without a photo are empty.
fn slots(photos: &[Photo], base64: &[Arc<str>]) -> [Option<PersonPhoto>; 3] {
    let mut given = photos.iter().zip(base64);
    std::array::from_fn(|_| {
        let (number, base64) = given
            .next()
            .map(|(photo, base64)| (photo.number.clone(), base64.as_ref().to_owned()))
            .unwrap_or_default();
        Some(PersonPhoto { number, base64 })
    })
}

fn announcement(text: Option<&str>) -> Announcement {
    let text = cut(text.unwrap_or_default().trim(), TEXT_MAX_CHARS);
    Announcement {
        mode: Some(u8::from(!text.is_empty())),
        with_title: Some(false),
        text_before_name: Some(String::new()),
        text: Some(text),
    }
}

/// Where the week binds, its days within the validity: who may always pass is bound only where the
/// validity cuts it, and who may never pass is kept out by the priority.
fn binding(profile: &Profile) -> Option<Week> {
    let week = profile.week.as_deref()?;
    let cut = week.cut(profile.valid_from, profile.valid_to);
    match profile.admittance {
        Admittance::Scheduled => Some(cut),
        Admittance::Always => (cut != *week).then_some(cut),
        Admittance::Never => None,
    }
}

/// The days of the week that binds; otherwise every day is open.
fn pass_times(week: Option<&Week>) -> [Option<DaySpans>; 7] {
    match week {
        Some(week) => week.days.each_ref().map(|day| Some(spans(day))),
        None => std::array::from_fn(|_| Some(spans(&DayPlan::AllDay))),
    }
}

fn spans(day: &DayPlan) -> DaySpans {
    let span = |from_min, to_min| Span { from_min, to_min };
    DaySpans(match day {
        DayPlan::AllDay => vec![span(0, LAST_MINUTE)],
        DayPlan::Spans(spans) if spans.is_empty() => vec![span(0, 0)],
        DayPlan::Spans(spans) => spans.iter().map(|s| span(s.from_min, s.to_min)).collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_proto_terminal::Downlink;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn profile() -> Profile {
        Profile {
            is_known: false,
            content: vec![1, 2],
            admittance: Admittance::Scheduled,
            name: "张三".into(),
            gender: person::Gender::Unknown,
            birthday_on: None,
            phone: None,
            valid_from: None,
            valid_to: None,
            welcome_text: None,
            display_text: None,
            card: None,
            photos: vec![Photo {
                number: "654321".into(),
                sha256: [0; 32],
            }],
            week: Some(Arc::new(week())),
        }
    }

    /// 2026-11-25 is a Wednesday: Monday and Tuesday are those of the week after.
    fn week() -> Week {
        let morning = gatehouse_domain::schedule::Span {
            from_min: 360,
            to_min: 540,
        };
        let evening = gatehouse_domain::schedule::Span {
            from_min: 1080,
            to_min: 1260,
        };
        let mut days: [DayPlan; 7] =
            std::array::from_fn(|_| DayPlan::Spans(vec![morning, evening]));
        days[5] = DayPlan::Spans(Vec::new());
        days[6] = DayPlan::AllDay;
        Week {
            starts_on: date(2026, 11, 25).unwrap(),
            days,
            truncated: false,
        }
    }

    fn offer(what: What) -> Offer {
        Offer {
            id: Uuid::nil(),
            number: "20001".into(),
            what,
        }
    }

    /// The item as it stands in the frame.
    fn item(what: What) -> Value {
        let info = person(&offer(what), &["QUJD".into()]);
        let frame = Downlink::RegisterPerson(Box::new(info)).encode("FaceDevice001", "2");
        let frame: Value = serde_json::from_str(&frame).unwrap();
        frame["personInfoData"][0].clone()
    }

    #[test]
    fn what_is_not_known_is_written_all_the_same() {
        let item = item(What::Person(Box::new(profile())));
        let expected = json!({
            "operateType": "0", "idNumber": "20001", "normalNumber": "", "name": "张三", "sex": "男",
            "birthday": "1970年1月1日", "phone": "", "validDateStart": "2000_01_01", "validDateEnd": "2099_12_31",
            "priority": "0",
            "registerPhoto1": "QUJD", "registerPhotoID1": "654321",
            "registerPhoto2": "", "registerPhotoID2": "", "registerPhoto3": "", "registerPhotoID3": "",
            "voiceSpecialMode": "0", "voiceNameSexEnable": "0", "visitorVoiceTextBeforeName": "", "visitorVoiceText": "",
            "displaySpecialMode": "0", "displayNameSexEnable": "0", "visitordisplayTextBeforeName": "", "visitordisplayText": "",
            "passTime1": "06_00,09_00,18_00,21_00", "passTime2": "06_00,09_00,18_00,21_00",
            "passTime3": "06_00,09_00,18_00,21_00", "passTime4": "06_00,09_00,18_00,21_00",
            "passTime5": "06_00,09_00,18_00,21_00", "passTime6": "00_00,00_00", "passTime7": "00_00,23_59",
        });
        assert_eq!(item, expected);
    }

    #[test]
    fn what_is_known_is_told() {
        let item = item(What::Person(Box::new(Profile {
            is_known: true,
            gender: person::Gender::Female,
            birthday_on: date(1997, 4, 3),
            phone: Some("18868681819".into()),
            card: Some("8899".into()),
            welcome_text: Some("欢".repeat(40)),
            display_text: Some("  ".into()),
            ..profile()
        })));
        assert_eq!(item["operateType"], "1");
        assert_eq!(item["sex"], "女");
        assert_eq!(item["birthday"], "1997年4月3日");
        assert_eq!(item["phone"], "18868681819");
        assert_eq!(item["normalNumber"], "0000008899");
        assert_eq!(item["voiceSpecialMode"], "1");
        assert_eq!(item["visitorVoiceText"], "欢".repeat(30));
        assert_eq!(item["displaySpecialMode"], "0");
        assert_eq!(item["visitordisplayText"], "");
    }

    #[test]
    fn cards_that_are_no_short_number_go_as_they_are() {
        assert_eq!(card("12345678901234"), "12345678901234");
        assert_eq!(card("04A2B3C4"), "04A2B3C4");
        assert_eq!(card("0123456789"), "0123456789");
    }

    #[test]
    fn who_is_bound_by_no_week_is_told_by_priority() {
        for (admittance, priority) in [(Admittance::Always, "2"), (Admittance::Never, "1")] {
            let item = item(What::Person(Box::new(Profile {
                admittance,
                ..profile()
            })));
            assert_eq!(item["priority"], priority);
            for day in 1..=7 {
                assert_eq!(item[format!("passTime{day}")], "00_00,23_59");
            }
        }
    }

    #[test]
    fn validity_cuts_the_week_and_ends_on_its_last_day() {
        let at = |day, hour| date(2026, 11, day).unwrap().and_hms_opt(hour, 0, 0);
        let item = item(What::Person(Box::new(Profile {
            valid_from: at(26, 8),
            valid_to: at(28, 0),
            ..profile()
        })));
        assert_eq!(item["validDateStart"], "2026_11_26");
        assert_eq!(
            item["validDateEnd"], "2026_11_27",
            "midnight ends the day before"
        );
        assert_eq!(item["passTime3"], "00_00,00_00", "Wednesday is before it");
        assert_eq!(
            item["passTime4"], "08_00,09_00,18_00,21_00",
            "Thursday from eight"
        );
        assert_eq!(
            item["passTime5"], "06_00,09_00,18_00,21_00",
            "Friday in full"
        );
        assert_eq!(item["passTime1"], "00_00,00_00", "Monday is after it");
    }

    #[test]
    fn who_may_always_pass_is_bound_where_the_validity_begins_or_ends() {
        let at = |month, day, hour| date(2026, month, day).unwrap().and_hms_opt(hour, 0, 0);
        let told = |valid_from, valid_to| {
            let open = Week::render(&[None], date(2026, 11, 25).unwrap());
            item(What::Person(Box::new(Profile {
                admittance: Admittance::Always,
                week: Some(Arc::new(open)),
                valid_from,
                valid_to,
                ..profile()
            })))
        };
        let visit = told(at(11, 26, 8), at(11, 27, 18));
        assert_eq!(visit["priority"], "0");
        let days: Vec<&Value> = (1..=7).map(|d| &visit[format!("passTime{d}")]).collect();
        let closed = "00_00,00_00";
        assert_eq!(
            days,
            [
                closed,
                closed,
                closed,
                "08_00,23_59",
                "00_00,17_59",
                closed,
                closed
            ]
        );
        let later = told(at(12, 20, 8), None);
        assert_eq!(
            (&later["priority"], &later["passTime4"]),
            (&json!("0"), &json!(closed))
        );
        let within = told(at(11, 1, 8), at(12, 20, 8));
        assert_eq!(
            (&within["priority"], &within["passTime4"]),
            (&json!("2"), &json!("00_00,23_59"))
        );
    }

    #[test]
    fn a_removal_carries_the_number_alone() {
        assert_eq!(
            item(What::Removal),
            json!({"operateType": "2", "idNumber": "20001"})
        );
    }

    #[test]
    fn photos_move_up_and_more_than_three_are_left() {
        let photo = |n: u8| Photo {
            number: format!("10000{n}"),
            sha256: [n; 32],
        };
        let all: Vec<Photo> = (1..=4).map(photo).collect();
        let base64: Vec<Arc<str>> = (1..=4).map(|n| format!("P{n}").into()).collect();
        let slots = slots(&all, &base64);
        let written: Vec<String> = slots
            .iter()
            .flatten()
            .map(|slot| format!("{} {}", slot.number, slot.base64))
            .collect();
        assert_eq!(written, ["100001 P1", "100002 P2", "100003 P3"]);
    }
}
