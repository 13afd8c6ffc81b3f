//! A second judge, written from the tables of the rules and sharing nothing with the first: it looks
//! at every minute of four days on the zone's clock, and never calculates with offsets.

use crate::generated::Input;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{Day, DaySpan, GroupRule, PlanDay};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) status: u8,
    pub(crate) periods: Vec<JudgedPeriod>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JudgedPeriod {
    order: u8,
    result: u8,
    arrival: Option<DateTime<Utc>>,
    departure: Option<DateTime<Utc>>,
    worked_min: usize,
    overtime_min: usize,
    late_min: usize,
    early_min: usize,
}

impl From<&Day> for Judged {
    fn from(day: &Day) -> Self {
        let period = |period: &gatehouse_domain::attendance::PeriodDay| JudgedPeriod {
            order: period.order,
            result: period.result.number(),
            arrival: period.arrival.map(|arrival| arrival.punch.passed_at),
            departure: period.departure.map(|departure| departure.punch.passed_at),
            worked_min: period.worked_min.into(),
            overtime_min: period.overtime_min.into(),
            late_min: period.late_min.into(),
            early_min: period.early_min.into(),
        };
        Self {
            status: day.status.number(),
            periods: day.periods.iter().map(period).collect(),
        }
    }
}

/// Every minute with what the clock shows in it.
struct Clock(Vec<(DateTime<Utc>, NaiveDateTime)>);

const MINUTE: TimeDelta = TimeDelta::minutes(1);

impl Clock {
    fn around(date: NaiveDate, zone: Tz) -> Self {
        let from = date.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::hours(40);
        let minutes = (0..5 * 24 * 60).map(|minute| from + MINUTE * minute);
        Self(
            minutes
                .map(|at| (at, at.with_timezone(&zone).naive_local()))
                .collect(),
        )
    }

    /// The first minute in which the clock shows a time or a later one.
    fn start(&self, wanted: NaiveDateTime) -> DateTime<Utc> {
        self.0.iter().find(|(_, shown)| *shown >= wanted).unwrap().0
    }

    /// The last minute in which it shows a time; if it never does, as if it had gone on from the last
    /// minute before. And whether it shows the time exactly once.
    fn end(&self, wanted: NaiveDateTime) -> (DateTime<Utc>, bool) {
        let (at, shown) = self
            .0
            .iter()
            .rev()
            .find(|(_, shown)| *shown <= wanted)
            .unwrap();
        let times = self.0.iter().filter(|(_, shown)| *shown == wanted).count();
        (*at + (wanted - *shown), times == 1)
    }
}

fn minute_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(60_000))
}

/// Minutes from one to another, one by one.
fn count(from: DateTime<Utc>, to: DateTime<Utc>) -> usize {
    std::iter::successors(Some(from), |at| Some(*at + MINUTE))
        .take_while(|at| *at < to)
        .count()
}

fn works(rule: &GroupRule, date: NaiveDate) -> bool {
    for special in &rule.special_dates {
        if special.date == date {
            return special.is_punch;
        }
    }
    rule.week_plan.contains(&PlanDay::Day(date.weekday()))
}

pub(crate) fn judge(input: &Input) -> Option<Judged> {
    let Input {
        rule, date, zone, ..
    } = input;
    if !works(rule, *date) {
        return None;
    }
    let clock = Clock::around(*date, *zone);
    let mut periods: Vec<JudgedPeriod> = (0..rule.periods.len())
        .map(|index| judge_period(input, &clock, index))
        .collect();
    periods.sort_by_key(|period| period.order);
    let results: Vec<u8> = periods.iter().map(|period| period.result).collect();
    let status = if results.contains(&0) {
        0
    } else if results.contains(&7) && results.iter().all(|result| [1, 7].contains(result)) {
        3
    } else if results.iter().all(|result| *result == 1) {
        1
    } else if results.iter().all(|result| *result == 2) {
        2
    } else {
        4
    };
    Some(Judged { status, periods })
}

/// The four times of a period on the clock, started on a day.
fn times_on(rule: &GroupRule, index: usize, day: NaiveDate) -> [NaiveDateTime; 4] {
    let period = &rule.periods[index];
    let mut last = None;
    let mut day = day;
    period.times().map(|time| {
        if last.is_some_and(|last| time < last) {
            day = day.succ_opt().unwrap();
        }
        last = Some(time);
        day.and_hms_opt(u32::from(time.get()) / 60, u32::from(time.get()) % 60, 0)
            .unwrap()
    })
}

fn judge_period(input: &Input, clock: &Clock, index: usize) -> JudgedPeriod {
    let Input { rule, date, .. } = input;
    let period = &rule.periods[index];
    let crosses = period.on_st > period.off_et;
    let first_day = if crosses && rule.day_span == DaySpan::End {
        date.pred_opt().unwrap()
    } else {
        *date
    };
    let [on_st, on_et, off_st, off_et] = times_on(rule, index, first_day);
    let starts = clock.start(on_st);
    let (last_in, _) = clock.end(on_et);
    let first_out = clock.start(off_st);
    let (mut last_minute, once) = clock.end(off_et);
    let mut over = last_minute + MINUTE;
    if !once {
        // The next period that starts takes over.
        for other in 0..rule.periods.len() {
            for day in [
                *date - TimeDelta::days(1),
                *date,
                *date + TimeDelta::days(1),
            ] {
                let [start, ..] = times_on(rule, other, day);
                if start > on_st && clock.start(start) < over {
                    over = clock.start(start).max(starts);
                    last_minute = last_minute.min(over);
                }
            }
        }
    }
    let work_starts = last_in.min(over);
    let in_over = (last_in + MINUTE).min(over);
    let first_out = first_out.min(over);

    // Punches of the period, and which of them are one.
    let mut seen: Vec<DateTime<Utc>> = input.punches.iter().map(|punch| punch.passed_at).collect();
    seen.retain(|at| *at >= starts && *at < over);
    seen.sort();
    let mut runs: Vec<Vec<DateTime<Utc>>> = Vec::new();
    for at in seen {
        match runs.last_mut() {
            Some(run)
                if at - *run.last().unwrap()
                    <= TimeDelta::seconds(rule.duplicate_window_s.into()) =>
            {
                run.push(at)
            }
            _ => runs.push(vec![at]),
        }
    }
    let ones: Vec<(DateTime<Utc>, DateTime<Utc>)> = runs
        .iter()
        .map(|run| (run[0], run[run.len() - 1]))
        .collect();
    let is_in = |at: DateTime<Utc>| at < in_over;
    let is_out = |at: DateTime<Utc>| at >= first_out;
    let is_middle = |at: DateTime<Utc>| !is_in(at) && !is_out(at);
    let mut arrival = ones.iter().position(|one| is_in(one.0));
    let mut departure = (0..ones.len())
        .rev()
        .find(|one| Some(*one) != arrival && is_out(ones[*one].1));
    let late = arrival.is_none();
    let early = departure.is_none();
    if late {
        arrival = (0..ones.len()).find(|one| Some(*one) != departure && is_middle(ones[*one].0));
    }
    if early {
        departure = (0..ones.len())
            .rev()
            .find(|one| Some(*one) != arrival && is_middle(ones[*one].1));
    }
    let arrival = arrival.map(|one| ones[one].0);
    let departure = departure.map(|one| ones[one].1);

    let mut judged = JudgedPeriod {
        order: period.order,
        result: 0,
        arrival,
        departure,
        worked_min: 0,
        overtime_min: 0,
        late_min: 0,
        early_min: 0,
    };
    if input.now < over {
        return judged;
    }
    let (Some(came), Some(left)) = (arrival.map(minute_of), departure.map(minute_of)) else {
        judged.result = if arrival.is_none() && departure.is_none() {
            2
        } else {
            6
        };
        if covered(input, starts, last_minute) {
            judged.result = 7;
        }
        return judged;
    };
    let minutes = |minutes: Option<u16>| MINUTE * i32::from(minutes.unwrap_or(0));
    let late = late && came > work_starts + minutes(rule.late_grace_min);
    let (from, due) = match rule.stay_min {
        Some(stay) => (came, came.min(work_starts) + MINUTE * i32::from(stay)),
        None => (came.max(work_starts), first_out),
    };
    let early = (rule.stay_min.is_some() || early) && left + minutes(rule.early_grace_min) < due;
    judged.result = match (late, early) {
        (false, false) => 1,
        (true, false) => 3,
        (false, true) => 4,
        (true, true) => 5,
    };
    judged.worked_min =
        count(from, left.min(due)).saturating_sub(period.rest_min.unwrap_or(0).into());
    if let (Some(least), None) = (rule.overtime_before_min, rule.stay_min) {
        judged.overtime_min += Some(count(came, work_starts))
            .filter(|is| *is >= least.into())
            .unwrap_or(0);
    }
    if let Some(least) = rule.overtime_after_min {
        judged.overtime_min += Some(count(due, left))
            .filter(|is| *is >= least.into())
            .unwrap_or(0);
    }
    if covered(input, starts, last_minute) {
        judged.result = 7;
        return judged;
    }
    if late {
        judged.late_min = count(work_starts, came);
    }
    if early {
        judged.early_min = count(left, due);
    }
    judged
}

fn covered(input: &Input, starts: DateTime<Utc>, last_minute: DateTime<Utc>) -> bool {
    input.adjustments.iter().any(|adjustment| {
        minute_of(adjustment.begins_at) <= starts && adjustment.ends_at >= last_minute
    })
}
