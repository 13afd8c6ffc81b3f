//! Every fault of a rule and of a name by its code, and the order of the checks.

use crate::office;
use chrono::{Days, NaiveDate};
use gatehouse_domain::attendance::{
    DaySpan, FaultCode, GroupRule, Period, PlanDay, RuleFault, SpecialDate, check_name,
};

fn today() -> NaiveDate {
    "2024-05-06".parse().unwrap()
}

fn period(order: u8, times: &str) -> Period {
    let times: Vec<&str> = times.split(' ').collect();
    let json = serde_json::json!({
        "order": order, "on_st": times[0], "on_et": times[1], "off_st": times[2], "off_et": times[3]
    });
    serde_json::from_value(json).unwrap()
}

/// Periods numbered from 1.
fn rule(periods: &[&str]) -> GroupRule {
    let periods = (1..)
        .zip(periods)
        .map(|(order, times)| period(order, times))
        .collect();
    GroupRule::plain(periods, vec![PlanDay::read("MONDAY")])
}

fn told(checked: Result<(), RuleFault>) -> Result<(), (u32, String)> {
    checked.map_err(|fault| {
        assert!(
            fault.message.ends_with('.') && fault.message.len() > 20,
            "{}",
            fault.message
        );
        (fault.code.number(), fault.pointer)
    })
}

fn checked(rule: &GroupRule) -> Result<(), (u32, String)> {
    told(rule.check(today(), None))
}

fn fault(code: u32, pointer: &str) -> Result<(), (u32, String)> {
    Err((code, pointer.to_owned()))
}

const DAY: &str = "08:30 09:00 18:00 18:30";

#[test]
fn a_plain_rule_passes() {
    assert_eq!(checked(&office()), Ok(()));
    assert_eq!(
        checked(&rule(&["09:00 09:00 09:00 09:00"])),
        Ok(()),
        "no time lies after another"
    );
    assert_eq!(checked(&rule(&["00:00 00:00 23:59 23:59"])), Ok(()));
}

#[test]
fn no_period() {
    assert_eq!(checked(&rule(&[])), fault(104_413, "/periods"));
}

#[test]
fn over_three_periods() {
    let four = [
        "00:00 01:00 02:00 03:00",
        "04:00 05:00 06:00 07:00",
        "08:00 09:00 10:00 11:00",
        "12:00 13:00 14:00 15:00",
    ];
    assert_eq!(checked(&rule(&four[..3])), Ok(()));
    assert_eq!(checked(&rule(&four)), fault(104_415, "/periods"));
}

#[test]
fn orders_are_one_to_n() {
    let mut rule = rule(&["04:00 05:00 06:00 07:00", "08:00 09:00 10:00 11:00"]);
    for (first, second, place) in [(1, 1, 1), (0, 1, 0), (1, 3, 1), (2, 2, 1), (3, 1, 0)] {
        (rule.periods[0].order, rule.periods[1].order) = (first, second);
        assert_eq!(
            checked(&rule),
            fault(104_414, &format!("/periods/{place}/order")),
            "{first} {second}"
        );
    }
    (rule.periods[0].order, rule.periods[1].order) = (2, 1);
    assert_eq!(checked(&rule), Ok(()));
}

#[test]
fn a_start_after_its_end() {
    for (times, place) in [
        ("09:00 08:59 18:00 18:30", "on_et"),
        ("08:30 18:01 18:00 18:30", "off_st"),
        ("08:30 09:00 18:31 18:30", "off_et"),
        ("08:30 08:30 18:31 18:30", "off_et"),
        ("08:30 18:00 18:00 17:59", "off_et"),
        // A wrap that ends no earlier than it began would be longer than a day.
        ("22:00 22:30 06:00 22:00", "off_st"),
        // Two wraps.
        ("22:00 21:00 20:00 19:00", "on_et"),
        ("22:00 02:00 01:00 06:00", "on_et"),
    ] {
        assert_eq!(
            checked(&rule(&[times])),
            fault(104_419, &format!("/periods/0/{place}")),
            "{times}"
        );
    }
}

#[test]
fn a_night_may_wrap_anywhere_once() {
    for times in [
        "23:00 00:30 06:00 07:00",
        "22:00 22:30 06:00 07:00",
        "14:00 15:00 23:30 00:30",
        "22:00 22:00 12:00 12:00",
    ] {
        assert_eq!(checked(&rule(&[times])), Ok(()), "{times}");
    }
}

#[test]
fn two_nights() {
    let two = rule(&["20:00 20:10 00:10 00:20", "22:00 22:30 06:00 07:00"]);
    assert_eq!(checked(&two), fault(104_025, "/periods/1"));
}

#[test]
fn a_night_ends_by_noon() {
    assert_eq!(checked(&rule(&["22:00 22:30 06:00 12:00"])), Ok(()));
    assert_eq!(
        checked(&rule(&["22:00 22:30 06:00 12:01"])),
        fault(104_416, "/periods/0/off_et")
    );
}

#[test]
fn periods_are_a_day_at_most() {
    let over = rule(&["00:00 01:00 12:00 13:00", "12:00 13:00 23:00 23:02"]);
    assert_eq!(checked(&over), fault(104_417, "/periods"));
    let long = rule(&["08:00 08:30 20:00 20:01", "20:00 20:30 07:00 08:00"]);
    assert_eq!(checked(&long), fault(104_417, "/periods"));
    // Exactly 24 hours are not over; they touch themselves, which is another fault.
    let full = rule(&["08:00 08:30 19:00 20:00", "20:00 20:30 07:00 08:00"]);
    assert_eq!(checked(&full), fault(104_418, "/periods/1"));
}

#[test]
fn periods_do_not_overlap() {
    for (one, other) in [
        ("08:00 08:30 12:00 13:00", "12:59 13:30 17:00 18:00"),
        ("12:59 13:30 17:00 18:00", "08:00 08:30 12:00 13:00"),
        ("08:00 08:30 12:00 13:00", "09:00 09:30 10:00 11:00"),
        ("08:00 08:30 12:00 13:00", "08:00 08:30 12:00 13:00"),
        // The night reaches into the next morning, and the evening into the night.
        ("06:59 07:30 12:00 13:00", "22:00 22:30 06:00 07:00"),
        ("22:00 22:30 06:00 07:00", "06:59 07:30 12:00 13:00"),
        ("15:00 15:30 20:00 22:01", "22:00 22:30 06:00 07:00"),
    ] {
        assert_eq!(
            checked(&rule(&[one, other])),
            fault(104_420, "/periods/1"),
            "{one} {other}"
        );
    }
}

#[test]
fn periods_are_a_minute_apart() {
    for (one, other) in [
        ("08:00 08:30 12:00 13:00", "13:00 13:30 17:00 18:00"),
        ("13:00 13:30 17:00 18:00", "08:00 08:30 12:00 13:00"),
        ("07:00 07:30 12:00 13:00", "22:00 22:30 06:00 07:00"),
        ("15:00 15:30 20:00 22:00", "22:00 22:30 06:00 07:00"),
    ] {
        assert_eq!(
            checked(&rule(&[one, other])),
            fault(104_418, "/periods/1"),
            "{one} {other}"
        );
    }
    for (one, other) in [
        ("08:00 08:30 12:00 13:00", "13:01 13:30 17:00 18:00"),
        ("07:01 07:30 12:00 13:00", "22:00 22:30 06:00 07:00"),
        ("15:00 15:30 20:00 21:59", "22:00 22:30 06:00 07:00"),
    ] {
        assert_eq!(checked(&rule(&[one, other])), Ok(()), "{one} {other}");
    }
    // The third one is compared with both.
    let three = [
        "13:30 14:00 15:00 16:00",
        "08:00 08:30 12:00 13:00",
        "16:00 17:00 18:00 19:00",
    ];
    assert_eq!(checked(&rule(&three)), fault(104_418, "/periods/2"));
}

#[test]
fn a_span_needs_a_night() {
    let mut day = rule(&[DAY]);
    day.day_span = DaySpan::End;
    assert_eq!(checked(&day), fault(104_024, "/day_span"));
    let mut night = rule(&["22:00 22:30 06:00 07:00"]);
    night.day_span = DaySpan::End;
    assert_eq!(checked(&night), Ok(()));
}

#[test]
fn the_week_plan() {
    let mut rule = rule(&[DAY]);
    let mut plan = |words: &[&str]| {
        rule.week_plan = words.iter().map(|word| PlanDay::read(word)).collect();
        checked(&rule)
    };
    assert_eq!(plan(&[]), Ok(()));
    assert_eq!(plan(&["MONDAY", "sunday", "Tuesday"]), Ok(()));
    assert_eq!(
        plan(&["MONDAY", "sunday", "monday"]),
        fault(104_026, "/week_plan/2")
    );
    assert_eq!(plan(&["MONDAY", "FEAST"]), fault(104_044, "/week_plan/1"));
    assert_eq!(
        plan(&["FEAST", "FEAST"]),
        fault(104_026, "/week_plan/1"),
        "the repeat is found first"
    );
}

#[test]
fn special_dates() {
    let mut rule = rule(&[DAY]);
    let day = |days| SpecialDate {
        date: today().checked_add_days(Days::new(days)).unwrap(),
        is_punch: false,
    };
    rule.special_dates = (0..32).map(day).collect();
    assert_eq!(checked(&rule), Ok(()));
    rule.special_dates.push(day(40));
    assert_eq!(checked(&rule), fault(104_421, "/special_dates"));
    rule.special_dates = vec![
        day(1),
        day(2),
        SpecialDate {
            is_punch: true,
            ..day(1)
        },
    ];
    assert_eq!(checked(&rule), fault(104_022, "/special_dates/2/date"));
    let past = SpecialDate {
        date: today().pred_opt().unwrap(),
        is_punch: true,
    };
    rule.special_dates = vec![day(1), past];
    assert_eq!(checked(&rule), fault(104_023, "/special_dates/1/date"));
    rule.special_dates.push(past);
    assert_eq!(
        checked(&rule),
        fault(104_022, "/special_dates/2/date"),
        "the repeat is found first"
    );
}

#[test]
fn an_edit_keeps_the_special_dates_that_have_passed() {
    let past = SpecialDate {
        date: today().pred_opt().unwrap(),
        is_punch: false,
    };
    let mut before = rule(&[DAY]);
    before.special_dates = vec![past];
    let mut after = before.clone();
    assert_eq!(told(after.check(today(), Some(&before))), Ok(()));
    after.special_dates[0].is_punch = true;
    assert_eq!(
        told(after.check(today(), Some(&before))),
        fault(104_023, "/special_dates/0/date")
    );
}

#[test]
fn native_settings() {
    let set = |change: fn(&mut GroupRule)| {
        let mut rule = rule(&[DAY]);
        change(&mut rule);
        checked(&rule)
    };
    assert_eq!(set(|rule| rule.duplicate_window_s = 3600), Ok(()));
    assert_eq!(
        set(|rule| rule.duplicate_window_s = 3601),
        fault(104_034, "/duplicate_window_s")
    );
    assert_eq!(set(|rule| rule.late_grace_min = Some(1440)), Ok(()));
    assert_eq!(
        set(|rule| rule.late_grace_min = Some(1441)),
        fault(104_034, "/late_grace_min")
    );
    assert_eq!(
        set(|rule| rule.early_grace_min = Some(1441)),
        fault(104_034, "/early_grace_min")
    );
    assert_eq!(
        set(|rule| rule.overtime_before_min = Some(1441)),
        fault(104_034, "/overtime_before_min")
    );
    assert_eq!(
        set(|rule| rule.overtime_after_min = Some(1441)),
        fault(104_034, "/overtime_after_min")
    );
    assert_eq!(set(|rule| rule.periods[0].rest_min = Some(540)), Ok(()));
    assert_eq!(
        set(|rule| rule.periods[0].rest_min = Some(541)),
        fault(104_034, "/periods/0/rest_min")
    );
    // 08:30 and 31 minutes are beyond 09:00; 09:00 and 570 minutes are 18:30.
    assert_eq!(
        set(|rule| rule.stay_min = Some(30)),
        fault(104_034, "/stay_min")
    );
    assert_eq!(set(|rule| rule.stay_min = Some(31)), Ok(()));
    assert_eq!(set(|rule| rule.stay_min = Some(570)), Ok(()));
    assert_eq!(
        set(|rule| rule.stay_min = Some(571)),
        fault(104_034, "/stay_min")
    );
    assert_eq!(
        set(|rule| rule.stay_min = Some(u16::MAX)),
        fault(104_034, "/stay_min")
    );
}

#[test]
fn faults_come_in_the_stated_order() {
    let mut rule = rule(&[
        "22:00 22:30 06:00 13:00",
        "21:00 21:30 22:30 02:00",
        "09:00 08:00 10:00 11:00",
    ]);
    rule.day_span = DaySpan::End;
    rule.week_plan = ["FEAST", "FEAST"].map(PlanDay::read).to_vec();
    let past = SpecialDate {
        date: today().pred_opt().unwrap(),
        is_punch: true,
    };
    rule.special_dates = vec![past; 33];
    rule.duplicate_window_s = 9999;
    rule.periods[2].order = 4;
    let full = rule.periods.clone();
    rule.periods = vec![];
    assert_eq!(checked(&rule), fault(104_413, "/periods"));
    rule.periods = [full.clone(), full.clone()].concat();
    assert_eq!(checked(&rule), fault(104_415, "/periods"));
    rule.periods = full;
    assert_eq!(checked(&rule), fault(104_414, "/periods/2/order"));
    rule.periods[2].order = 3;
    assert_eq!(checked(&rule), fault(104_419, "/periods/2/on_et"));
    rule.periods[2] = period(3, "01:00 02:00 13:00 13:30");
    assert_eq!(checked(&rule), fault(104_025, "/periods/1"));
    rule.periods[1] = period(2, "12:30 13:00 21:00 21:30");
    assert_eq!(checked(&rule), fault(104_416, "/periods/0/off_et"));
    rule.periods[0] = period(1, "22:00 22:30 06:00 07:00");
    assert_eq!(checked(&rule), fault(104_417, "/periods"));
    rule.periods[2] = period(3, "06:30 07:00 07:30 08:00");
    assert_eq!(checked(&rule), fault(104_420, "/periods/2"));
    rule.periods[2] = period(3, "07:00 07:00 07:30 08:00");
    assert_eq!(checked(&rule), fault(104_418, "/periods/2"));
    rule.periods = vec![period(1, DAY)];
    assert_eq!(checked(&rule), fault(104_024, "/day_span"));
    rule.day_span = DaySpan::Start;
    assert_eq!(checked(&rule), fault(104_026, "/week_plan/1"));
    rule.week_plan.pop();
    assert_eq!(checked(&rule), fault(104_044, "/week_plan/0"));
    rule.week_plan.pop();
    assert_eq!(checked(&rule), fault(104_421, "/special_dates"));
    rule.special_dates.pop();
    assert_eq!(checked(&rule), fault(104_022, "/special_dates/1/date"));
    rule.special_dates.truncate(1);
    assert_eq!(checked(&rule), fault(104_023, "/special_dates/0/date"));
    rule.special_dates.pop();
    assert_eq!(checked(&rule), fault(104_034, "/duplicate_window_s"));
}

#[test]
fn names() {
    let name = |name: &str| told(check_name(name));
    for good in [
        "早班",
        "Early shift",
        "R-D_1.2 (night)",
        "夜班（二）",
        "กะดึก",
        "ab",
        "หน่วยที่ ๑",
        "1班",
        &"字".repeat(32),
    ] {
        assert_eq!(name(good), Ok(()), "{good}");
    }
    for short_or_long in ["", "班", &"字".repeat(33)] {
        assert_eq!(
            name(short_or_long),
            fault(104_034, "/name"),
            "{short_or_long}"
        );
    }
    for bad in [
        "a/b",
        "a<b",
        "a\nb",
        "a\u{202e}b",
        "班★",
        "早😀",
        "a\u{3000}b",
        "a'b",
        "a%b",
        "a\u{fe0f}b",
        "！早",
        "a\u{a0}b",
        "a\u{1680}b",
        "a\u{1f000}",
        "a\u{85}b",
    ] {
        assert_eq!(name(bad), fault(104_040, "/name"), "{bad}");
    }
}

#[test]
fn numbers_are_as_printed() {
    let mut numbers: Vec<u32> = FaultCode::ALL.iter().map(|code| code.number()).collect();
    numbers.sort_unstable();
    let printed = [
        104_022, 104_023, 104_024, 104_025, 104_026, 104_029, 104_030, 104_031, 104_032, 104_034,
        104_037, 104_038, 104_040, 104_043, 104_044, 104_405, 104_407, 104_412, 104_413, 104_414,
        104_415, 104_416, 104_417, 104_418, 104_419, 104_420, 104_421,
    ];
    assert_eq!(numbers, printed);
    assert_eq!(FaultCode::NameTaken.number(), 104_412);
}
