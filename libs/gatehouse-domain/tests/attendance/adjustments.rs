//! Every fault of an adjustment by its code.

use crate::{instant, office};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{AdjustmentDraft, DaySpan, GroupRule, check_range};

const ZONE: Tz = Tz::Asia__Shanghai;

fn check_of(
    rule: Option<&GroupRule>,
    from: &str,
    to: &str,
    reason: &str,
    now: &str,
) -> Result<(), (u32, String)> {
    let draft = AdjustmentDraft {
        begins_at: instant(from, ZONE),
        ends_at: instant(to, ZONE),
        reason,
    };
    let checked = draft.check(rule, ZONE, instant(now, ZONE));
    checked.map_err(|fault| {
        assert!(fault.message.ends_with('.'), "{}", fault.message);
        (fault.code.number(), fault.pointer)
    })
}

fn check(from: &str, to: &str, now: &str) -> Result<(), (u32, String)> {
    check_of(Some(&office()), from, to, "", now)
}

fn begins(code: u32) -> Result<(), (u32, String)> {
    Err((code, "/begins_at".to_owned()))
}

fn ends(code: u32) -> Result<(), (u32, String)> {
    Err((code, "/ends_at".to_owned()))
}

#[test]
fn begin_and_end() {
    let now = "2024-05-20 12:00";
    assert_eq!(
        check("2024-05-06 09:01", "2024-05-06 09:00", now),
        begins(104_030)
    );
    assert_eq!(
        check("2024-05-06 09:00", "2024-05-06 09:00", now),
        ends(104_031)
    );
    assert_eq!(check("2024-05-06 09:00", "2024-05-06 09:01", now), Ok(()));
}

#[test]
fn three_months_are_not_over_three_months() {
    let now = "2024-05-20 12:00";
    assert_eq!(check("2024-05-31 09:00", "2024-08-31 09:00", now), Ok(()));
    assert_eq!(
        check("2024-05-31 09:00", "2024-08-31 09:01", now),
        ends(104_032)
    );
    // There is no 31st of November, so its last day counts.
    assert_eq!(check("2024-08-31 00:00", "2024-11-30 00:00", now), Ok(()));
    assert_eq!(
        check("2024-08-31 00:00", "2024-11-30 00:01", now),
        ends(104_032)
    );
}

#[test]
fn a_range_has_its_own_code() {
    let range = |from, to| {
        let checked = check_range(instant(from, ZONE), instant(to, ZONE), ZONE);
        checked.map_err(|fault| fault.code.number())
    };
    assert_eq!(range("2024-05-31 09:00", "2024-08-31 09:00"), Ok(()));
    assert_eq!(range("2024-05-31 09:00", "2024-08-31 09:01"), Err(104_043));
    assert_eq!(range("2024-05-31 09:00", "2024-05-31 09:00"), Err(104_031));
    assert_eq!(range("2024-05-31 09:00", "2024-05-31 08:59"), Err(104_030));
}

#[test]
fn the_end_of_time_is_no_fault() {
    use chrono::{DateTime, TimeDelta, Utc};
    let last = DateTime::<Utc>::MAX_UTC;
    assert_eq!(check_range(last - TimeDelta::hours(1), last, ZONE), Ok(()));
    let first = DateTime::<Utc>::MIN_UTC;
    let new_york = Tz::America__New_York;
    assert_eq!(
        check_range(first, first + TimeDelta::hours(1), new_york),
        Ok(())
    );
}

#[test]
fn only_members_are_adjusted() {
    let nobody = check_of(
        None,
        "2024-05-06 09:00",
        "2024-05-06 18:00",
        "",
        "2024-05-20 12:00",
    );
    assert_eq!(nobody, Err((104_405, "/person_id".to_owned())));
    // The span comes before the membership, the membership before the month.
    let long = check_of(
        None,
        "2024-01-06 09:00",
        "2024-05-06 18:00",
        "",
        "2024-05-20 12:00",
    );
    assert_eq!(long, ends(104_032));
    let old = check_of(
        None,
        "2024-01-06 09:00",
        "2024-01-06 18:00",
        "",
        "2024-05-20 12:00",
    );
    assert_eq!(old, Err((104_405, "/person_id".to_owned())));
}

#[test]
fn through_the_fifth_the_previous_month_can_be_adjusted() {
    for now in ["2024-05-01 00:00", "2024-05-05 23:59:59"] {
        assert_eq!(check("2024-04-01 00:00", "2024-04-01 20:00", now), Ok(()));
        assert_eq!(
            check("2024-03-29 00:00", "2024-03-29 20:00", now),
            begins(104_037)
        );
    }
}

#[test]
fn after_the_fifth_only_this_month() {
    for now in ["2024-05-06 00:00", "2024-05-31 23:59"] {
        assert_eq!(check("2024-05-01 00:00", "2024-05-01 20:00", now), Ok(()));
        assert_eq!(
            check("2024-04-30 00:00", "2024-04-30 20:00", now),
            begins(104_038)
        );
        assert_eq!(
            check("2024-07-01 00:00", "2024-07-01 20:00", now),
            Ok(()),
            "what is to come"
        );
    }
    // The 6th in the group's zone, while it is the 5th elsewhere.
    assert_eq!(
        check("2024-04-30 00:00", "2024-04-30 20:00", "2024-05-06 01:00"),
        begins(104_038)
    );
}

#[test]
fn january_looks_back_to_december() {
    assert_eq!(
        check("2023-12-01 00:00", "2023-12-01 20:00", "2024-01-05 12:00"),
        Ok(())
    );
    assert_eq!(
        check("2023-11-30 00:00", "2023-11-30 20:00", "2024-01-05 12:00"),
        begins(104_037)
    );
}

#[test]
fn the_month_is_that_of_the_first_record_it_meets() {
    let mut night: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "21:30", "on_et": "22:00", "off_st": "06:00", "off_et": "07:00"}],
            "week_plan": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}"#,
    )
    .unwrap();
    let of = |rule: &GroupRule, from| {
        check_of(Some(rule), from, "2024-05-01 08:00", "", "2024-05-20 12:00")
    };
    // Filed under April 30, where it starts.
    assert_eq!(of(&night, "2024-04-30 21:00"), begins(104_038));
    // Filed under May 1, where it ends; until 07:00 a night that is April 30's goes on.
    night.day_span = DaySpan::End;
    assert_eq!(of(&night, "2024-04-30 21:00"), Ok(()));
    assert_eq!(of(&night, "2024-04-30 07:01"), Ok(()));
    assert_eq!(of(&night, "2024-04-30 07:00:59"), begins(104_038));
    // A night of April 30 that is met on May 1 is still April's.
    night.day_span = DaySpan::Start;
    assert_eq!(of(&night, "2024-05-01 07:00"), begins(104_038));
    assert_eq!(of(&night, "2024-05-01 07:01"), Ok(()));
    // A weekend before the 1st has no record.
    let weekend = check_of(
        Some(&office()),
        "2024-06-29 00:00",
        "2024-07-01 20:00",
        "",
        "2024-07-20 12:00",
    );
    assert_eq!(weekend, Ok(()));
    // Its end meets the first minute of a record.
    let meets = check_of(
        Some(&office()),
        "2024-06-27 19:00",
        "2024-06-28 08:30",
        "",
        "2024-07-20 12:00",
    );
    assert_eq!(meets, begins(104_038));
    let two: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "08:30", "on_et": "09:00", "off_st": "12:00", "off_et": "13:00"},
                        {"order": 2, "on_st": "19:00", "on_et": "19:30", "off_st": "21:00", "off_et": "22:00"}],
            "week_plan": ["monday"]}"#,
    )
    .unwrap();
    let until = |to| check_of(Some(&two), "2024-06-29 00:00", to, "", "2024-07-20 12:00");
    assert_eq!(
        until("2024-07-01 08:30"),
        Ok(()),
        "the first of two periods of July 1 is met"
    );
    assert_eq!(
        until("2024-07-01 08:29:59"),
        begins(104_038),
        "it is not met, and June 29 decides"
    );
    let misses = check_of(
        Some(&night),
        "2024-06-30 10:00",
        "2024-06-30 21:29:59",
        "",
        "2024-07-20 12:00",
    );
    assert_eq!(
        misses,
        begins(104_038),
        "no record is met: the beginning decides"
    );
}

#[test]
fn a_reason_is_short() {
    let reason = |count: usize| {
        let text = "请".repeat(count);
        check_of(
            Some(&office()),
            "2024-05-06 09:00",
            "2024-05-06 18:00",
            &text,
            "2024-05-20 12:00",
        )
    };
    assert_eq!(reason(50), Ok(()));
    assert_eq!(reason(51), Err((104_034, "/reason".to_owned())));
}
