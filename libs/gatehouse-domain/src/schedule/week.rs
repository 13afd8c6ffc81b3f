//! The seven days that a terminal is told.

use super::{LAST_MINUTE, PERIODS_MAX, Schedule, Span, minute_of};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fmt::Write;

/// When one day is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayPlan {
    /// All of it. Never written as a span.
    AllDay,
    /// Within these, in their order, none of which touches another; none: closed.
    Spans(Vec<Span>),
}

impl DayPlan {
    /// Spans in their order, joined where they touch or overlap.
    fn joined(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| span.from_min <= span.to_min && span.to_min <= LAST_MINUTE);
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.from_min <= last.to_min.saturating_add(1) => {
                    last.to_min = last.to_min.max(span.to_min);
                }
                Some(_) | None => joined.push(span),
            }
        }
        if joined.as_slice() == [Span::ALL_DAY] {
            Self::AllDay
        } else {
            Self::Spans(joined)
        }
    }

    /// The longest of the spans, as many as a terminal takes; whether any had to go.
    fn bounded(self) -> (Self, bool) {
        match self {
            Self::Spans(mut spans) if spans.len() > PERIODS_MAX => {
                spans.sort_by_key(|span| Reverse(span.to_min - span.from_min));
                spans.truncate(PERIODS_MAX);
                spans.sort_unstable();
                (Self::Spans(spans), true)
            }
            plan @ (Self::AllDay | Self::Spans(_)) => (plan, false),
        }
    }

    /// What of it lies within the minutes.
    fn within(&self, window: Span) -> Self {
        let all = [Span::ALL_DAY];
        let spans = match self {
            Self::AllDay => all.as_slice(),
            Self::Spans(spans) => spans.as_slice(),
        };
        let cut = spans.iter().map(|span| Span {
            from_min: span.from_min.max(window.from_min),
            to_min: span.to_min.min(window.to_min),
        });
        Self::joined(cut.collect())
    }

    fn closed() -> Self {
        Self::Spans(Vec::new())
    }
}

/// The next seven local days, as terminals keep them: by weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// The first of the seven days.
    pub starts_on: NaiveDate,
    /// From Monday to Sunday; each is the day of that weekday within the seven.
    pub days: [DayPlan; 7],
    /// A day had more periods than a terminal takes: it is told the longest of them, never more than is
    /// allowed.
    pub truncated: bool,
}

impl Week {
    /// Lays the schedules that admit somebody over each other. `None` is an authority without a
    /// schedule: all days are open. No schedule at all: all days are closed.
    #[must_use]
    pub fn render(schedules: &[Option<&Schedule>], starts_on: NaiveDate) -> Self {
        let mut truncated = false;
        let days = std::array::from_fn(|index| {
            let Some(date) = date_of(starts_on, index) else {
                return DayPlan::closed();
            };
            let mut spans = Vec::new();
            for schedule in schedules {
                match schedule {
                    None => return DayPlan::AllDay,
                    Some(schedule) => spans.extend_from_slice(&schedule.spans_on(date)),
                }
            }
            let (plan, cut) = DayPlan::joined(spans).bounded();
            truncated |= cut;
            plan
        });
        Self {
            starts_on,
            days,
            truncated,
        }
    }

    /// Closes the minutes outside a validity. `from` is the first moment that is valid and `to` the
    /// first that no longer is; a minute of which a part is valid stays open.
    #[must_use]
    pub fn cut(&self, from: Option<NaiveDateTime>, to: Option<NaiveDateTime>) -> Self {
        let mut days = self.days.clone();
        for (index, plan) in days.iter_mut().enumerate() {
            let window = date_of(self.starts_on, index).and_then(|date| window(date, from, to));
            *plan = window.map_or_else(DayPlan::closed, |window| plan.within(window));
        }
        Self {
            starts_on: self.starts_on,
            days,
            truncated: self.truncated,
        }
    }

    /// What a terminal is told, as a text that is equal where that is equal: neither the date nor the
    /// truncation is in it.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::from("1");
        for plan in &self.days {
            text.push(';');
            match plan {
                DayPlan::AllDay => text.push('*'),
                DayPlan::Spans(spans) => {
                    for span in spans {
                        // Writing into a String cannot fail.
                        let _ = write!(text, "{span} ");
                    }
                }
            }
        }
        text
    }
}

/// The day of a weekday, 0 being Monday, within the seven days.
fn date_of(starts_on: NaiveDate, index: usize) -> Option<NaiveDate> {
    let first = u64::from(starts_on.weekday().num_days_from_monday());
    let index = u64::try_from(index).ok()?;
    starts_on.checked_add_days(Days::new((index + 7 - first) % 7))
}

/// The minutes of a date of which at least a part is valid.
fn window(date: NaiveDate, from: Option<NaiveDateTime>, to: Option<NaiveDateTime>) -> Option<Span> {
    let from_min = match from {
        Some(from) if from.date() > date => return None,
        Some(from) if from.date() == date => minute_of(from.time()),
        Some(_) | None => 0,
    };
    let to_min = match to {
        Some(to) if to.date() < date => return None,
        Some(to) if to.date() == date => last_minute_before(to.time())?,
        Some(_) | None => LAST_MINUTE,
    };
    (from_min <= to_min).then_some(Span { from_min, to_min })
}

/// The last minute of the day that begins before the time.
fn last_minute_before(time: NaiveTime) -> Option<u16> {
    let minute = minute_of(time);
    let begins = NaiveTime::from_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0);
    if begins.is_some_and(|begins| begins < time) {
        Some(minute)
    } else {
        minute.checked_sub(1)
    }
}
