//! A judged day: facts and numbers, no words. Small, copied, without allocation, so that a million
//! of them can be made in a second.

use super::adjustment::AdjustmentKind;
use crate::ids::{AdjustmentId, RecordId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;

/// What attendance counts: a record of a group's member on an attendance device. Punches are ordered
/// by time, and by record where times are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Punch {
    /// When the person passed; when it was received does not matter.
    pub passed_at: DateTime<Utc>,
    /// The record it is.
    pub record_id: RecordId,
}

macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $number:literal, $word:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every member, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The vendor's number.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }
            /// The member with a vendor's number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
            /// The one spelling, as in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

numbered! {
    /// What became of a period (document 003, 考勤结果).
    PeriodResult {
        /// The period has not ended.
        #[default]
        Pending = 0, "pending";
        /// On time and regular.
        Normal = 1, "normal";
        /// No punch.
        Absent = 2, "absent";
        /// Came late.
        Late = 3, "late";
        /// Left early.
        LeftEarly = 4, "left_early";
        /// Both.
        LateAndLeftEarly = 5, "late_and_left_early";
        /// The arrival or the departure is missing.
        MissedPunch = 6, "missed_punch";
        /// An adjustment covers it.
        Adjusted = 7, "adjusted";
    }
}

numbered! {
    /// What became of a day (document 003, 考勤状态).
    DayStatus {
        /// A period has not ended.
        #[default]
        Pending = 0, "pending";
        /// All periods are normal.
        Normal = 1, "normal";
        /// All periods are absent (旷工).
        Absent = 2, "absent";
        /// At least one period is adjusted, all others are normal.
        Adjusted = 3, "adjusted";
        /// Anything else.
        Abnormal = 4, "abnormal";
    }
}

impl DayStatus {
    /// The status of a day with these results; of none it is pending.
    #[must_use]
    pub fn of(results: impl Iterator<Item = PeriodResult> + Clone) -> Self {
        let all = |wanted: &[PeriodResult]| results.clone().all(|result| wanted.contains(&result));
        let any = |wanted| results.clone().any(|result| result == wanted);
        if results.clone().next().is_none() || any(PeriodResult::Pending) {
            Self::Pending
        } else if all(&[PeriodResult::Normal]) {
            Self::Normal
        } else if all(&[PeriodResult::Normal, PeriodResult::Adjusted]) {
            Self::Adjusted
        } else if all(&[PeriodResult::Absent]) {
            Self::Absent
        } else {
            Self::Abnormal
        }
    }
}

/// The rule by which an arrival was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalRule {
    /// In the in-window: on time.
    InWindow,
    /// After it, within the grace: on time.
    Grace,
    /// After it: late.
    Late,
}

/// The rule by which a departure was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartureRule {
    /// In the out-window: regular.
    OutWindow,
    /// Before it, within the grace: regular.
    Grace,
    /// Before it: early.
    Early,
    /// Flexible start: stayed long enough, regular.
    Stayed,
    /// Flexible start: did not stay long enough, but within the grace: regular.
    StayedWithinGrace,
    /// Flexible start: did not stay long enough, early.
    StayedTooShort,
}

impl DepartureRule {
    /// Whether it makes the departure an early one.
    #[must_use]
    pub const fn is_early(self) -> bool {
        match self {
            Self::Early | Self::StayedTooShort => true,
            Self::OutWindow | Self::Grace | Self::Stayed | Self::StayedWithinGrace => false,
        }
    }
}

/// The punch that counts as the arrival, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Which.
    pub punch: Punch,
    /// By which rule.
    pub rule: ArrivalRule,
}

/// The punch that counts as the departure, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Which.
    pub punch: Punch,
    /// By which rule.
    pub rule: DepartureRule,
}

/// What decided about a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Reason {
    /// It has not ended: nothing is decided.
    #[default]
    NotEnded,
    /// An adjustment that covers it.
    Adjustment {
        /// Which.
        adjustment_id: AdjustmentId,
        /// Of which kind.
        kind: AdjustmentKind,
    },
    /// The punches, or that there are none.
    Punches,
}

/// A judged period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodDay {
    /// Its number in the day.
    pub order: u8,
    /// What became of it.
    pub result: PeriodResult,
    /// What decided.
    pub reason: Reason,
    /// The arrival; shown whatever decided.
    pub arrival: Option<Arrival>,
    /// The departure; shown whatever decided.
    pub departure: Option<Departure>,
    /// Punches between its beginning and its end, repeats included.
    pub punches: u16,
    /// How many of them repeat the one before within the duplicate window.
    pub repeats: u16,
    /// An adjustment that touches the period and does not cover it, so that it decides nothing.
    pub partial_adjustment: Option<AdjustmentId>,
    /// Minutes worked between beginning and end of work, rest deducted; 0 without both punches.
    pub worked_min: u16,
    /// Minutes of overtime, before and after.
    pub overtime_min: u16,
    /// Minutes late; 0 unless the result says late.
    pub late_min: u16,
    /// Minutes left early; 0 unless the result says so.
    pub early_min: u16,
}

/// The judged periods of a day by their order, three at most. Reads as a slice; a list in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayPeriods {
    one: [PeriodDay; 3],
    count: usize,
}

impl DayPeriods {
    /// Adds one; a fourth is dropped.
    pub(super) fn push(&mut self, period: PeriodDay) {
        if let Some(place) = self.one.get_mut(self.count) {
            *place = period;
            self.count += 1;
        }
    }
}

impl Deref for DayPeriods {
    type Target = [PeriodDay];
    fn deref(&self) -> &[PeriodDay] {
        self.one.get(..self.count).unwrap_or_default()
    }
}

impl FromIterator<PeriodDay> for DayPeriods {
    fn from_iter<I: IntoIterator<Item = PeriodDay>>(periods: I) -> Self {
        let mut all = Self::default();
        periods.into_iter().for_each(|period| all.push(period));
        all
    }
}

impl Serialize for DayPeriods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for DayPeriods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let periods = Vec::<PeriodDay>::deserialize(deserializer)?;
        if periods.len() > 3 {
            return Err(serde::de::Error::invalid_length(
                periods.len(),
                &"three periods at most",
            ));
        }
        Ok(periods.into_iter().collect())
    }
}

/// A judged business date of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The business date.
    pub date: NaiveDate,
    /// What became of it.
    pub status: DayStatus,
    /// Period by period.
    pub periods: DayPeriods,
}

impl Day {
    /// Minutes worked in all periods.
    #[must_use]
    pub fn worked_min(&self) -> u32 {
        self.periods
            .iter()
            .map(|period| u32::from(period.worked_min))
            .sum()
    }

    /// Minutes of overtime in all periods.
    #[must_use]
    pub fn overtime_min(&self) -> u32 {
        self.periods
            .iter()
            .map(|period| u32::from(period.overtime_min))
            .sum()
    }

    /// Minutes late in all periods.
    #[must_use]
    pub fn late_min(&self) -> u32 {
        self.periods
            .iter()
            .map(|period| u32::from(period.late_min))
            .sum()
    }

    /// Minutes left early in all periods.
    #[must_use]
    pub fn early_min(&self) -> u32 {
        self.periods
            .iter()
            .map(|period| u32::from(period.early_min))
            .sum()
    }
}
