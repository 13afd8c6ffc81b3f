//! The rule of an attendance group, as a value: one version of it, as it stands in a column and in
//! the API. Deliberately absent: the group's name and members, and since when a version holds.

use crate::schedule::minute_of_day;
use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Minutes of a day.
pub(super) const DAY_MIN: u16 = 24 * 60;

/// A time of the wall clock, to the minute. In JSON `"09:00"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClockMinute(u16);

impl ClockMinute {
    /// Twelve o'clock: when a cross-day period must have ended.
    pub const NOON: Self = Self(12 * 60);

    /// The minute of the day, from 0 to 1439; `None` beyond.
    #[must_use]
    pub const fn new(minute: u16) -> Option<Self> {
        if minute < DAY_MIN {
            Some(Self(minute))
        } else {
            None
        }
    }

    /// Minutes since 00:00.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ClockMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for ClockMinute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockMinute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        minute_of_day(&text).and_then(Self::new).ok_or_else(|| {
            serde::de::Error::custom(format!("\"{text}\" is not a time such as 08:05"))
        })
    }
}

/// One stretch of work in a day. Both ends of both windows belong to it, to the minute: `09:00`
/// means up to 09:00:59.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Its number in the day, from 1 to 3.
    pub order: u8,
    /// From when an arrival is on time.
    pub on_st: ClockMinute,
    /// Until when an arrival is on time; the work begins here.
    pub on_et: ClockMinute,
    /// From when a departure is regular; the work ends here.
    pub off_st: ClockMinute,
    /// Until when a departure is seen; the period ends here.
    pub off_et: ClockMinute,
    /// Minutes of rest that are not worked. Native setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_min: Option<u16>,
}

/// How the four times of a period lie on the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// They rise within one day.
    SameDay,
    /// They pass midnight once and end, on the next day, before the clock shows the beginning again.
    CrossDay,
    /// They do neither: a start lies after its end.
    Broken,
}

impl Period {
    /// The four times in the order they should come in.
    #[must_use]
    pub const fn times(&self) -> [ClockMinute; 4] {
        [self.on_st, self.on_et, self.off_st, self.off_et]
    }

    /// How its times lie on the clock.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let [on_st, on_et, off_st, off_et] = self.times();
        let falls = [on_st > on_et, on_et > off_st, off_st > off_et];
        match falls.iter().filter(|fall| **fall).count() {
            0 => Shape::SameDay,
            1 if off_et < on_st => Shape::CrossDay,
            _ => Shape::Broken,
        }
    }

    /// Minutes from 00:00 of the day it starts on; past midnight they go on from 1440. A broken
    /// period yields rising minutes too, so that nothing built on them can fail.
    #[must_use]
    pub fn minutes(&self) -> [u16; 4] {
        let mut last = 0;
        let mut days_min = 0;
        self.times().map(|time| {
            if time.get() < last {
                days_min += DAY_MIN;
            }
            last = time.get();
            days_min + time.get()
        })
    }
}

/// Which date the result of a cross-day period is filed under. In JSON `0` or `1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum DaySpan {
    /// 0: the date it starts on.
    #[default]
    Start,
    /// 1: the date it ends on.
    End,
}

impl From<DaySpan> for u8 {
    fn from(span: DaySpan) -> Self {
        match span {
            DaySpan::Start => 0,
            DaySpan::End => 1,
        }
    }
}

impl TryFrom<u8> for DaySpan {
    type Error = &'static str;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::Start),
            1 => Ok(Self::End),
            _ => Err(
                "day_span must be 0, the date a cross-day period starts on, or 1, the date it ends on",
            ),
        }
    }
}

/// An entry of a week plan. In JSON a lower-case English weekday; upper case is read too. A word
/// that is none is kept as it came, so that the check can name it in its turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PlanDay {
    /// A weekday.
    Day(Weekday),
    /// Something else.
    Unknown(String),
}

impl PlanDay {
    /// Reads an entry; never fails.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let known = ALL_WEEKDAYS
            .into_iter()
            .find(|day| weekday_word(*day).eq_ignore_ascii_case(text));
        known.map_or_else(|| Self::Unknown(text.to_owned()), Self::Day)
    }

    /// The word as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Day(day) => weekday_word(*day),
            Self::Unknown(text) => text,
        }
    }
}

const ALL_WEEKDAYS: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

const fn weekday_word(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

impl Serialize for PlanDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PlanDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&Cow::<'_, str>::deserialize(deserializer)?))
    }
}

/// A date that does not follow the week plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialDate {
    /// Which one.
    pub date: NaiveDate,
    /// Whether the group works on it.
    #[serde(default)]
    pub is_punch: bool,
}

/// One version of a group's rule. Without the native settings, all optional, it says what the
/// vendor documents say and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRule {
    /// One to three; in any order here, told apart by `order`.
    pub periods: Vec<Period>,
    /// The filing of a cross-day period.
    #[serde(default)]
    pub day_span: DaySpan,
    /// The weekdays, as business dates, on which the group works.
    pub week_plan: Vec<PlanDay>,
    /// Dates that override the week plan.
    #[serde(default)]
    pub special_dates: Vec<SpecialDate>,
    /// Punches of one person that follow each other within so many seconds count as one.
    #[serde(default = "duplicate_window_s")]
    pub duplicate_window_s: u32,
    /// Native: so many minutes after `on_et` are still on time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_grace_min: Option<u16>,
    /// Native: so many minutes before the regular departure are not early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_grace_min: Option<u16>,
    /// Native: who comes at least so many minutes before `on_et` works overtime from then on.
    /// Absent: coming early is no overtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtime_before_min: Option<u16>,
    /// Native: who leaves at least so many minutes after the regular departure worked overtime until
    /// then. Absent: leaving late is no overtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtime_after_min: Option<u16>,
    /// Native, flexible start: the work begins with an arrival between `on_st` and `on_et` and lasts
    /// so many minutes; `off_st` then decides nothing once there is an arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay_min: Option<u16>,
}

const fn duplicate_window_s() -> u32 {
    GroupRule::DUPLICATE_WINDOW_S
}

impl GroupRule {
    /// The duplicate window of a group that sets none, in seconds.
    pub const DUPLICATE_WINDOW_S: u32 = 60;

    /// A rule without special dates and native settings.
    #[must_use]
    pub const fn plain(periods: Vec<Period>, week_plan: Vec<PlanDay>) -> Self {
        Self {
            periods,
            day_span: DaySpan::Start,
            week_plan,
            special_dates: Vec::new(),
            duplicate_window_s: Self::DUPLICATE_WINDOW_S,
            late_grace_min: None,
            early_grace_min: None,
            overtime_before_min: None,
            overtime_after_min: None,
            stay_min: None,
        }
    }

    /// Whether the group works on a business date.
    #[must_use]
    pub fn works_on(&self, date: NaiveDate) -> bool {
        if let Some(special) = self
            .special_dates
            .iter()
            .find(|special| special.date == date)
        {
            return special.is_punch;
        }
        let weekday = date.weekday();
        self.week_plan
            .iter()
            .any(|entry| matches!(entry, PlanDay::Day(day) if *day == weekday))
    }
}
