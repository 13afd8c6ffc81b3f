//! Schedules: at which minutes of which days one may pass, and the week of it that a terminal is told.
//!
//! All times are the wall clock of the device. A period includes both of its ends to the minute, so
//! `08:00` to `18:00` ends as `18:01` begins. Deliberately absent: zones, and who is bound by a
//! schedule (`access::decide`).

mod faults;
mod week;

pub use faults::{HOLIDAYS_MAX, PERIODS_MAX, ScheduleFault};
pub use week::{DayPlan, Week};

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The last minute of a day.
pub const LAST_MINUTE: u16 = 23 * 60 + 59;

/// A period of a day. In JSON `{"from": "08:00", "to": "18:00"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first minute of the day that is open, from 0 to 1439.
    pub from_min: u16,
    /// The last minute of the day that is open, from 0 to 1439.
    pub to_min: u16,
}

impl Span {
    /// From the first to the last minute of a day.
    pub const ALL_DAY: Self = Self {
        from_min: 0,
        to_min: LAST_MINUTE,
    };

    /// Whether the minute of the day is in it.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        self.from_min <= minute && minute <= self.to_min
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u16| (minute / 60, minute % 60);
        let ((h, m), (to_h, to_m)) = (clock(self.from_min), clock(self.to_min));
        write!(f, "{h:02}:{m:02}-{to_h:02}:{to_m:02}")
    }
}

/// Reads `08:05` as a minute of the day.
#[must_use]
pub fn minute_of_day(text: &str) -> Option<u16> {
    let [h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let number = |tens: &u8, ones: &u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let (hour, minute) = (number(h1, h2)?, number(m1, m2)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The minute of the day of a time.
pub(crate) fn minute_of(time: NaiveTime) -> u16 {
    // Never out of range: a day has 1440 minutes.
    u16::try_from(time.num_seconds_from_midnight() / 60).unwrap_or(LAST_MINUTE)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpanText {
    from: String,
    to: String,
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let text = SpanText {
            from: clock(self.from_min),
            to: clock(self.to_min),
        };
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SpanText { from, to } = SpanText::deserialize(deserializer)?;
        let minute = |text: &str| {
            minute_of_day(text).ok_or_else(|| {
                serde::de::Error::custom(format!("\"{text}\" is not a time such as 08:05"))
            })
        };
        Ok(Self {
            from_min: minute(&from)?,
            to_min: minute(&to)?,
        })
    }
}

/// When one may pass on a day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekdayPlan {
    /// From 1, Monday, to 7, Sunday.
    pub weekday: u8,
    /// None: closed.
    pub periods: Vec<Span>,
}

/// A date that does not follow its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// Which one.
    pub date: NaiveDate,
    /// Closed, whatever the periods say, or open.
    pub open: bool,
    /// When it is open; none of them: all day.
    #[serde(default)]
    pub periods: Vec<Span>,
}

/// When one may pass. Its JSON is that of the API and of the column `directory.schedules.plan`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// A weekday that is not named is closed.
    #[serde(default)]
    pub weekdays: Vec<WeekdayPlan>,
    /// The entry of a date decides about it alone.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

impl Schedule {
    /// The holiday entry of a date.
    #[must_use]
    pub fn holiday_on(&self, date: NaiveDate) -> Option<&Holiday> {
        self.holidays.iter().find(|holiday| holiday.date == date)
    }

    /// The periods of a date; none: closed.
    #[must_use]
    pub fn spans_on(&self, date: NaiveDate) -> Cow<'_, [Span]> {
        if let Some(holiday) = self.holiday_on(date) {
            return match (holiday.open, holiday.periods.as_slice()) {
                (false, _) => Cow::Borrowed(&[]),
                (true, []) => Cow::Borrowed(&[Span::ALL_DAY]),
                (true, periods) => Cow::Borrowed(periods),
            };
        }
        let weekday = date.weekday().number_from_monday();
        let plan = self
            .weekdays
            .iter()
            .find(|plan| u32::from(plan.weekday) == weekday);
        Cow::Borrowed(plan.map_or(&[], |plan| plan.periods.as_slice()))
    }

    /// Whether one may pass at a moment of the device's wall clock.
    #[must_use]
    pub fn admits(&self, local: NaiveDateTime) -> bool {
        let minute = minute_of(local.time());
        self.spans_on(local.date())
            .iter()
            .any(|span| span.contains(minute))
    }
}

#[cfg(test)]
mod tests;
