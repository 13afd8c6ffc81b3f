//! The check of a rule and of a group's name, fault by fault in the order that is promised to
//! callers. Deliberately absent: whether a name is taken, which needs the other groups.

use super::faults::{FaultCode, RuleFault};
use super::rule::{ClockMinute, DAY_MIN, DaySpan, GroupRule, Period, PlanDay, Shape};
use chrono::NaiveDate;

/// Most periods of a group.
pub const PERIODS_MAX: usize = 3;
/// Most special dates of a group.
pub const SPECIAL_DATES_MAX: usize = 32;
/// Longest duplicate window, in seconds.
pub const DUPLICATE_WINDOW_S_MAX: u32 = 3600;
/// Fewest characters of a group's name.
pub const NAME_CHARS_MIN: usize = 2;
/// Most characters of a group's name.
pub const NAME_CHARS_MAX: usize = 32;

type Checked = Result<(), RuleFault>;

fn fault(code: FaultCode, pointer: impl Into<String>, message: impl Into<String>) -> Checked {
    Err(RuleFault::new(code, pointer, message))
}

impl GroupRule {
    /// Finds the first fault. `today` is the date in the group's zone. `before` is the version that
    /// is edited: a past special date that it already has is no fault, so that a group can still be
    /// edited after its first holiday.
    ///
    /// # Errors
    /// The fault that comes first in the order of the documents; faults of native settings come last.
    pub fn check(&self, today: NaiveDate, before: Option<&Self>) -> Checked {
        self.check_count_and_orders()?;
        self.check_shapes()?;
        self.check_lengths_and_neighbours()?;
        self.check_day_span()?;
        self.check_week_plan()?;
        self.check_special_dates(today, before)?;
        self.check_settings()
    }

    fn check_count_and_orders(&self) -> Checked {
        let count = self.periods.len();
        if count == 0 {
            return fault(
                FaultCode::NoPeriod,
                "/periods",
                "The group has no period; give it one to three.",
            );
        }
        if count > PERIODS_MAX {
            let message = format!("The group has {count} periods; give it three at most.");
            return fault(FaultCode::TooManyPeriods, "/periods", message);
        }
        for (index, period) in self.periods.iter().enumerate() {
            let earlier = self.periods.iter().take(index);
            let twice = earlier.into_iter().any(|other| other.order == period.order);
            if twice || !(1..=count).contains(&usize::from(period.order)) {
                let message = format!(
                    "The order {} does not fit; number the {count} periods from 1 to {count} without gaps.",
                    period.order
                );
                return fault(
                    FaultCode::PeriodOrder,
                    format!("/periods/{index}/order"),
                    message,
                );
            }
        }
        Ok(())
    }

    fn check_shapes(&self) -> Checked {
        for (index, period) in self.periods.iter().enumerate() {
            if period.shape() == Shape::Broken {
                return fault(
                    FaultCode::StartAfterEnd,
                    format!("/periods/{index}/{}", first_fall(period)),
                    format!(
                        "In period {} a start lies after its end; write on_st, on_et, off_st and off_et in the order \
                         of time. A period may pass midnight once, if it then ends before the time at which it began.",
                        period.order
                    ),
                );
            }
        }
        let mut across = cross_day(&self.periods);
        if let (Some(_), Some((index, period))) = (across.next(), across.next()) {
            let message = format!(
                "Period {} passes midnight too; only one period of a group may do so.",
                period.order
            );
            return fault(
                FaultCode::SecondCrossDay,
                format!("/periods/{index}"),
                message,
            );
        }
        if let Some((index, period)) = cross_day(&self.periods).next()
            && period.off_et > ClockMinute::NOON
        {
            let message = format!(
                "Period {} passes midnight and ends at {}; let it end by 12:00 of the next day.",
                period.order, period.off_et
            );
            return fault(
                FaultCode::CrossDayTooLong,
                format!("/periods/{index}/off_et"),
                message,
            );
        }
        Ok(())
    }

    fn check_lengths_and_neighbours(&self) -> Checked {
        let length_min = |period: &Period| {
            let [start, _, _, end] = period.minutes();
            u32::from(end.saturating_sub(start))
        };
        if self.periods.iter().map(length_min).sum::<u32>() > u32::from(DAY_MIN) {
            return fault(
                FaultCode::Over24Hours,
                "/periods",
                "The periods together are longer than 24 hours; shorten them.",
            );
        }
        if let Some((index, one, other)) = self.neighbours(|gap| gap < 0) {
            let message = format!(
                "Periods {one} and {other} overlap; a punch must belong to one period only. Move one of them."
            );
            return fault(FaultCode::Overlap, format!("/periods/{index}"), message);
        }
        if let Some((index, one, other)) = self.neighbours(|gap| gap == 0) {
            let message = format!(
                "Periods {one} and {other} share a minute; let the later one begin at least one minute after the end \
                 of the earlier one."
            );
            return fault(FaultCode::NoInterval, format!("/periods/{index}"), message);
        }
        Ok(())
    }

    /// The first two periods with such a gap between them, in minutes: the index of the second and
    /// the orders of both. Days follow each other, so the end of a night meets the next morning.
    fn neighbours(&self, such: impl Fn(i32) -> bool) -> Option<(usize, u8, u8)> {
        let day_min = i32::from(DAY_MIN);
        for (index, period) in self.periods.iter().enumerate() {
            let [start, _, _, end] = period.minutes().map(i32::from);
            for other in self.periods.iter().take(index) {
                let [other_start, _, _, other_end] = other.minutes().map(i32::from);
                for shift_min in [-day_min, 0, day_min] {
                    let gap = (start + shift_min - other_end).max(other_start - end - shift_min);
                    if such(gap) {
                        return Some((index, other.order, period.order));
                    }
                }
            }
        }
        None
    }

    fn check_day_span(&self) -> Checked {
        if self.day_span == DaySpan::End && cross_day(&self.periods).next().is_none() {
            return fault(
                FaultCode::SpanWithoutCrossDay,
                "/day_span",
                "No period passes midnight, so nothing can be filed under the day it ends; set day_span to 0.",
            );
        }
        Ok(())
    }

    fn check_week_plan(&self) -> Checked {
        for (index, day) in self.week_plan.iter().enumerate() {
            if self.week_plan.iter().take(index).any(|other| other == day) {
                let message = format!(
                    "\"{}\" stands twice in the week plan; name each day once.",
                    day.as_str()
                );
                return fault(
                    FaultCode::WeekdayTwice,
                    format!("/week_plan/{index}"),
                    message,
                );
            }
        }
        for (index, day) in self.week_plan.iter().enumerate() {
            if let PlanDay::Unknown(word) = day {
                let word: String = word.chars().take(32).collect();
                let message = format!(
                    "\"{word}\" is not a weekday; write monday, tuesday and so on to sunday."
                );
                return fault(
                    FaultCode::NotAWeekday,
                    format!("/week_plan/{index}"),
                    message,
                );
            }
        }
        Ok(())
    }

    fn check_special_dates(&self, today: NaiveDate, before: Option<&Self>) -> Checked {
        let dates = &self.special_dates;
        if dates.len() > SPECIAL_DATES_MAX {
            let message = format!("There are {} special dates; keep 32 at most.", dates.len());
            return fault(FaultCode::TooManySpecialDates, "/special_dates", message);
        }
        for (index, special) in dates.iter().enumerate() {
            if dates
                .iter()
                .take(index)
                .any(|other| other.date == special.date)
            {
                let message = format!(
                    "{} stands twice; keep one of the two special dates.",
                    special.date
                );
                let pointer = format!("/special_dates/{index}/date");
                return fault(FaultCode::SpecialDateTwice, pointer, message);
            }
        }
        for (index, special) in dates.iter().enumerate() {
            let kept = before.is_some_and(|rule| rule.special_dates.contains(special));
            if special.date < today && !kept {
                let message = format!(
                    "{} is past; a special date must be {today} or later.",
                    special.date
                );
                let pointer = format!("/special_dates/{index}/date");
                return fault(FaultCode::SpecialDatePast, pointer, message);
            }
        }
        Ok(())
    }

    fn check_settings(&self) -> Checked {
        let invalid =
            |pointer: String, message: &str| fault(FaultCode::InvalidParameter, pointer, message);
        if self.duplicate_window_s > DUPLICATE_WINDOW_S_MAX {
            let message = "The duplicate window is longer than an hour; give 0 to 3600 seconds.";
            return invalid("/duplicate_window_s".to_owned(), message);
        }
        let minutes = [
            ("/late_grace_min", self.late_grace_min),
            ("/early_grace_min", self.early_grace_min),
            ("/overtime_before_min", self.overtime_before_min),
            ("/overtime_after_min", self.overtime_after_min),
        ];
        for (pointer, value) in minutes {
            if value.is_some_and(|value| value > DAY_MIN) {
                return invalid(
                    pointer.to_owned(),
                    "This is longer than a day; give 0 to 1440 minutes.",
                );
            }
        }
        for (index, period) in self.periods.iter().enumerate() {
            let [on_st, on_et, off_st, off_et] = period.minutes();
            if period.rest_min.is_some_and(|rest| rest > off_st - on_et) {
                let message = "The rest is longer than the work; give at most the minutes from on_et to off_st.";
                return invalid(format!("/periods/{index}/rest_min"), message);
            }
            let fits = |stay: u16| {
                on_st.saturating_add(stay) > on_et && on_et.saturating_add(stay) <= off_et
            };
            if self.stay_min.is_some_and(|stay| !fits(stay)) {
                let message = "Who comes at on_st must have to stay beyond on_et, and who comes at on_et must be able \
                               to stay so long before off_et; change stay_min or the period.";
                return invalid("/stay_min".to_owned(), message);
            }
        }
        Ok(())
    }
}

fn cross_day(periods: &[Period]) -> impl Iterator<Item = (usize, &Period)> {
    let all = periods.iter().enumerate();
    all.filter(|(_, period)| period.shape() == Shape::CrossDay)
}

fn first_fall(period: &Period) -> &'static str {
    let [on_st, on_et, off_st, _] = period.times();
    if on_st > on_et {
        "on_et"
    } else if on_et > off_st {
        "off_st"
    } else {
        "off_et"
    }
}

/// Checks the name of a group: 2 to 32 letters, digits, spaces and `- _ . ( )`, in any script.
///
/// # Errors
/// 104034 for its length, 104040 for a character; whether it is taken (104412) the caller knows.
pub fn check_name(name: &str) -> Checked {
    let count = name.chars().count();
    if !(NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&count) {
        let message = format!("The name has {count} characters; give it 2 to 32.");
        return fault(FaultCode::InvalidParameter, "/name", message);
    }
    if let Some(character) = name.chars().find(|character| !belongs_in_name(*character)) {
        let message = format!(
            "The name has the character {}; use letters, digits, spaces and - _ . ( ).",
            character.escape_default()
        );
        return fault(FaultCode::NameCharacters, "/name", message);
    }
    Ok(())
}

/// Letters of every script also need their marks, which std cannot tell from symbols; so it is the
/// blocks of punctuation, symbols and pictures that are kept out.
fn belongs_in_name(character: char) -> bool {
    match character {
        ' ' | '-' | '_' | '.' | '(' | ')' | '（' | '）' | '·' => true,
        _ if character.is_alphanumeric() => true,
        _ if character.is_ascii() || character.is_whitespace() => false,
        '\u{80}'..='\u{BF}'
        | '×'
        | '÷'
        | '\u{2000}'..='\u{2BFF}'
        | '\u{3000}'..='\u{303F}'
        | '\u{E000}'..='\u{F8FF}'
        | '\u{FE00}'..='\u{FE6F}'
        | '\u{FEFF}'
        | '\u{FF00}'..='\u{FFFF}' => false,
        _ => character < '\u{1F000}',
    }
}
