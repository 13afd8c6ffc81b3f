//! The same days as FaceJoy shows them (document 000, sections 11 and 12): first and last sign, the
//! hours between, and a set of words. Deliberately absent: its JSON, which its facade writes.

use super::day::{Day, PeriodResult, Punch};
use crate::vocabulary;
use chrono::{DateTime, Utc};

vocabulary! {
    /// A word about a day.
    pub enum Sign: "attendance sign" {
        /// Nothing else applies.
        Normal = "normal",
        /// Absent in a period.
        Absenteeism = "absenteeism",
        /// Left a period early.
        Leave = "leave",
        /// Came late to a period.
        Late = "late",
        /// A punch is missing.
        Uncheck = "uncheck",
    }
}

impl Sign {
    /// The words of a day in the order of [`Sign::ALL`]. Periods that have not ended say nothing; an
    /// adjusted one is normal. A day of which no period has ended has no word.
    #[must_use]
    pub fn of(day: &Day) -> Vec<Self> {
        let has = |wanted: &[PeriodResult]| {
            let mut results = day.periods.iter().map(|period| period.result);
            results.any(|result| wanted.contains(&result))
        };
        let mut signs = Vec::new();
        let mut add = |sign, results: &[PeriodResult]| {
            if has(results) {
                signs.push(sign);
            }
        };
        add(Self::Absenteeism, &[PeriodResult::Absent]);
        add(
            Self::Leave,
            &[PeriodResult::LeftEarly, PeriodResult::LateAndLeftEarly],
        );
        add(
            Self::Late,
            &[PeriodResult::Late, PeriodResult::LateAndLeftEarly],
        );
        add(Self::Uncheck, &[PeriodResult::MissedPunch]);
        if signs.is_empty() && has(&[PeriodResult::Normal, PeriodResult::Adjusted]) {
            signs.push(Self::Normal);
        }
        signs
    }
}

/// A day of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignDay {
    /// First punch of the business date.
    pub first_sign_at: Option<DateTime<Utc>>,
    /// Last punch of the business date; the first one, if there is no other.
    pub last_sign_at: Option<DateTime<Utc>>,
    /// Hours between them, `"10.5"`.
    pub cumulative_time: String,
    /// The words.
    pub status: Vec<Sign>,
}

impl SignDay {
    /// From a judged day and all punches whose business date it is
    /// ([`super::GroupRule::business_date_of`]), in any order, inside a period or not.
    #[must_use]
    pub fn new(day: &Day, punches: &[Punch]) -> Self {
        let times = punches.iter().map(|punch| punch.passed_at);
        let (first, last) = (times.clone().min(), times.max());
        let span_ms = match (first, last) {
            (Some(first), Some(last)) => last.timestamp_millis() - first.timestamp_millis(),
            _ => 0,
        };
        Self {
            first_sign_at: first,
            last_sign_at: last,
            cumulative_time: cumulative_hours(span_ms),
            status: Sign::of(day),
        }
    }
}

/// Hours with one decimal, rounded half up: 37 971 s are `"10.5"`. A negative span is none.
#[must_use]
pub fn cumulative_hours(span_ms: i64) -> String {
    let tenths = span_ms.max(0).saturating_add(180_000) / 360_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A month of a person: days by word. A day with two words counts under both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignMonth {
    /// Days that are normal and nothing else.
    pub normal_times: u32,
    /// Days with an absent period.
    pub absenteeism_times: u32,
    /// Days with a missing punch.
    pub uncheck_times: u32,
    /// Days with an early departure.
    pub leave_times: u32,
    /// Days with a late arrival.
    pub late_times: u32,
}

impl SignMonth {
    /// Counts the days of a month.
    #[must_use]
    pub fn of<'a>(days: impl IntoIterator<Item = &'a Day>) -> Self {
        let mut month = Self::default();
        for sign in days.into_iter().flat_map(Sign::of) {
            match sign {
                Sign::Normal => month.normal_times += 1,
                Sign::Absenteeism => month.absenteeism_times += 1,
                Sign::Uncheck => month.uncheck_times += 1,
                Sign::Leave => month.leave_times += 1,
                Sign::Late => month.late_times += 1,
            }
        }
        month
    }
}
