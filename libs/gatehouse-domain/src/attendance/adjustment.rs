//! Adjustments: facts beside the punches, never edits of them. Deliberately absent: who approves
//! one, and months that are locked.

use super::faults::{FaultCode, RuleFault};
use super::rule::GroupRule;
use super::workday::{PeriodWindows, local_date, local_time};
use crate::ids::AdjustmentId;
use crate::vocabulary;
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Why a person's punches do not tell the story.
    pub enum AdjustmentKind: "adjustment kind" {
        /// 补卡: was there and did not punch.
        Punch = "punch",
        /// 请假: was on leave.
        Leave = "leave",
        /// 调休: took time off for time worked before.
        TimeOff = "time_off",
        /// 调班: worked another shift.
        ShiftChange = "shift_change",
    }
}

impl AdjustmentKind {
    /// The vendor's number, 1 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Punch => 1,
            Self::Leave => 2,
            Self::TimeOff => 3,
            Self::ShiftChange => 4,
        }
    }

    /// The kind with a vendor's number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.number() == number)
    }
}

/// An approved adjustment; those that nobody approved are not given to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Which.
    pub adjustment_id: AdjustmentId,
    /// Of which kind; it does not change the judgement.
    pub kind: AdjustmentKind,
    /// Its beginning, to the minute.
    pub begins_at: DateTime<Utc>,
    /// Its end, to the minute.
    pub ends_at: DateTime<Utc>,
}

impl Adjustment {
    /// Whether it covers a whole period, from the minute `on_st` to the minute `off_et`.
    #[must_use]
    pub fn covers(&self, period: &PeriodWindows) -> bool {
        self.begins_at < period.starts_at + TimeDelta::minutes(1)
            && self.ends_at >= period.last_minute_at
    }

    /// Whether it has a moment with a period in common.
    #[must_use]
    pub fn touches(&self, period: &PeriodWindows) -> bool {
        period.meets(self.begins_at, self.ends_at)
    }
}

/// Longest reason of an adjustment, in characters.
pub const REASON_CHARS_MAX: usize = 50;

/// An adjustment that somebody asks for. The pointers of its faults are `/begins_at`, `/ends_at`,
/// `/person_id` and `/reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjustmentDraft<'a> {
    /// Its beginning.
    pub begins_at: DateTime<Utc>,
    /// Its end.
    pub ends_at: DateTime<Utc>,
    /// Why.
    pub reason: &'a str,
}

impl AdjustmentDraft<'_> {
    /// Finds the first fault. `membership` is the rule of the group that the person is in, if any;
    /// `zone` is that group's.
    ///
    /// Which month is adjusted is told by the first day record that the adjustment meets: one for a
    /// night that is filed under the 1st may begin on the last of the month before.
    ///
    /// # Errors
    /// The fault that comes first in the order of the documents.
    pub fn check(
        &self,
        membership: Option<&GroupRule>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<(), RuleFault> {
        check_order(self.begins_at, self.ends_at)?;
        if is_over_three_months(self.begins_at, self.ends_at, zone) {
            let message = "The adjustment is longer than three months; split it.";
            return Err(RuleFault::new(FaultCode::SpanTooLong, "/ends_at", message));
        }
        let Some(rule) = membership else {
            let message = "The person is in no attendance group; put the person into one first.";
            return Err(RuleFault::new(FaultCode::NotAMember, "/person_id", message));
        };
        check_month(self.first_record_on(rule, zone), local_date(now, zone))?;
        let count = self.reason.chars().count();
        if count > REASON_CHARS_MAX {
            let message = format!("The reason has {count} characters; keep it to 50.");
            return Err(RuleFault::new(
                FaultCode::InvalidParameter,
                "/reason",
                message,
            ));
        }
        Ok(())
    }

    fn first_record_on(&self, rule: &GroupRule, zone: Tz) -> NaiveDate {
        let meets = |period: &PeriodWindows| period.meets(self.begins_at, self.ends_at);
        rule.dates_touched_within(self.begins_at, self.ends_at, zone)
            .find(|date| {
                let workday = rule.workday_on(*date, zone);
                workday.is_some_and(|workday| workday.periods().iter().any(meets))
            })
            .unwrap_or_else(|| local_date(self.begins_at, zone))
    }
}

/// Checks a range of time that statistics or days are asked for.
///
/// # Errors
/// 104030, 104031 or 104043; pointers as of an adjustment.
pub fn check_range(
    begins_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    zone: Tz,
) -> Result<(), RuleFault> {
    check_order(begins_at, ends_at)?;
    if is_over_three_months(begins_at, ends_at, zone) {
        let message = "The range is longer than three months; ask for less at a time.";
        return Err(RuleFault::new(FaultCode::RangeTooLong, "/ends_at", message));
    }
    Ok(())
}

fn check_order(begins_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> Result<(), RuleFault> {
    if begins_at > ends_at {
        let message = "The beginning lies after the end; exchange them.";
        return Err(RuleFault::new(
            FaultCode::BeginAfterEnd,
            "/begins_at",
            message,
        ));
    }
    if begins_at == ends_at {
        let message = "The beginning is the end; let it end later.";
        return Err(RuleFault::new(
            FaultCode::BeginEqualsEnd,
            "/ends_at",
            message,
        ));
    }
    Ok(())
}

/// Three months on the zone's clock: from the 5th at 09:00 to the 5th at 09:00 is not over.
fn is_over_three_months(begins_at: DateTime<Utc>, ends_at: DateTime<Utc>, zone: Tz) -> bool {
    let limit = local_time(begins_at, zone).checked_add_months(Months::new(3));
    limit.is_some_and(|limit| local_time(ends_at, zone) > limit)
}

/// Through the 5th the previous month can still be adjusted.
fn check_month(record_on: NaiveDate, today: NaiveDate) -> Result<(), RuleFault> {
    let this_month = today.with_day(1).unwrap_or(today);
    let (months_back, code) = if today.day() <= 5 {
        (1, FaultCode::BeforePreviousMonth)
    } else {
        (0, FaultCode::BeforeThisMonth)
    };
    let first = this_month
        .checked_sub_months(Months::new(months_back))
        .unwrap_or(this_month);
    if record_on < first {
        let message = format!(
            "On {today} only days from {first} on can be adjusted; through the 5th of a month those of the month \
             before, then those of the month itself. Let the adjustment begin later."
        );
        return Err(RuleFault::new(code, "/begins_at", message));
    }
    Ok(())
}
