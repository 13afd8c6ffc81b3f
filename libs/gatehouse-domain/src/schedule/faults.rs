//! What may be wrong with a schedule that somebody wrote.

use super::{Schedule, Span};
use chrono::NaiveDate;
use std::collections::HashSet;

/// Most periods of one day: what a terminal takes (document 004, 2.2.1, `passTime1`).
pub const PERIODS_MAX: usize = 5;
/// Most holidays of one schedule: some years of them.
pub const HOLIDAYS_MAX: usize = 500;

/// A schedule that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer} {detail}")]
pub struct ScheduleFault {
    /// Where in the schedule's JSON, as RFC 6901 has it.
    pub pointer: String,
    /// What is wrong; it continues the sentence "The field ...".
    pub detail: &'static str,
}

impl Schedule {
    /// Finds the first fault.
    ///
    /// # Errors
    /// The fault.
    pub fn check(&self) -> Result<(), ScheduleFault> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Finds all faults.
    #[must_use]
    pub fn faults(&self) -> Vec<ScheduleFault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, detail| faults.push(ScheduleFault { pointer, detail });
        let mut weekdays = HashSet::<u8>::new();
        for (index, plan) in self.weekdays.iter().enumerate() {
            let at = format!("/weekdays/{index}");
            if !(1..=7).contains(&plan.weekday) {
                let detail = "must be from 1, Monday, to 7, Sunday";
                fault(format!("{at}/weekday"), detail);
            } else if !weekdays.insert(plan.weekday) {
                let detail = "stands here for the second time; write its periods together";
                fault(format!("{at}/weekday"), detail);
            }
            periods(&at, &plan.periods, &mut fault);
        }
        if self.holidays.len() > HOLIDAYS_MAX {
            fault("/holidays".to_owned(), "must have at most 500 entries");
        }
        let mut dates = HashSet::<NaiveDate>::new();
        for (index, holiday) in self.holidays.iter().enumerate() {
            let at = format!("/holidays/{index}");
            if !dates.insert(holiday.date) {
                let detail = "stands here for the second time; write its periods together";
                fault(format!("{at}/date"), detail);
            }
            periods(&at, &holiday.periods, &mut fault);
        }
        faults
    }
}

fn periods(at: &str, spans: &[Span], fault: &mut impl FnMut(String, &'static str)) {
    if spans.len() > PERIODS_MAX {
        let detail = "must have at most 5 entries, which is what terminals take";
        fault(format!("{at}/periods"), detail);
    }
    for (index, span) in spans.iter().enumerate() {
        if span.from_min > super::LAST_MINUTE || span.to_min > super::LAST_MINUTE {
            let detail = "must be within a day, from 00:00 to 23:59";
            fault(format!("{at}/periods/{index}"), detail);
        } else if span.to_min < span.from_min {
            let detail = "must not be before the beginning; a night is two periods, one until 23:59 and one of \
                          the next day from 00:00";
            fault(format!("{at}/periods/{index}/to"), detail);
        }
    }
}
