//! The terminal's times: wall clocks without a zone, and Unix times, into instants.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
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

/// Reads `passTime`: `2019-11-08 13:05:51.421`, also with `/` or `T`, unpadded, without seconds or
/// their fraction; or a Unix time.
pub(crate) fn read_pass_time(text: &str, zone: Tz) -> Result<PassedAt, ClockError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ClockError::Missing);
    }
    let not_a_time = || ClockError::NotATime {
        text: text.chars().take(64).collect(),
    };
    if let Some(ms) = unix_ms(text) {
        let at = DateTime::from_timestamp_millis(ms).ok_or_else(not_a_time)?;
        return Ok(PassedAt {
            at,
            wall: WallTime::Unix,
        });
    }
    let wall = read_wall(text).ok_or_else(not_a_time)?;
    in_zone(wall, zone).ok_or_else(not_a_time)
}

fn read_wall(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once([' ', 'T', 't'])?;
    let date: Vec<u32> = whole_numbers(date, ['-', '/'])?;
    let time = time.trim();
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let time: Vec<u32> = whole_numbers(time, [':', ':'])?;
    let ([year @ 1970..=9999, month, day], [hour, minute, rest @ ..]) =
        (date.as_slice(), time.as_slice())
    else {
        return None;
    };
    let second = match rest {
        [] if fraction.is_empty() => 0,
        [second] => *second,
        _ => return None,
    };
    NaiveDate::from_ymd_opt(i32::try_from(*year).ok()?, *month, *day)?.and_hms_milli_opt(
        *hour,
        *minute,
        second,
        milliseconds(fraction)?,
    )
}

fn whole_numbers(text: &str, between: [char; 2]) -> Option<Vec<u32>> {
    text.split(between)
        .take(4)
        .map(|part| {
            let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        })
        .collect()
}

/// The first three digits of a fraction of a second: `4` is 400.
fn milliseconds(fraction: &str) -> Option<u32> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    fraction
        .chars()
        .chain("000".chars())
        .take(3)
        .collect::<String>()
        .parse()
        .ok()
}

fn in_zone(wall: NaiveDateTime, zone: Tz) -> Option<PassedAt> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) => Some(PassedAt {
            at: at.to_utc(),
            wall: WallTime::Unique,
        }),
        LocalResult::Ambiguous(first, later) => Some(PassedAt {
            at: first.to_utc(),
            wall: WallTime::Ambiguous {
                later: later.to_utc(),
            },
        }),
        // The clock jumped over it: go back to where it existed, and on again by as much.
        LocalResult::None => (1..=48).find_map(|half_hours| {
            let back = TimeDelta::minutes(30 * half_hours);
            let before = zone
                .from_local_datetime(&wall.checked_sub_signed(back)?)
                .latest()?;
            Some(PassedAt {
                at: before.to_utc().checked_add_signed(back)?,
                wall: WallTime::Skipped,
            })
        }),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str, zone: Tz) -> String {
        let passed = read_pass_time(text, zone).unwrap();
        passed.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    #[test]
    fn a_wall_time_is_read_in_the_zone_in_every_form() {
        for (text, expected) in [
            ("2019-11-08 13:05:51.421", "2019-11-08T05:05:51.421Z"),
            ("2019-11-08 13:05:51", "2019-11-08T05:05:51.000Z"),
            ("2019/11/8 3:5:1.4", "2019-11-07T19:05:01.400Z"),
            ("2019-11-08T13:05:51.4219999", "2019-11-08T05:05:51.421Z"),
            ("2019-11-08  13:05", "2019-11-08T05:05:00.000Z"),
            ("1573189551421", "2019-11-08T05:05:51.421Z"),
            (" 1573189551 ", "2019-11-08T05:05:51.000Z"),
        ] {
            assert_eq!(at(text, chrono_tz::Asia::Shanghai), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_said_to_be_none() {
        for text in [
            "yesterday",
            "2019-11-08",
            "2019-13-08 10:00:00",
            "2019-11-08 24:00:00",
            "19-11-08 10:00:00",
            "2019-11-08 10:00:00:421",
            "2019-11-08 10",
            "2019-11-08 10:00.5",
            "15731895514",
            "2019-11-08 10:00:00.x",
            "1969-12-31 10:00:00",
            "-2019-11-08 10:00:00",
            "2019-11-08 ",
        ] {
            let read = read_pass_time(text, chrono_tz::UTC);
            assert!(
                matches!(read, Err(ClockError::NotATime { .. })),
                "{text}: {read:?}"
            );
        }
        assert_eq!(
            read_pass_time(" ", chrono_tz::UTC),
            Err(ClockError::Missing)
        );
    }

    #[test]
    fn a_time_shown_twice_is_the_first_and_the_second_is_told() {
        let passed = read_pass_time("2023-10-29 02:30:00", chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(passed.at.to_rfc3339(), "2023-10-29T00:30:00+00:00");
        let WallTime::Ambiguous { later } = passed.wall else {
            unreachable!("{passed:?}")
        };
        assert_eq!(later.to_rfc3339(), "2023-10-29T01:30:00+00:00");
    }

    #[test]
    fn a_time_never_shown_is_read_by_the_offset_before() {
        let passed = read_pass_time("2023-03-26 02:30:00", chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(passed.at.to_rfc3339(), "2023-03-26T01:30:00+00:00");
        assert_eq!(passed.wall, WallTime::Skipped);
        // A whole day was skipped here, and half an hour there.
        let apia = read_pass_time("2011-12-30 12:00:00", chrono_tz::Pacific::Apia).unwrap();
        assert_eq!(apia.wall, WallTime::Skipped);
        let howe = read_pass_time("2023-10-01 02:15:00", chrono_tz::Australia::Lord_Howe).unwrap();
        assert_eq!(howe.at.to_rfc3339(), "2023-09-30T15:45:00+00:00");
    }

    #[test]
    fn registration_times_come_in_two_lengths() {
        assert_eq!(unix_ms("1508845817"), Some(1_508_845_817_000));
        assert_eq!(unix_ms("1585903632011"), Some(1_585_903_632_011));
        for text in ["", "150884581", "15088458171", "-508845817", "1508845817.0"] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
