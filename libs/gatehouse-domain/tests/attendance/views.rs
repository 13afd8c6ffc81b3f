//! Statistics, FaceJoy's view, the dates a punch touches, and how a rule is written.

use crate::{adjustment, instant, office, punches};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{
    Adjustment, AdjustmentKind, ClockMinute, Day, DayStatus, GroupRule, PeriodResult, Sign,
    SignDay, SignMonth, Statistics, cumulative_hours, settle,
};

const ZONE: Tz = Tz::Asia__Shanghai;

fn night() -> GroupRule {
    serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "21:30", "on_et": "22:00", "off_st": "06:00", "off_et": "07:00"}],
            "week_plan": ["monday"]}"#,
    )
    .unwrap()
}

fn day(date: &str, times: &[&str]) -> Day {
    let texts: Vec<String> = times.iter().map(|time| format!("{date} {time}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let now = DateTime::<Utc>::MAX_UTC;
    settle(
        &office(),
        date.parse().unwrap(),
        &punches(&texts, ZONE),
        &[],
        ZONE,
        now,
    )
    .unwrap()
}

/// A week with one of everything, and a day that is not over.
fn week() -> Vec<Day> {
    let leave = Adjustment {
        adjustment_id: adjustment(0),
        kind: AdjustmentKind::Leave,
        begins_at: instant("2024-05-13 00:00", ZONE),
        ends_at: instant("2024-05-14 00:00", ZONE),
    };
    let now = instant("2024-05-15 12:00", ZONE);
    let today = settle(
        &office(),
        "2024-05-15".parse().unwrap(),
        &[],
        &[],
        ZONE,
        now,
    )
    .unwrap();
    let on_leave = settle(
        &office(),
        "2024-05-13".parse().unwrap(),
        &[],
        &[leave],
        ZONE,
        now,
    )
    .unwrap();
    vec![
        day("2024-05-06", &["08:55", "18:05"]),
        day("2024-05-07", &["09:05", "18:05"]),
        day("2024-05-08", &["08:55", "17:50"]),
        day("2024-05-09", &["09:05", "17:50"]),
        day("2024-05-10", &["08:55"]),
        on_leave,
        day("2024-05-14", &[]),
        today,
    ]
}

#[test]
fn statistics_count_days_and_periods() {
    let sum: Statistics = week().iter().sum();
    let expected = Statistics {
        work_days: 7,
        normal_days: 1,
        adjust_days: 1,
        absent_days: 1,
        late_times: 1,
        leave_early_times: 1,
        late_leave_early_times: 1,
        omit_punch_times: 1,
        absent_times: 1,
        worked_min: 540 + 535 + 530 + 525,
        overtime_min: 0,
        late_min: 10,
        early_min: 20,
    };
    assert_eq!(sum, expected);
}

#[test]
fn a_pending_day_counts_nowhere_though_a_period_of_it_is_judged() {
    let rule: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "08:00", "on_et": "08:30", "off_st": "10:00", "off_et": "10:30"},
                        {"order": 2, "on_st": "13:00", "on_et": "13:30", "off_st": "17:00", "off_et": "17:30"}],
            "week_plan": ["monday"], "overtime_after_min": 1}"#,
    )
    .unwrap();
    let seen = punches(
        &[
            "2024-05-06 08:40",
            "2024-05-06 10:10",
            "2024-05-06 13:10",
            "2024-05-06 17:10",
        ],
        ZONE,
    );
    let at = |now| {
        settle(
            &rule,
            "2024-05-06".parse().unwrap(),
            &seen,
            &[],
            ZONE,
            instant(now, ZONE),
        )
        .unwrap()
    };
    let sum: Statistics = [at("2024-05-06 12:00")].iter().sum();
    assert_eq!(sum, Statistics::default());
    let sum: Statistics = [at("2024-05-06 17:31")].iter().sum();
    assert_eq!(
        (
            sum.late_times,
            sum.overtime_min,
            sum.late_min,
            sum.worked_min
        ),
        (1, 20, 10, 80 + 210)
    );
}

#[test]
fn every_set_of_results_has_its_status() {
    use PeriodResult::{
        Absent, Adjusted, Late, LateAndLeftEarly, LeftEarly, MissedPunch, Normal, Pending,
    };
    let status = |results: &[PeriodResult]| DayStatus::of(results.iter().copied()).number();
    assert_eq!(status(&[Normal, Normal]), 1);
    assert_eq!(status(&[Absent, Absent]), 2);
    assert_eq!(status(&[Adjusted]), 3);
    assert_eq!(status(&[Normal, Adjusted]), 3);
    assert_eq!(status(&[Absent, Adjusted]), 4);
    assert_eq!(status(&[Normal, Absent]), 4);
    for one in [Late, LeftEarly, LateAndLeftEarly, MissedPunch] {
        assert_eq!(status(&[one]), 4);
        assert_eq!(status(&[Normal, one, Adjusted]), 4);
    }
    for other in PeriodResult::ALL {
        assert_eq!(status(&[*other, Pending]), 0);
    }
    assert_eq!(status(&[]), 0);
}

#[test]
fn numbers_are_the_vendors() {
    for (number, result) in PeriodResult::ALL.iter().enumerate() {
        assert_eq!(usize::from(result.number()), number);
        assert_eq!(PeriodResult::from_number(result.number()), Some(*result));
        assert_eq!(serde_json::to_value(result).unwrap(), result.as_str());
    }
    for (number, status) in DayStatus::ALL.iter().enumerate() {
        assert_eq!(usize::from(status.number()), number);
        assert_eq!(DayStatus::from_number(status.number()), Some(*status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(PeriodResult::from_number(8), None);
    assert_eq!(DayStatus::from_number(5), None);
    for (number, kind) in (1..).zip(AdjustmentKind::ALL) {
        assert_eq!(kind.number(), number);
        assert_eq!(AdjustmentKind::from_number(number), Some(*kind));
    }
    assert_eq!(AdjustmentKind::from_number(0), None);
}

#[test]
fn hours_are_rounded_half_up() {
    for (seconds, text) in [
        (37_971, "10.5"),
        (21_954, "6.1"),
        (0, "0.0"),
        (179, "0.0"),
        (180, "0.1"),
        (3_599, "1.0"),
        (3_779, "1.0"),
        (3_780, "1.1"),
        (86_400, "24.0"),
        (-5_000, "0.0"),
    ] {
        assert_eq!(cumulative_hours(seconds * 1000), text, "{seconds}");
    }
    assert_eq!(cumulative_hours(179_999), "0.0");
}

#[test]
fn a_day_shows_first_and_last_sign_and_its_words() {
    let date = "2018-10-10".parse().unwrap();
    let first = DateTime::from_timestamp_millis(1_539_132_667_000).unwrap();
    let last = DateTime::from_timestamp_millis(1_539_170_638_000).unwrap();
    let mut seen = punches(
        &["2018-10-10 12:00", "2018-10-10 10:00", "2018-10-10 11:00"],
        ZONE,
    );
    (seen[0].passed_at, seen[1].passed_at) = (last, first);
    let day = settle(&office(), date, &seen, &[], ZONE, DateTime::<Utc>::MAX_UTC).unwrap();
    let view = SignDay::new(&day, &seen);
    assert_eq!(
        (view.first_sign_at, view.last_sign_at),
        (Some(first), Some(last))
    );
    assert_eq!(view.cumulative_time, "10.5");
    let one = SignDay::new(&day, &seen[..1]);
    assert_eq!(
        (one.first_sign_at, one.last_sign_at),
        (Some(last), Some(last))
    );
    assert_eq!(one.cumulative_time, "0.0");
    let none = SignDay::new(&day, &[]);
    assert_eq!(
        (none.first_sign_at, none.cumulative_time.as_str()),
        (None, "0.0")
    );
}

#[test]
fn words_of_days_and_counts_of_a_month() {
    use Sign::{Absenteeism, Late, Leave, Normal, Uncheck};
    let words: Vec<Vec<Sign>> = week().iter().map(Sign::of).collect();
    let expected: Vec<Vec<Sign>> = vec![
        vec![Normal],
        vec![Late],
        vec![Leave],
        vec![Leave, Late],
        vec![Uncheck],
        vec![Normal],
        vec![Absenteeism],
        vec![],
    ];
    assert_eq!(words, expected);
    let rule: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "08:00", "on_et": "08:30", "off_st": "10:00", "off_et": "10:30"},
                        {"order": 2, "on_st": "13:00", "on_et": "13:30", "off_st": "17:00", "off_et": "17:30"}],
            "week_plan": ["monday"]}"#,
    )
    .unwrap();
    let seen = punches(
        &["2024-05-06 08:10", "2024-05-06 10:10", "2024-05-06 13:10"],
        ZONE,
    );
    let at = |now| {
        Sign::of(
            &settle(
                &rule,
                "2024-05-06".parse().unwrap(),
                &seen,
                &[],
                ZONE,
                instant(now, ZONE),
            )
            .unwrap(),
        )
    };
    assert_eq!(
        at("2024-05-06 18:00"),
        [Uncheck],
        "one word besides normal is all that is said"
    );
    assert_eq!(
        at("2024-05-06 12:00"),
        [Normal],
        "the second period says nothing yet"
    );
    let month = SignMonth::of(&week());
    let expected = SignMonth {
        normal_times: 2,
        absenteeism_times: 1,
        uncheck_times: 1,
        leave_times: 2,
        late_times: 2,
    };
    assert_eq!(month, expected);
}

#[test]
fn a_punch_touches_its_date_and_where_a_night_reaches() {
    let touched = |rule: &GroupRule, text: &str| -> Vec<String> {
        let dates = rule.dates_touched_by(instant(text, ZONE), ZONE);
        dates.map(|date| date.to_string()).collect()
    };
    let mut rule = night();
    assert_eq!(
        touched(&rule, "2024-05-07 07:00:59"),
        ["2024-05-06", "2024-05-07"]
    );
    assert_eq!(touched(&rule, "2024-05-07 07:01:00"), ["2024-05-07"]);
    assert_eq!(touched(&rule, "2024-05-06 21:30"), ["2024-05-06"]);
    assert_eq!(
        touched(&rule, "2024-05-09 03:00"),
        ["2024-05-08", "2024-05-09"],
        "the plan may change"
    );
    rule.day_span = gatehouse_domain::attendance::DaySpan::End;
    assert_eq!(touched(&rule, "2024-05-07 07:00:59"), ["2024-05-07"]);
    assert_eq!(
        touched(&rule, "2024-05-06 21:30:00"),
        ["2024-05-06", "2024-05-07"]
    );
    assert_eq!(touched(&rule, "2024-05-06 21:29:59"), ["2024-05-06"]);
    assert_eq!(touched(&office(), "2024-05-06 00:00"), ["2024-05-06"]);
    let nothing = GroupRule::plain(vec![], vec![]);
    assert_eq!(touched(&nothing, "2024-05-06 00:00"), ["2024-05-06"]);
}

#[test]
fn a_punch_has_one_business_date() {
    let date =
        |rule: &GroupRule, text: &str| rule.business_date_of(instant(text, ZONE), ZONE).to_string();
    assert_eq!(date(&night(), "2024-05-07 06:30"), "2024-05-06");
    assert_eq!(date(&night(), "2024-05-07 08:00"), "2024-05-07");
    assert_eq!(
        date(&night(), "2024-05-08 06:30"),
        "2024-05-08",
        "Tuesday night is off"
    );
    let mut rule = night();
    rule.day_span = gatehouse_domain::attendance::DaySpan::End;
    assert_eq!(date(&rule, "2024-05-05 21:45"), "2024-05-06");
}

#[test]
fn an_adjustment_touches_the_dates_around_it() {
    let (from, to) = (
        instant("2024-05-06 10:00", ZONE),
        instant("2024-05-07 10:00", ZONE),
    );
    let dates: Vec<String> = night()
        .dates_touched_within(from, to, ZONE)
        .map(|date: NaiveDate| date.to_string())
        .collect();
    assert_eq!(
        dates,
        ["2024-05-05", "2024-05-06", "2024-05-07", "2024-05-08"]
    );
}

#[test]
fn a_workday_tells_what_to_read() {
    let workday = night()
        .workday_on("2024-05-06".parse().unwrap(), ZONE)
        .unwrap();
    let expected = (
        instant("2024-05-06 21:30", ZONE),
        instant("2024-05-07 07:01", ZONE),
    );
    assert_eq!(workday.span(), expected);
    // The night is written second and lies first.
    let rule: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "13:00", "on_et": "13:30", "off_st": "17:00", "off_et": "18:00"},
                        {"order": 2, "on_st": "21:30", "on_et": "22:00", "off_st": "06:00", "off_et": "07:00"}],
            "day_span": 1, "week_plan": ["monday"]}"#,
    )
    .unwrap();
    let workday = rule
        .workday_on("2024-05-06".parse().unwrap(), ZONE)
        .unwrap();
    let expected = (
        instant("2024-05-05 21:30", ZONE),
        instant("2024-05-06 18:01", ZONE),
    );
    assert_eq!(workday.span(), expected);
}

#[test]
fn a_rule_and_a_day_read_back_as_written() {
    let text = r#"{"periods":[{"order":1,"on_st":"08:30","on_et":"09:00","off_st":"18:00","off_et":"18:30"}],"day_span":0,"week_plan":["monday","FEAST"],"special_dates":[{"date":"2024-10-01","is_punch":false}],"duplicate_window_s":60}"#;
    let rule: GroupRule = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    assert_eq!(ClockMinute::new(1439).unwrap().to_string(), "23:59");
    assert_eq!(ClockMinute::new(1440), None);
    let upper: GroupRule =
        serde_json::from_str(r#"{"periods": [], "week_plan": ["MONDAY"], "day_span": 1}"#).unwrap();
    assert_eq!(
        serde_json::to_value(&upper.week_plan).unwrap(),
        serde_json::json!(["monday"])
    );
    for bad in [
        r#"{"periods": [], "week_plan": [], "day_span": 2}"#,
        r#"{"periods": [{"order": 1, "on_st": "24:00", "on_et": "09:00", "off_st": "18:00", "off_et": "18:30"}], "week_plan": []}"#,
        r#"{"periods": [{"order": 1, "on_st": "8:00", "on_et": "09:00", "off_st": "18:00", "off_et": "18:30"}], "week_plan": []}"#,
    ] {
        assert!(serde_json::from_str::<GroupRule>(bad).is_err(), "{bad}");
    }
    let day = day("2024-05-06", &["09:05", "18:05"]);
    let written = serde_json::to_string(&day).unwrap();
    assert_eq!(serde_json::from_str::<Day>(&written).unwrap(), day);
    let mut json = serde_json::to_value(day).unwrap();
    let period = json["periods"][0].clone();
    json["periods"] = serde_json::json!([period, period, period]);
    assert_eq!(
        serde_json::from_value::<Day>(json.clone())
            .unwrap()
            .periods
            .len(),
        3
    );
    json["periods"] = serde_json::json!([period, period, period, period]);
    assert!(
        serde_json::from_value::<Day>(json).is_err(),
        "a day has three periods at most"
    );
}
