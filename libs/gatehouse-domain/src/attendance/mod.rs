//! Attendance: from the rule of a group and what terminals saw to a day that can be explained.
//!
//! ```text
//! GroupRule --workday_on(date, zone)--> Workday --judge(punches, adjustments, now)--> Day
//! ```
//! [`settle`] is both steps in one. A [`Workday`] is the rule laid upon one date as instants; it can
//! be kept and used for all members of a group. A [`Day`] holds numbers and facts only; its words
//! are written when somebody asks ([`Day::words`]).
//!
//! Deliberately absent: where punches come from, who is in which group, which version of a rule
//! holds on which date, locked months, and whatever needs a clock or a store.

mod adjustment;
mod check;
mod day;
mod faults;
mod judge;
mod rule;
mod sign;
mod statistics;
mod words;
mod workday;

pub use adjustment::{Adjustment, AdjustmentDraft, AdjustmentKind, REASON_CHARS_MAX, check_range};
pub use check::{
    DUPLICATE_WINDOW_S_MAX, NAME_CHARS_MAX, NAME_CHARS_MIN, PERIODS_MAX, SPECIAL_DATES_MAX,
    check_name,
};
pub use day::{
    Arrival, ArrivalRule, Day, DayPeriods, DayStatus, Departure, DepartureRule, PeriodDay,
    PeriodResult, Punch, Reason,
};
pub use faults::{FaultCode, RuleFault};
pub use judge::settle;
pub use rule::{ClockMinute, DaySpan, GroupRule, Period, PlanDay, Shape, SpecialDate};
pub use sign::{Sign, SignDay, SignMonth, cumulative_hours};
pub use statistics::Statistics;
pub use words::{DayWords, PeriodWords};
pub use workday::{PeriodWindows, Workday};
