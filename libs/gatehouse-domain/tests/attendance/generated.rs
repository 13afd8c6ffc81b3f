//! Generated rules that pass the check, near clock changes and away from them, with punches that
//! like to fall on the edges of windows.

use crate::{adjustment, record};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{
    Adjustment, AdjustmentKind, ClockMinute, DaySpan, GroupRule, Period, PlanDay, Punch,
    SpecialDate,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) rule: GroupRule,
    pub(crate) date: NaiveDate,
    pub(crate) zone: Tz,
    pub(crate) punches: Vec<Punch>,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) now: DateTime<Utc>,
}

/// Zones with a date near which their clock changes; the first has no changes.
const PLACES: [(Tz, &str); 11] = [
    (Tz::Asia__Shanghai, "2024-05-06"),
    (Tz::America__New_York, "2024-03-10"),
    (Tz::America__New_York, "2024-11-03"),
    (Tz::Europe__Berlin, "2024-03-31"),
    (Tz::Europe__Berlin, "2024-10-27"),
    (Tz::America__Sao_Paulo, "2018-11-04"),
    (Tz::America__Sao_Paulo, "2018-02-18"),
    (Tz::Africa__Cairo, "2024-04-26"),
    (Tz::Africa__Cairo, "2024-11-01"),
    (Tz::Australia__Lord_Howe, "2024-10-06"),
    (Tz::Australia__Lord_Howe, "2024-04-07"),
];

const DAY_MIN: u16 = 24 * 60;

fn clock(minute: u16) -> ClockMinute {
    ClockMinute::new(minute % DAY_MIN).unwrap()
}

/// Times that rise, spread over the day or crowded into four hours, then turned around the clock.
fn periods() -> impl Strategy<Value = Vec<Period>> {
    let times = (1_usize..=3).prop_flat_map(|count| {
        prop_oneof![
            prop::collection::vec(0..DAY_MIN, count * 4),
            prop::collection::vec(0_u16..240, count * 4),
        ]
    });
    let turn = prop_oneof![Just(0), 0..DAY_MIN, 1200_u16..DAY_MIN];
    let rest = prop_oneof![3 => Just(None), 1 => (0_u16..90).prop_map(Some)];
    (times, turn, rest, any::<bool>()).prop_map(|(mut times, turn, rest_min, backwards)| {
        times.sort_unstable();
        let count = times.len() / 4;
        let period = |(number, times): (usize, &[u16])| Period {
            order: u8::try_from(if backwards {
                count - number
            } else {
                number + 1
            })
            .unwrap(),
            on_st: clock(times[0] + turn),
            on_et: clock(times[1] + turn),
            off_st: clock(times[2] + turn),
            off_et: clock(times[3] + turn),
            rest_min: rest_min.filter(|rest| *rest <= times[2] - times[1]),
        };
        times.chunks(4).enumerate().map(period).collect()
    })
}

fn few(most: u16) -> impl Strategy<Value = Option<u16>> {
    prop_oneof![3 => Just(None), 1 => (0..most).prop_map(Some)]
}

pub(crate) fn rules(date: NaiveDate) -> impl Strategy<Value = GroupRule> {
    let plan = prop_oneof![
        4 => Just(127_u8),
        1 => any::<u8>(),
    ];
    let special = prop_oneof![5 => Just(None), 1 => any::<bool>().prop_map(Some)];
    let window_s = prop_oneof![3 => Just(60_u32), 1 => Just(0), 1 => 0_u32..3600];
    let settings = (few(40), few(40), few(60), few(60), few(700));
    (periods(), any::<bool>(), plan, special, window_s, settings).prop_filter_map(
        "passes the check",
        move |(periods, at_end, plan, special, window_s, settings)| {
            let words = [
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ];
            let chosen = words
                .iter()
                .enumerate()
                .filter(|(day, _)| plan & (1 << day) != 0);
            let week_plan = chosen.map(|(_, word)| PlanDay::read(word)).collect();
            let mut rule = GroupRule::plain(periods, week_plan);
            rule.special_dates = special
                .map(|is_punch| SpecialDate { date, is_punch })
                .into_iter()
                .collect();
            rule.duplicate_window_s = window_s;
            let stay;
            (
                rule.late_grace_min,
                rule.early_grace_min,
                rule.overtime_before_min,
                rule.overtime_after_min,
                stay,
            ) = settings;
            rule.stay_min = stay;
            if rule.check(NaiveDate::MIN, None).is_err() {
                rule.stay_min = None;
            }
            rule.day_span = if at_end { DaySpan::End } else { DaySpan::Start };
            if rule.check(NaiveDate::MIN, None).is_err() {
                rule.day_span = DaySpan::Start;
            }
            rule.check(NaiveDate::MIN, None).is_ok().then_some(rule)
        },
    )
}

/// A moment: anywhere around the date, near an edge of a window, or shortly after the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    Anywhere(i64),
    Edge {
        period: usize,
        time: usize,
        day: i64,
        off_ms: i64,
    },
    After(i64),
}

pub(crate) fn pick() -> impl Strategy<Value = Pick> {
    let off_ms = prop_oneof![
        Just(0_i64),
        Just(-1),
        Just(59_999),
        Just(60_000),
        -180_000_i64..180_000,
        (-130_i64..130).prop_map(|minutes| minutes * 60_000),
    ];
    prop_oneof![
        1 => (-24 * 3600_i64..48 * 3600).prop_map(|seconds| Pick::Anywhere(seconds * 1000)),
        4 => (0_usize..3, 0_usize..4, -1_i64..=1, off_ms)
            .prop_map(|(period, time, day, off_ms)| Pick::Edge { period, time, day, off_ms }),
        1 => prop_oneof![Just(59_999_i64), Just(60_000), Just(60_001), 0_i64..70_000].prop_map(Pick::After),
    ]
}

pub(crate) fn moments(
    picks: &[Pick],
    rule: &GroupRule,
    date: NaiveDate,
    zone: Tz,
) -> Vec<DateTime<Utc>> {
    let local = date.and_hms_opt(0, 0, 0).unwrap();
    let offset = zone.offset_from_utc_datetime(&local);
    let midnight = local.and_utc()
        - TimeDelta::seconds(i64::from(chrono::Offset::fix(&offset).local_minus_utc()));
    let mut last = midnight;
    let moment = |pick: &Pick| {
        last = match *pick {
            Pick::Anywhere(ms) => midnight + TimeDelta::milliseconds(ms),
            Pick::Edge {
                period,
                time,
                day,
                off_ms,
            } => {
                let minutes = rule.periods[period % rule.periods.len()].minutes();
                midnight
                    + TimeDelta::days(day)
                    + TimeDelta::minutes(i64::from(minutes[time]))
                    + TimeDelta::milliseconds(off_ms)
            }
            Pick::After(ms) => last + TimeDelta::milliseconds(ms),
        };
        last
    };
    picks.iter().map(moment).collect()
}

pub(crate) fn inputs() -> impl Strategy<Value = Input> {
    let place = (0_usize..PLACES.len(), -2_i64..=1).prop_map(|(index, days)| {
        let (zone, date) = PLACES[index];
        let date: NaiveDate = date.parse().unwrap();
        let date = date.checked_add_days(Days::new(2)).unwrap() + TimeDelta::days(days - 2);
        (zone, date)
    });
    let picks = prop::collection::vec(pick(), 0..9);
    let spans = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec((pick(), pick()), 1..3)];
    let now = prop_oneof![3 => Just(None), 1 => pick().prop_map(Some)];
    (place, picks, spans, now).prop_flat_map(|((zone, date), picks, spans, now)| {
        rules(date).prop_map(move |rule| {
            let at = |picks: &[Pick]| moments(picks, &rule, date, zone);
            let punch = |(number, passed_at)| Punch {
                passed_at,
                record_id: record(number),
            };
            let punches = at(&picks).into_iter().enumerate().map(punch).collect();
            let adjustments = spans.iter().enumerate().map(|(number, (one, other))| {
                let ends = at(&[*one, *other]);
                Adjustment {
                    adjustment_id: adjustment(number),
                    kind: AdjustmentKind::Leave,
                    begins_at: ends[0].min(ends[1]),
                    ends_at: ends[0].max(ends[1]),
                }
            });
            let adjustments = adjustments.collect();
            let now = now.map_or(DateTime::<Utc>::MAX_UTC, |now| at(&[now])[0]);
            Input {
                rule,
                date,
                zone,
                punches,
                adjustments,
                now,
            }
        })
    })
}
