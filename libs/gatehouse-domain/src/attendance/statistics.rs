//! Sums over the days of a person. Deliberately absent: which days belong to a month and a group.

use super::day::{Day, DayStatus, PeriodResult};
use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::AddAssign;

/// What the days of a range add up to. A day that is pending counts nowhere, nor do its periods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Days with a status.
    pub work_days: u32,
    /// Normal days.
    pub normal_days: u32,
    /// Adjusted days.
    pub adjust_days: u32,
    /// Days absent from beginning to end.
    pub absent_days: u32,
    /// Periods that began late.
    pub late_times: u32,
    /// Periods that were left early.
    pub leave_early_times: u32,
    /// Periods that were both.
    pub late_leave_early_times: u32,
    /// Periods with a missing punch.
    pub omit_punch_times: u32,
    /// Periods without a punch.
    pub absent_times: u32,
    /// Native: minutes worked.
    pub worked_min: u32,
    /// Native: minutes of overtime.
    pub overtime_min: u32,
    /// Native: minutes late.
    pub late_min: u32,
    /// Native: minutes left early.
    pub early_min: u32,
}

impl AddAssign<&Day> for Statistics {
    fn add_assign(&mut self, day: &Day) {
        match day.status {
            DayStatus::Pending => return,
            DayStatus::Normal => self.normal_days += 1,
            DayStatus::Absent => self.absent_days += 1,
            DayStatus::Adjusted => self.adjust_days += 1,
            DayStatus::Abnormal => {}
        }
        self.work_days += 1;
        for period in day.periods.iter() {
            match period.result {
                PeriodResult::Absent => self.absent_times += 1,
                PeriodResult::Late => self.late_times += 1,
                PeriodResult::LeftEarly => self.leave_early_times += 1,
                PeriodResult::LateAndLeftEarly => self.late_leave_early_times += 1,
                PeriodResult::MissedPunch => self.omit_punch_times += 1,
                PeriodResult::Pending | PeriodResult::Normal | PeriodResult::Adjusted => {}
            }
        }
        self.worked_min += day.worked_min();
        self.overtime_min += day.overtime_min();
        self.late_min += day.late_min();
        self.early_min += day.early_min();
    }
}

impl<'a> Sum<&'a Day> for Statistics {
    fn sum<I: Iterator<Item = &'a Day>>(days: I) -> Self {
        days.fold(Self::default(), |mut sum, day| {
            sum += day;
            sum
        })
    }
}
