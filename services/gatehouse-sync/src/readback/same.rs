//! Whether a terminal holds somebody as it was told. Pure. Compared is only what decides who passes,
//! and only as far as the terminal tells it; how a person is written is the hub's
//! (`deliveries/render.rs` there), and what is said here must say the same.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use gatehouse_domain::person::Admittance;
use gatehouse_domain::schedule::{DayPlan, Week};
use serde_json::Value;

/// Longest name that a terminal takes, in characters.
const NAME_MAX_CHARS: usize = 32;
/// The last minute of a day.
const LAST_MINUTE: u16 = 23 * 60 + 59;
/// A day's periods, in minutes, both ends included.
type Periods = Vec<(u16, u16)>;

/// What the terminal would be told about somebody now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub(super) name: String,
    /// The first card.
    pub(super) card: Option<String>,
    pub(super) admittance: Option<Admittance>,
    /// By the device's wall clock.
    pub(super) valid_from: Option<NaiveDateTime>,
    /// By the device's wall clock.
    pub(super) valid_to: Option<NaiveDateTime>,
    /// Where the schedules bind, or the validity alone.
    pub(super) week: Option<Week>,
}

/// The fields in which the terminal holds something else, by their names in the hub's account of a
/// person.
pub(super) fn differing(expected: &Expected, told: &Value) -> Vec<&'static str> {
    let checks: [(&'static str, bool); 5] = [
        ("name", same_name(expected, told)),
        ("card_number", same_card(expected, told)),
        ("priority", same_priority(expected, told)),
        ("validity", same_validity(expected, told)),
        ("pass_times", same_pass_times(expected, told)),
    ];
    let differ = checks.into_iter().filter(|(_, same)| !same);
    differ.map(|(field, _)| field).collect()
}

fn text<'a>(told: &'a Value, field: &str) -> Option<&'a str> {
    told.get(field).and_then(Value::as_str).map(str::trim)
}

fn same_name(expected: &Expected, told: &Value) -> bool {
    let name: String = expected.name.chars().take(NAME_MAX_CHARS).collect();
    text(told, "name").is_none_or(|told| told == name.trim())
}

/// Cards are filled with zeros from the left on their way; no card is an empty text, or zeros.
fn same_card(expected: &Expected, told: &Value) -> bool {
    let bare = |card: &str| card.trim().trim_start_matches('0').to_ascii_lowercase();
    let card = expected.card.as_deref().map(bare).unwrap_or_default();
    text(told, "card_number").is_none_or(|told| bare(told) == card)
}

fn same_priority(expected: &Expected, told: &Value) -> bool {
    let word = match expected.admittance {
        Some(Admittance::Scheduled) => "scheduled",
        Some(Admittance::Always) if binding(expected).is_some() => "scheduled",
        Some(Admittance::Always) => "vip",
        Some(Admittance::Never) => "blocklist",
        None => return true,
    };
    text(told, "priority").is_none_or(|told| told == word)
}

fn same_validity(expected: &Expected, told: &Value) -> bool {
    let first = match expected.valid_from {
        None => NaiveDate::from_ymd_opt(2000, 1, 1),
        Some(from) => Some(from.date()),
    };
    let last = match expected.valid_to {
        None => NaiveDate::from_ymd_opt(2099, 12, 31),
        Some(to) if to.time() == NaiveTime::MIN => to.date().pred_opt(),
        Some(to) => Some(to.date()),
    };
    let same = |field: &str, day: Option<NaiveDate>| {
        // What does not read as a date is the terminal's own way of writing; it is not judged.
        let told = text(told, field).and_then(|day| day.parse::<NaiveDate>().ok());
        told.is_none_or(|told| Some(told) == day)
    };
    same("valid_from_on", first) && same("valid_to_on", last)
}

fn same_pass_times(expected: &Expected, told: &Value) -> bool {
    // Who is not bound is told so by the priority; what the days say then decides nothing.
    let Some(week) = binding(expected) else {
        return true;
    };
    let days = told.get("pass_times").and_then(Value::as_array);
    let days = days.into_iter().flatten();
    week.days.iter().zip(days).all(|(plan, told)| {
        let told = told.as_str().map(periods_told);
        // Not told, or not understood: not judged.
        told.flatten().is_none_or(|told| told == periods_of(plan))
    })
}

/// The week, where it binds: who may always pass is bound only where the validity cuts it.
fn binding(expected: &Expected) -> Option<Week> {
    let week = expected.week.as_ref()?;
    let cut = week.cut(expected.valid_from, expected.valid_to);
    match expected.admittance? {
        Admittance::Scheduled => Some(cut),
        Admittance::Always => (cut != *week).then_some(cut),
        Admittance::Never => None,
    }
}

fn periods_of(plan: &DayPlan) -> Periods {
    match plan {
        DayPlan::AllDay => vec![(0, LAST_MINUTE)],
        // No period at all would mean all day; a closed day is the minute after midnight.
        DayPlan::Spans(spans) if spans.is_empty() => vec![(0, 0)],
        DayPlan::Spans(spans) => spans.iter().map(|s| (s.from_min, s.to_min)).collect(),
    }
}

/// `06_00,09_00,18_00,21_00`; an empty text is all day.
fn periods_told(text: &str) -> Option<Periods> {
    let minutes = |time: &str| -> Option<u16> {
        let (hours, minutes) = time.trim().split_once(['_', ':'])?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then(|| hours.saturating_mul(60).saturating_add(minutes))
    };
    let times = text.split(',').filter(|time| !time.trim().is_empty());
    let times: Vec<u16> = times.map(minutes).collect::<Option<_>>()?;
    if times.is_empty() {
        return Some(vec![(0, LAST_MINUTE)]);
    }
    let (pairs, odd) = times.as_chunks::<2>();
    odd.is_empty()
        .then(|| pairs.iter().map(|[from, to]| (*from, *to)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_domain::schedule::Span;
    use serde_json::json;

    fn week() -> Week {
        let span = |from_min, to_min| Span { from_min, to_min };
        let mut days: [DayPlan; 7] =
            std::array::from_fn(|_| DayPlan::Spans(vec![span(360, 540), span(1080, 1260)]));
        days[5] = DayPlan::Spans(Vec::new());
        days[6] = DayPlan::AllDay;
        Week {
            starts_on: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
            days,
            truncated: false,
        }
    }

    fn expected() -> Expected {
        Expected {
            name: "张三".to_owned(),
            card: Some("8899".to_owned()),
            admittance: Some(Admittance::Scheduled),
            valid_from: None,
            valid_to: None,
            week: Some(week()),
        }
    }

    fn told() -> Value {
        let day = "06_00,09_00,18_00,21_00";
        json!({
            "name": "张三", "card_number": "0000008899", "priority": "scheduled",
            "valid_from_on": "2000-01-01", "valid_to_on": "2099-12-31",
            "pass_times": [day, day, day, day, day, "00_00,00_00", "00_00,23_59"],
        })
    }

    #[test]
    fn what_was_told_reads_back_as_the_same() {
        assert_eq!(differing(&expected(), &told()), Vec::<&str>::new());
    }

    #[test]
    fn what_the_terminal_does_not_tell_is_not_judged() {
        let told =
            json!({ "name": null, "pass_times": [null, null, null, null, null, null, null] });
        assert_eq!(differing(&expected(), &told), Vec::<&str>::new());
        assert_eq!(differing(&expected(), &json!({})), Vec::<&str>::new());
    }

    #[test]
    fn each_field_that_decides_who_passes_is_compared() {
        for (field, value, found) in [
            ("name", json!("李四"), "name"),
            ("card_number", json!("0000008898"), "card_number"),
            ("card_number", json!(""), "card_number"),
            ("priority", json!("vip"), "priority"),
            ("valid_from_on", json!("2020-01-01"), "validity"),
            ("valid_to_on", json!("2030-01-01"), "validity"),
        ] {
            let mut told = told();
            told[field] = value;
            assert_eq!(differing(&expected(), &told), [found]);
        }
        for (day, periods) in [(0, "06_00,09_00"), (1, ""), (5, ""), (6, "00_00,00_00")] {
            let mut told = told();
            told["pass_times"][day] = json!(periods);
            assert_eq!(differing(&expected(), &told), ["pass_times"], "{day}");
        }
    }

    #[test]
    fn an_open_day_may_be_told_as_nothing() {
        let mut told = told();
        told["pass_times"][6] = json!("");
        assert!(differing(&expected(), &told).is_empty());
    }

    #[test]
    fn no_card_is_no_card_however_it_is_told() {
        let expected = Expected {
            card: None,
            ..expected()
        };
        for (card, same) in [("", true), ("0000000000", true), ("0000008899", false)] {
            let mut told = told();
            told["card_number"] = json!(card);
            assert_eq!(differing(&expected, &told).is_empty(), same, "{card}");
        }
    }

    #[test]
    fn days_do_not_matter_for_who_is_not_bound() {
        for (admittance, priority) in [
            (Admittance::Always, "vip"),
            (Admittance::Never, "blocklist"),
        ] {
            let expected = Expected {
                admittance: Some(admittance),
                week: None,
                ..expected()
            };
            let mut told = told();
            assert_eq!(differing(&expected, &told), ["priority"]);
            told["priority"] = json!(priority);
            assert!(differing(&expected, &told).is_empty());
        }
    }

    #[test]
    fn who_may_always_pass_is_bound_where_the_validity_ends() {
        let starts_on = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let expected = Expected {
            admittance: Some(Admittance::Always),
            valid_to: starts_on.and_hms_opt(12, 0, 0),
            week: Some(Week::render(&[None], starts_on)),
            ..expected()
        };
        let closed = "00_00,00_00";
        let mut told = told();
        told["valid_to_on"] = json!("2026-11-23");
        told["pass_times"] = json!([
            "00_00,11_59",
            closed,
            closed,
            closed,
            closed,
            closed,
            closed
        ]);
        assert_eq!(differing(&expected, &told), Vec::<&str>::new());
        told["priority"] = json!("vip");
        told["pass_times"][0] = json!("00_00,23_59");
        assert_eq!(differing(&expected, &told), ["priority", "pass_times"]);
    }

    #[test]
    fn a_validity_that_ends_at_midnight_ends_the_day_before() {
        let at = |day, hour| {
            NaiveDate::from_ymd_opt(2030, 1, day)
                .unwrap()
                .and_hms_opt(hour, 0, 0)
        };
        let mut told = told();
        told["valid_to_on"] = json!("2030-01-04");
        for (valid_to, same) in [(at(5, 0), true), (at(4, 23), true), (at(5, 1), false)] {
            let expected = Expected {
                valid_to,
                week: None,
                ..expected()
            };
            assert_eq!(differing(&expected, &told).is_empty(), same, "{valid_to:?}");
        }
    }
}
