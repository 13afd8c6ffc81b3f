//! The judgement of a day. Deliberately absent: time zones and calendars, which `workday` has
//! settled, and words.

use super::adjustment::Adjustment;
use super::day::{
    Arrival, ArrivalRule, Day, DayPeriods, DayStatus, Departure, DepartureRule, PeriodDay,
    PeriodResult, Punch, Reason,
};
use super::rule::GroupRule;
use super::workday::{PeriodWindows, Workday};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

const MINUTE_MS: i64 = 60_000;

/// Judges a business date of a person: `None` where the group does not work on it.
///
/// Punches and adjustments of other dates do no harm, and their order does not matter; sorted
/// punches are judged without a copy.
#[must_use]
pub fn settle(
    rule: &GroupRule,
    date: NaiveDate,
    punches: &[Punch],
    adjustments: &[Adjustment],
    zone: Tz,
    now: DateTime<Utc>,
) -> Option<Day> {
    let workday = rule.workday_on(date, zone)?;
    Some(workday.judge(punches, adjustments, now))
}

impl Workday {
    /// Judges this date for one person; see [`settle`].
    #[must_use]
    pub fn judge(&self, punches: &[Punch], adjustments: &[Adjustment], now: DateTime<Utc>) -> Day {
        if !punches.is_sorted() {
            let mut sorted = punches.to_vec();
            sorted.sort_unstable();
            return self.judge(&sorted, adjustments, now);
        }
        let mut periods = DayPeriods::default();
        for windows in self.periods() {
            periods.push(self.judge_period(windows, punches, adjustments, now));
        }
        Day {
            date: self.date,
            status: DayStatus::of(periods.iter().map(|period| period.result)),
            periods,
        }
    }

    fn judge_period(
        &self,
        windows: &PeriodWindows,
        punches: &[Punch],
        adjustments: &[Adjustment],
        now: DateTime<Utc>,
    ) -> PeriodDay {
        let seen = within(punches, windows);
        let repeats = self.repeats(seen);
        let (arrival, departure) = self.arrival_and_departure(windows, seen, repeats);
        let covering = adjustments
            .iter()
            .filter(|adjustment| adjustment.covers(windows));
        let covering = covering.min_by_key(|adjustment| adjustment.adjustment_id);
        let partial = adjustments
            .iter()
            .filter(|adjustment| covering.is_none() && adjustment.touches(windows))
            .map(|adjustment| adjustment.adjustment_id);
        let mut day = PeriodDay {
            order: windows.order,
            arrival,
            departure,
            punches: u16::try_from(seen.len()).unwrap_or(u16::MAX),
            repeats: u16::try_from(repeats).unwrap_or(u16::MAX),
            partial_adjustment: partial.min(),
            ..PeriodDay::default()
        };
        if now < windows.ends_at {
            return day;
        }
        (day.result, day.reason) = match covering {
            Some(adjustment) => (
                PeriodResult::Adjusted,
                Reason::Adjustment {
                    adjustment_id: adjustment.adjustment_id,
                    kind: adjustment.kind,
                },
            ),
            None => (result_of(arrival, departure), Reason::Punches),
        };
        if let (Some(arrival), Some(departure)) = (arrival, departure) {
            self.count_minutes(
                &mut day,
                windows,
                minute_ms(&arrival.punch),
                minute_ms(&departure.punch),
            );
        }
        day
    }

    /// How many of the punches follow the one before within the duplicate window. A run of them
    /// counts as one punch, however long it goes on.
    fn repeats(&self, seen: &[Punch]) -> usize {
        let times = seen.iter().map(|punch| punch.passed_at.timestamp_millis());
        let gaps = times.clone().zip(times.skip(1));
        gaps.filter(|(one, next)| next - one <= self.duplicate_window_ms)
            .count()
    }

    /// The first punch is the arrival, the last one the departure, unless the windows say otherwise.
    ///
    /// One punch (or one run of repeats) is never both. If it ends in the out-window without having
    /// begun in the in-window, it is the departure; else the arrival.
    fn arrival_and_departure(
        &self,
        windows: &PeriodWindows,
        seen: &[Punch],
        repeats: usize,
    ) -> (Option<Arrival>, Option<Departure>) {
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
            return (None, None);
        };
        let is_one = repeats + 1 == seen.len();
        let first_on_time = first.passed_at < windows.in_ends_at;
        let last_regular = last.passed_at >= windows.out_starts_at;
        let is_arrival = if is_one {
            !last_regular
        } else {
            first.passed_at < windows.out_starts_at
        };
        let arrival = (first_on_time || is_arrival).then(|| Arrival {
            punch: *first,
            rule: self.arrival_rule(windows, first),
        });
        let is_free = arrival.is_none() || !is_one;
        let in_time = last_regular || last.passed_at >= windows.in_ends_at;
        let departure = (is_free && in_time).then(|| Departure {
            punch: *last,
            rule: self.departure_rule(windows, arrival.map(|_| first), last),
        });
        (arrival, departure)
    }

    fn arrival_rule(&self, windows: &PeriodWindows, punch: &Punch) -> ArrivalRule {
        if punch.passed_at < windows.in_ends_at {
            return ArrivalRule::InWindow;
        }
        let late_ms = minute_ms(punch) - windows.work_starts_at.timestamp_millis();
        if late_ms <= i64::from(self.late_grace_min) * MINUTE_MS {
            ArrivalRule::Grace
        } else {
            ArrivalRule::Late
        }
    }

    fn departure_rule(
        &self,
        windows: &PeriodWindows,
        arrival: Option<&Punch>,
        punch: &Punch,
    ) -> DepartureRule {
        let grace_ms = i64::from(self.early_grace_min) * MINUTE_MS;
        let left_ms = minute_ms(punch);
        if let (Some(stay_min), Some(arrival)) = (self.stay_min, arrival) {
            let due_ms = due_ms(windows, minute_ms(arrival), stay_min);
            return if left_ms >= due_ms {
                DepartureRule::Stayed
            } else if left_ms + grace_ms >= due_ms {
                DepartureRule::StayedWithinGrace
            } else {
                DepartureRule::StayedTooShort
            };
        }
        if punch.passed_at >= windows.out_starts_at {
            DepartureRule::OutWindow
        } else if left_ms + grace_ms >= windows.out_starts_at.timestamp_millis() {
            DepartureRule::Grace
        } else {
            DepartureRule::Early
        }
    }

    fn count_minutes(
        &self,
        day: &mut PeriodDay,
        windows: &PeriodWindows,
        came_ms: i64,
        left_ms: i64,
    ) {
        let starts_ms = windows.work_starts_at.timestamp_millis();
        let (work_from_ms, work_to_ms) = match self.stay_min {
            Some(stay_min) => (came_ms, due_ms(windows, came_ms, stay_min)),
            None => (
                came_ms.max(starts_ms),
                windows.out_starts_at.timestamp_millis(),
            ),
        };
        let worked = minutes(left_ms.min(work_to_ms) - work_from_ms);
        day.worked_min = worked.saturating_sub(windows.rest_min);
        let before = minutes(work_from_ms - came_ms);
        let after = minutes(left_ms - work_to_ms);
        let enough = |value: u16, least: Option<u16>| {
            if least.is_some_and(|least| value >= least) {
                value
            } else {
                0
            }
        };
        day.overtime_min = enough(before, self.overtime_before_min)
            .saturating_add(enough(after, self.overtime_after_min));
        if matches!(
            day.result,
            PeriodResult::Late | PeriodResult::LateAndLeftEarly
        ) {
            day.late_min = minutes(came_ms - starts_ms);
        }
        if matches!(
            day.result,
            PeriodResult::LeftEarly | PeriodResult::LateAndLeftEarly
        ) {
            day.early_min = minutes(work_to_ms - left_ms);
        }
    }
}

/// Flexible start: when one may leave. Who comes late owes as much as who comes last in time.
fn due_ms(windows: &PeriodWindows, came_ms: i64, stay_min: u16) -> i64 {
    came_ms.min(windows.work_starts_at.timestamp_millis()) + i64::from(stay_min) * MINUTE_MS
}

fn result_of(arrival: Option<Arrival>, departure: Option<Departure>) -> PeriodResult {
    let (Some(arrival), Some(departure)) = (arrival, departure) else {
        return if arrival.is_none() && departure.is_none() {
            PeriodResult::Absent
        } else {
            PeriodResult::MissedPunch
        };
    };
    match (arrival.rule, departure.rule.is_early()) {
        (ArrivalRule::InWindow | ArrivalRule::Grace, false) => PeriodResult::Normal,
        (ArrivalRule::InWindow | ArrivalRule::Grace, true) => PeriodResult::LeftEarly,
        (ArrivalRule::Late, false) => PeriodResult::Late,
        (ArrivalRule::Late, true) => PeriodResult::LateAndLeftEarly,
    }
}

fn within<'a>(sorted: &'a [Punch], windows: &PeriodWindows) -> &'a [Punch] {
    let from = sorted.partition_point(|punch| punch.passed_at < windows.starts_at);
    let to = sorted.partition_point(|punch| punch.passed_at < windows.ends_at);
    sorted.get(from..to).unwrap_or_default()
}

/// The minute of a punch: seconds never count.
fn minute_ms(punch: &Punch) -> i64 {
    punch.passed_at.timestamp_millis().div_euclid(MINUTE_MS) * MINUTE_MS
}

/// Whole minutes, none if negative.
fn minutes(span_ms: i64) -> u16 {
    u16::try_from(span_ms.max(0) / MINUTE_MS).unwrap_or(u16::MAX)
}
