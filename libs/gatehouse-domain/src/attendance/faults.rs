//! What may be wrong with a rule or an adjustment: the number that the Hongtu document prints
//! (003, 考勤异常错误码), a sentence, and where.

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $number:literal,)+) => {
        /// What is wrong. The numbers are those of document 003, each exactly as printed there, with
        /// a 1040xx or a 1044xx prefix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$meta])* $variant,)+ }

        impl FaultCode {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The number.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }
        }
    };
}

codes! {
    /// A group without a period.
    NoPeriod = 104_413,
    /// More than three periods.
    TooManyPeriods = 104_415,
    /// The orders are not 1 to n without gaps.
    PeriodOrder = 104_414,
    /// A start lies after its end.
    StartAfterEnd = 104_419,
    /// More than one cross-day period.
    SecondCrossDay = 104_025,
    /// A cross-day period ends after 12:00 of the next day.
    CrossDayTooLong = 104_416,
    /// The periods together are longer than a day.
    Over24Hours = 104_417,
    /// Periods overlap.
    Overlap = 104_420,
    /// A period begins in the minute another one ends.
    NoInterval = 104_418,
    /// `day_span` 1 without a cross-day period.
    SpanWithoutCrossDay = 104_024,
    /// The week plan repeats a day.
    WeekdayTwice = 104_026,
    /// The week plan has a word that is not a weekday.
    NotAWeekday = 104_044,
    /// More than 32 special dates.
    TooManySpecialDates = 104_421,
    /// A special date stands twice.
    SpecialDateTwice = 104_022,
    /// A special date is past.
    SpecialDatePast = 104_023,
    /// Another group has the name. The caller finds out; the engine never says it.
    NameTaken = 104_412,
    /// The name has characters that it must not have.
    NameCharacters = 104_040,
    /// Some other value that it must not have; also every fault of a native setting.
    InvalidParameter = 104_034,
    /// An adjustment begins after its end.
    BeginAfterEnd = 104_030,
    /// An adjustment begins at its end.
    BeginEqualsEnd = 104_031,
    /// An adjustment is longer than three months.
    SpanTooLong = 104_032,
    /// A range of dates that is asked for is longer than three months.
    RangeTooLong = 104_043,
    /// The person is in no attendance group.
    NotAMember = 104_405,
    /// Through the 5th: before the previous month.
    BeforePreviousMonth = 104_037,
    /// After the 5th: before this month.
    BeforeThisMonth = 104_038,
    /// Not allowed for another reason. The caller's, for example for a locked month.
    NotAllowed = 104_029,
    /// No such day record. The caller's.
    NoSuchRecord = 104_407,
}

/// A rule or an adjustment that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleFault {
    /// What is wrong, as a code.
    pub code: FaultCode,
    /// Where, as a JSON pointer (RFC 6901) into the rule or the adjustment; empty: all of it.
    pub pointer: String,
    /// What is wrong and what to do, as a sentence.
    pub message: String,
}

impl RuleFault {
    /// A fault; also for the callers' own codes.
    #[must_use]
    pub fn new(code: FaultCode, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}
