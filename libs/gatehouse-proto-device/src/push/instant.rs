//! Unix times, which these devices write in seconds or in milliseconds.

use chrono::{DateTime, Utc};

/// From here on a number is milliseconds: in seconds it would be the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Seconds of a number that is seconds or milliseconds; `None` where it is below zero.
pub(super) fn seconds(number: i64) -> Option<i64> {
    let seconds = if number >= MILLISECONDS_FROM {
        number / 1_000
    } else {
        number
    };
    (seconds >= 0).then_some(seconds)
}

/// The instant of such a number; `None` for 0 and for what is no time.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let number: i64 = whole(text)?;
    match number {
        ..=0 => None,
        MILLISECONDS_FROM.. => DateTime::from_timestamp_millis(number),
        _ => DateTime::from_timestamp(number, 0),
    }
}

/// A whole number, also where it was written with a fraction or an exponent.
pub(super) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (digits, fraction) = text.split_once('.')?;
    fraction
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        for (text, expected) in [
            ("1487295360", Some(1_487_295_360_000)),
            (" 1487295360.25 ", Some(1_487_295_360_000)),
            ("1487295360123", Some(1_487_295_360_123)),
            ("0", None),
            ("-5", None),
            ("", None),
            ("2017-02-17", None),
            ("99999999999999999999", None),
            ("9223372036854775807", None),
        ] {
            let read = instant(text).map(|at| at.timestamp_millis());
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(seconds(1_487_295_360_123), Some(1_487_295_360));
        assert_eq!(seconds(1_487_295_360), Some(1_487_295_360));
        assert_eq!((seconds(0), seconds(-1)), (Some(0), None));
    }
}
