//! Schedules and weeks against each other, minute by minute.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use chrono::{Days, TimeDelta};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

fn span(text: &str) -> Span {
    let (from, to) = text.split_once('-').unwrap();
    Span {
        from_min: minute_of_day(from).unwrap(),
        to_min: minute_of_day(to).unwrap(),
    }
}

fn spans(texts: &[&str]) -> Vec<Span> {
    texts.iter().map(|text| span(text)).collect()
}

/// Weekdays from 08:00 to 18:00, Saturday morning, and two holidays. 2026-11-23 is a Monday.
fn day_shift() -> Schedule {
    serde_json::from_str(
        r#"{"weekdays": [
              {"weekday": 1, "periods": [{"from": "08:00", "to": "18:00"}]},
              {"weekday": 2, "periods": [{"from": "06:30", "to": "09:00"}, {"from": "17:00", "to": "17:00"}]},
              {"weekday": 6, "periods": [{"from": "00:00", "to": "11:59"}]}],
            "holidays": [
              {"date": "2026-11-24", "open": false, "periods": [{"from": "08:00", "to": "18:00"}]},
              {"date": "2026-11-25", "open": true, "periods": [{"from": "10:00", "to": "12:00"}]},
              {"date": "2026-11-26", "open": true}]}"#,
    )
    .unwrap()
}

#[test]
fn times_are_five_characters() {
    for (text, minute) in [
        ("00:00", Some(0)),
        ("08:05", Some(485)),
        ("23:59", Some(1439)),
        ("24:00", None),
        ("12:60", None),
        ("8:00", None),
        ("08:00:00", None),
        ("+8:00", None),
        ("", None),
        ("０8:00", None),
    ] {
        assert_eq!(minute_of_day(text), minute, "{text}");
    }
}

#[test]
fn a_schedule_reads_back_as_written() {
    let text = serde_json::to_string(&day_shift()).unwrap();
    assert!(text.contains(r#"{"from":"06:30","to":"09:00"}"#), "{text}");
    assert_eq!(
        serde_json::from_str::<Schedule>(&text).unwrap(),
        day_shift()
    );
    assert_eq!(
        serde_json::from_str::<Schedule>("{}").unwrap(),
        Schedule::default()
    );
    let error = serde_json::from_str::<Span>(r#"{"from": "8", "to": "18:00"}"#).unwrap_err();
    assert!(error.to_string().contains("08:05"), "{error}");
}

#[test]
fn both_ends_are_included_and_a_holiday_decides_alone() {
    for (at, admitted) in [
        ("2026-11-23 07:59:59", false),
        ("2026-11-23 08:00:00", true),
        ("2026-11-23 18:00:59", true),
        ("2026-11-23 18:01:00", false),
        // A holiday that is closed, whatever its periods and its weekday say.
        ("2026-11-24 08:00:00", false),
        ("2026-11-24 17:00:00", false),
        // The Tuesday after.
        ("2026-12-01 06:29:59", false),
        ("2026-12-01 17:00:30", true),
        ("2026-12-01 17:01:00", false),
        // A holiday that is open at its own times, on a weekday that is closed.
        ("2026-11-25 10:00:00", true),
        ("2026-11-25 09:59:00", false),
        ("2026-12-02 10:30:00", false),
        // A holiday that is open all day.
        ("2026-11-26 00:00:00", true),
        ("2026-11-26 23:59:59", true),
        ("2026-11-28 00:00:00", true),
        ("2026-11-28 12:00:00", false),
        ("2026-11-29 12:00:00", false),
    ] {
        assert_eq!(day_shift().admits(local(at)), admitted, "{at}");
    }
}

#[test]
fn each_fault_has_its_pointer() {
    let weekday = |weekday, periods: &[&str]| WeekdayPlan {
        weekday,
        periods: spans(periods),
    };
    let six = [
        "00:00-00:01",
        "01:00-01:01",
        "02:00-02:01",
        "03:00-03:01",
        "04:00-04:01",
        "05:00-05:01",
    ];
    let holiday = |on: &str, periods: &[&str]| Holiday {
        date: date(on),
        open: true,
        periods: spans(periods),
    };
    let schedule = Schedule {
        weekdays: vec![
            weekday(0, &[]),
            weekday(1, &six),
            weekday(8, &["22:00-06:00"]),
            weekday(1, &six[..5]),
        ],
        holidays: vec![
            holiday("2026-01-01", &six),
            holiday("2026-01-01", &["00:00-00:00", "09:00-08:59"]),
        ],
    };
    let pointers: Vec<String> = schedule.faults().into_iter().map(|f| f.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/weekdays/0/weekday",
            "/weekdays/1/periods",
            "/weekdays/2/weekday",
            "/weekdays/2/periods/0/to",
            "/weekdays/3/weekday",
            "/holidays/0/periods",
            "/holidays/1/date",
            "/holidays/1/periods/1/to",
        ]
    );
    assert_eq!(schedule.check().unwrap_err().pointer, "/weekdays/0/weekday");
    assert_eq!(day_shift().check(), Ok(()));
    let days = |count| Schedule {
        weekdays: Vec::new(),
        holidays: (0..count)
            .map(|n| Holiday {
                date: date("2026-01-01") + Days::new(n),
                open: false,
                periods: Vec::new(),
            })
            .collect(),
    };
    let most = u64::try_from(HOLIDAYS_MAX).unwrap();
    assert_eq!(days(most).check(), Ok(()));
    assert_eq!(days(most + 1).check().unwrap_err().pointer, "/holidays");
}

#[test]
fn a_week_stands_by_weekday_wherever_it_starts() {
    // From Wednesday 2026-11-25 to Tuesday 2026-12-01.
    let week = Week::render(&[Some(&day_shift())], date("2026-11-25"));
    assert_eq!(
        week.days,
        [
            DayPlan::Spans(spans(&["08:00-18:00"])),
            DayPlan::Spans(spans(&["06:30-09:00", "17:00-17:00"])),
            DayPlan::Spans(spans(&["10:00-12:00"])),
            DayPlan::AllDay,
            DayPlan::Spans(vec![]),
            DayPlan::Spans(spans(&["00:00-11:59"])),
            DayPlan::Spans(vec![]),
        ]
    );
    // A week earlier, only the closed Tuesday is in sight.
    let week = Week::render(&[Some(&day_shift())], date("2026-11-18"));
    assert_eq!(week.days[1], DayPlan::Spans(vec![]));
    assert_eq!(week.days[2], DayPlan::Spans(vec![]));
}

#[test]
fn schedules_are_laid_over_each_other() {
    let on = |texts: &[&str]| Schedule {
        weekdays: vec![WeekdayPlan {
            weekday: 1,
            periods: spans(texts),
        }],
        holidays: vec![],
    };
    let monday = |schedules: &[&[&str]]| {
        let schedules: Vec<Schedule> = schedules.iter().map(|texts| on(texts)).collect();
        let schedules: Vec<Option<&Schedule>> = schedules.iter().map(Some).collect();
        let week = Week::render(&schedules, date("2026-11-23"));
        (week.days[0].clone(), week.truncated)
    };
    let told = |texts: &[&str]| DayPlan::Spans(spans(texts));
    for (schedules, plan) in [
        // Touching, overlapping, inside, apart.
        (
            vec![&["08:00-09:59"][..], &["10:00-11:00"]],
            told(&["08:00-11:00"]),
        ),
        (
            vec![&["08:00-10:30"], &["10:00-11:00"]],
            told(&["08:00-11:00"]),
        ),
        (
            vec![&["08:00-18:00"], &["10:00-11:00"]],
            told(&["08:00-18:00"]),
        ),
        (
            vec![&["08:00-09:58"], &["10:00-11:00"]],
            told(&["08:00-09:58", "10:00-11:00"]),
        ),
        (vec![&["00:00-11:59"], &["12:00-23:59"]], DayPlan::AllDay),
        (vec![&[], &[]], told(&[])),
    ] {
        assert_eq!(monday(&schedules), (plan, false), "{schedules:?}");
    }
    // The two shortest of seven go, and what is told is in order.
    let most = ["00:00-00:30", "02:00-02:05", "04:00-04:30", "06:00-06:31"];
    let more = ["08:00-08:30", "10:00-10:04", "12:00-12:30"];
    assert_eq!(
        monday(&[&most, &more]),
        (
            told(&[
                "00:00-00:30",
                "04:00-04:30",
                "06:00-06:31",
                "08:00-08:30",
                "12:00-12:30"
            ]),
            true
        )
    );
    // Without a schedule all days are open; without any authority none is.
    let open = Week::render(&[Some(&day_shift()), None], date("2026-11-23"));
    assert!(open.days.iter().all(|plan| *plan == DayPlan::AllDay));
    let closed = Week::render(&[], date("2026-11-23"));
    assert!(
        closed
            .days
            .iter()
            .all(|plan| *plan == DayPlan::Spans(vec![]))
    );
}

#[test]
fn a_validity_cuts_the_days() {
    let open = Week::render(&[None], date("2026-11-25"));
    let cut = |from: Option<&str>, to: Option<&str>| open.cut(from.map(local), to.map(local)).days;
    // From Friday half past nine to Saturday six o'clock, which is no longer valid.
    let days = cut(Some("2026-11-27 09:30:20"), Some("2026-11-28 18:00:00"));
    let closed = DayPlan::Spans(vec![]);
    assert_eq!(days[2..4], [closed.clone(), closed.clone()]);
    assert_eq!(days[4], DayPlan::Spans(spans(&["09:30-23:59"])));
    assert_eq!(days[5], DayPlan::Spans(spans(&["00:00-17:59"])));
    assert_eq!(days[6], closed);
    // A part of a minute is a minute.
    let days = cut(None, Some("2026-11-28 18:00:01"));
    assert_eq!(days[5], DayPlan::Spans(spans(&["00:00-18:00"])));
    assert_eq!(days[4], DayPlan::AllDay);
    // An end at midnight leaves nothing of the day and all of the day before.
    let days = cut(None, Some("2026-11-28 00:00:00"));
    assert_eq!((&days[5], &days[4]), (&closed, &DayPlan::AllDay));
    assert_eq!(cut(None, None), open.days);
}

#[test]
fn the_canonical_text_tells_weeks_apart_by_what_is_told_alone() {
    let render = |on: &str| Week::render(&[Some(&day_shift())], date(on));
    // Neither week has a holiday.
    assert_eq!(
        render("2026-12-01").canonical(),
        render("2026-12-10").canonical()
    );
    assert_ne!(
        render("2026-11-25").canonical(),
        render("2026-12-10").canonical()
    );
    // A day's plan on the next day is another week.
    let on = |weekday| Schedule {
        weekdays: vec![WeekdayPlan {
            weekday,
            periods: spans(&["08:00-09:00"]),
        }],
        holidays: vec![],
    };
    let canonical = |s: &Schedule| Week::render(&[Some(s)], date("2026-11-23")).canonical();
    assert_ne!(canonical(&on(1)), canonical(&on(2)));
    assert_eq!(canonical(&on(1)), "1;08:00-09:00 ;;;;;;");
    let all = Week::render(&[None], date("2026-11-23")).canonical();
    assert_eq!(all, "1;*;*;*;*;*;*;*");
}

#[test]
fn a_week_reads_back_as_written() {
    let week = Week::render(&[Some(&day_shift())], date("2026-11-25"));
    let text = serde_json::to_string(&week).unwrap();
    assert_eq!(serde_json::from_str::<Week>(&text).unwrap(), week);
    let days = serde_json::to_string(&week.days).unwrap();
    assert!(
        days.starts_with(r#"[{"spans":[{"from":"08:00","to":"18:00"}]},"#),
        "{days}"
    );
    assert!(days.contains(r#""all_day""#), "{days}");
}

/// Periods as somebody may write them: touching, overlapping, single minutes, whole days.
fn any_periods() -> impl Strategy<Value = Vec<Span>> {
    let edge = prop_oneof![Just(0u16), Just(LAST_MINUTE), 0..=LAST_MINUTE];
    let span = (edge.clone(), edge).prop_map(|(one, other)| Span {
        from_min: one.min(other),
        to_min: one.max(other),
    });
    prop::collection::vec(span, 0..=2)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let weekdays = prop::collection::btree_map(1u8..=7, any_periods(), 0..=7);
    // Some within the seven days, some beside them.
    let holidays = prop::collection::btree_map(0u64..12, (any::<bool>(), any_periods()), 0..=5);
    (weekdays, holidays).prop_map(|(weekdays, holidays)| Schedule {
        weekdays: weekdays
            .into_iter()
            .map(|(weekday, periods)| WeekdayPlan { weekday, periods })
            .collect(),
        holidays: holidays
            .into_iter()
            .map(|(day, (open, periods))| Holiday {
                date: date("2026-11-20") + Days::new(day),
                open,
                periods,
            })
            .collect(),
    })
}

/// What a terminal lets pass: it looks at the weekday alone.
fn open_at(week: &Week, at: NaiveDateTime) -> bool {
    let index = usize::try_from(at.weekday().num_days_from_monday()).unwrap();
    match &week.days[index] {
        DayPlan::AllDay => true,
        DayPlan::Spans(spans) => spans.iter().any(|span| span.contains(minute_of(at.time()))),
    }
}

fn minutes_from(starts_on: NaiveDate) -> impl Iterator<Item = NaiveDateTime> {
    let first = starts_on.and_time(NaiveTime::MIN);
    (0..7 * 1440).map(move |minute| first + TimeDelta::minutes(minute))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_week_opens_exactly_when_a_schedule_admits(
        schedules in prop::collection::vec(any_schedule(), 0..=2),
        start in 0u64..5,
    ) {
        let starts_on = date("2026-11-21") + Days::new(start);
        let all: Vec<Option<&Schedule>> = schedules.iter().map(Some).collect();
        let week = Week::render(&all, starts_on);
        prop_assert!(!week.truncated, "two schedules of two periods never have more than five");
        for at in minutes_from(starts_on) {
            let admits = schedules.iter().any(|schedule| schedule.admits(at));
            prop_assert_eq!(open_at(&week, at), admits, "{}", at);
        }
        for plan in &week.days {
            if let DayPlan::Spans(spans) = plan {
                prop_assert!(spans.windows(2).all(|two| two[0].to_min + 1 < two[1].from_min));
                prop_assert!(spans.as_slice() != [Span::ALL_DAY]);
            }
        }
    }

    #[test]
    fn a_truncated_week_opens_never_more(
        schedules in prop::collection::vec(any_schedule(), 4..=8),
    ) {
        let starts_on = date("2026-11-23");
        let all: Vec<Option<&Schedule>> = schedules.iter().map(Some).collect();
        let week = Week::render(&all, starts_on);
        for at in minutes_from(starts_on) {
            let admits = schedules.iter().any(|schedule| schedule.admits(at));
            prop_assert!(admits || !open_at(&week, at), "{}", at);
            prop_assert!(week.truncated || open_at(&week, at) == admits, "{}", at);
        }
        for plan in &week.days {
            if let DayPlan::Spans(spans) = plan {
                prop_assert!(spans.len() <= PERIODS_MAX);
            }
        }
    }

    #[test]
    fn a_cut_week_opens_exactly_within_the_validity(
        schedule in any_schedule(),
        open in any::<bool>(),
        from in prop::option::of(-100_000i64..700_000),
        to in prop::option::of(-100_000i64..700_000),
    ) {
        let starts_on = date("2026-11-23");
        let first = starts_on.and_time(NaiveTime::MIN);
        let (from, to) = (
            from.map(|seconds| first + TimeDelta::seconds(seconds)),
            to.map(|seconds| first + TimeDelta::seconds(seconds)),
        );
        let week = Week::render(&[(!open).then_some(&schedule)], starts_on);
        let cut = week.cut(from, to);
        for at in minutes_from(starts_on) {
            // A minute is valid where a part of it is.
            let begun = from.is_none_or(|from| from < at + TimeDelta::minutes(1));
            let ended = to.is_some_and(|to| to <= at);
            let reversed = from.zip(to).is_some_and(|(from, to)| to <= from);
            if reversed {
                continue;
            }
            prop_assert_eq!(open_at(&cut, at), open_at(&week, at) && begun && !ended, "{}", at);
        }
    }

    #[test]
    fn equal_texts_are_equal_weeks(
        one in any_schedule(),
        other in any_schedule(),
    ) {
        let starts_on = date("2026-11-23");
        let (one, other) = (Week::render(&[Some(&one)], starts_on), Week::render(&[Some(&other)], starts_on));
        prop_assert_eq!(one.canonical() == other.canonical(), one.days == other.days);
    }

    #[test]
    fn what_is_checked_reads_back(schedule in any_schedule()) {
        prop_assert_eq!(schedule.check(), Ok(()));
        let text = serde_json::to_string(&schedule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule.clone());
        let by_date: BTreeMap<_, _> = schedule.holidays.iter().map(|h| (h.date, h.open)).collect();
        prop_assert_eq!(by_date.len(), schedule.holidays.len());
    }
}
