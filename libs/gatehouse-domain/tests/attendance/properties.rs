//! What holds for every rule that passes the check and for whatever was punched.

use crate::generated::{Input, inputs, moments, pick};
use crate::oracle::{Judged, judge};
use crate::{adjustment, record};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gatehouse_domain::attendance::{
    Adjustment, AdjustmentKind, ClockMinute, Day, DaySpan, GroupRule, Period, PeriodResult,
    PlanDay, Punch, Reason, settle,
};
use proptest::prelude::*;

fn day(input: &Input) -> Option<Day> {
    settle(
        &input.rule,
        input.date,
        &input.punches,
        &input.adjustments,
        input.zone,
        input.now,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_oracle_agrees(input in inputs()) {
        prop_assert_eq!(day(&input).as_ref().map(Judged::from), judge(&input));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(input in inputs(), seed in any::<u64>()) {
        let mut other = input.clone();
        let mix = |number: usize| (number as u64 + 1).wrapping_mul(seed | 1);
        other.punches.sort_by_key(|punch| mix(punch.record_id.uuid().as_u128() as usize));
        other.adjustments.reverse();
        prop_assert_eq!(day(&other), day(&input));
        prop_assert_eq!(day(&input), day(&input), "and a second time is the same");
    }

    #[test]
    fn a_punch_outside_of_all_windows_changes_nothing(input in inputs(), place in pick()) {
        let at = moments(&[place], &input.rule, input.date, input.zone)[0];
        let workday = input.rule.workday_on(input.date, input.zone);
        let inside = workday.is_some_and(|workday| workday.period_at(at).is_some());
        let mut more = input.clone();
        more.punches.push(Punch { passed_at: at, record_id: record(99) });
        let touched: Vec<NaiveDate> = input.rule.dates_touched_by(at, input.zone).collect();
        prop_assert!(touched.is_sorted() && (1..=3).contains(&touched.len()));
        if inside {
            prop_assert!(touched.contains(&input.date));
            prop_assert_eq!(input.rule.business_date_of(at, input.zone), input.date);
        } else {
            prop_assert_eq!(day(&more), day(&input));
        }
    }

    #[test]
    fn a_moment_belongs_to_one_period_of_one_date(input in inputs(), place in pick()) {
        let mut rule = input.rule.clone();
        rule.special_dates.clear();
        rule.week_plan = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            .map(PlanDay::read).to_vec();
        let at = moments(&[place], &rule, input.date, input.zone)[0];
        let mut owners = 0;
        for days in -3..=3 {
            let workday = rule.workday_on(input.date + TimeDelta::days(days), input.zone).unwrap();
            owners += workday.periods().iter().filter(|period| period.contains(at)).count();
            for period in workday.periods() {
                prop_assert!(period.starts_at <= period.work_starts_at && period.work_starts_at <= period.in_ends_at);
                prop_assert!(period.in_ends_at <= period.ends_at && period.out_starts_at <= period.ends_at);
                prop_assert!(period.starts_at <= period.ends_at && period.last_minute_at <= period.ends_at);
            }
        }
        prop_assert!(owners <= 1);
    }

    #[test]
    fn an_adjustment_decides_only_what_it_covers(input in inputs()) {
        let mut without = input.clone();
        without.adjustments.clear();
        let (Some(with), Some(without)) = (day(&input), day(&without)) else { return Ok(()); };
        for (with, without) in with.periods.iter().zip(without.periods.iter()) {
            prop_assert_eq!((with.arrival, with.departure), (without.arrival, without.departure));
            if let Reason::Adjustment { .. } = with.reason {
                prop_assert_eq!(with.result, PeriodResult::Adjusted);
            } else {
                let mut same = *with;
                same.partial_adjustment = None;
                prop_assert_eq!(same, *without);
            }
        }
    }

    #[test]
    fn what_has_ended_does_not_change_with_time(input in inputs(), later_s in 0_i64..200_000) {
        let mut later = input.clone();
        later.now = input.now.checked_add_signed(TimeDelta::seconds(later_s)).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let (Some(now), Some(later)) = (day(&input), day(&later)) else { return Ok(()); };
        for (now, later) in now.periods.iter().zip(later.periods.iter()) {
            if now.result != PeriodResult::Pending {
                prop_assert_eq!(now, later);
            }
        }
    }

    #[test]
    fn rules_and_days_read_back_and_can_be_told(input in inputs()) {
        let text = serde_json::to_string(&input.rule).unwrap();
        prop_assert_eq!(&serde_json::from_str::<GroupRule>(&text).unwrap(), &input.rule);
        if let Some(day) = day(&input) {
            let text = serde_json::to_string(&day).unwrap();
            prop_assert_eq!(serde_json::from_str::<Day>(&text).unwrap(), day);
            let words = day.words(&input.rule, input.zone).to_string();
            prop_assert_eq!(words.matches("Period ").count(), input.rule.periods.len());
        }
    }

    #[test]
    fn nothing_makes_it_fail(
        times in prop::collection::vec((0_u8..5, [0_u16..1440, 0_u16..1440, 0_u16..1440, 0_u16..1440]), 0..5),
        at_end in any::<bool>(),
        settings in prop::array::uniform5(prop::option::of(any::<u16>())),
        window_s in any::<u32>(),
        days in prop_oneof![Just(i32::MIN), Just(i32::MAX), -800_000_i32..800_000],
        ms in prop::collection::vec(any::<i64>(), 0..5),
        zone in 0_usize..600,
    ) {
        let period = |(order, times): &(u8, [u16; 4])| {
            let [on_st, on_et, off_st, off_et] = times.map(|time| ClockMinute::new(time).unwrap());
            Period { order: *order, on_st, on_et, off_st, off_et, rest_min: settings[0] }
        };
        let date = match days {
            i32::MIN => NaiveDate::MIN,
            i32::MAX => NaiveDate::MAX,
            days => NaiveDate::from_num_days_from_ce_opt(days).unwrap(),
        };
        let mut rule = GroupRule::plain(times.iter().map(period).collect(), vec![]);
        rule.special_dates = vec![gatehouse_domain::attendance::SpecialDate { date, is_punch: true }];
        rule.day_span = if at_end { DaySpan::End } else { DaySpan::Start };
        rule.duplicate_window_s = window_s;
        [rule.late_grace_min, rule.early_grace_min, rule.overtime_before_min, rule.overtime_after_min, rule.stay_min] =
            settings;
        let zone = chrono_tz::TZ_VARIANTS[zone % chrono_tz::TZ_VARIANTS.len()];
        let midnight = date.and_hms_opt(0, 0, 0).unwrap().and_utc();
        let at = |(number, ms): (usize, &i64)| {
            let near = midnight.checked_add_signed(TimeDelta::milliseconds(ms % 100_000_000)).unwrap_or(midnight);
            let far = DateTime::from_timestamp_millis(*ms).unwrap_or(DateTime::<Utc>::MAX_UTC);
            if number % 2 == 0 { near } else { far }
        };
        let times: Vec<DateTime<Utc>> = ms.iter().enumerate().map(at).collect();
        let punches: Vec<Punch> =
            times.iter().map(|at| Punch { passed_at: *at, record_id: record(0) }).collect();
        let adjustments: Vec<Adjustment> = times
            .iter()
            .map(|at| Adjustment {
                adjustment_id: adjustment(0),
                kind: AdjustmentKind::Punch,
                begins_at: *at,
                ends_at: midnight,
            })
            .collect();
        let _ = rule.check(date, None);
        for now in times.iter().copied().chain([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]) {
            if let Some(day) = settle(&rule, date, &punches, &adjustments, zone, now) {
                let _ = (day.worked_min(), day.words(&rule, zone).to_string());
                let _ = rule.dates_touched_by(now, zone).count();
                let _ = rule.business_date_of(now, zone);
            }
        }
    }
}
