//! Dates as these terminals write them: `2019_08_09`, `2019_8_9`, `1997年4月3日`, `19970403`.

use chrono::{Datelike, NaiveDate};

/// Reads a date in any of the forms, also with `-`, `/` or `.` and with spaces in it.
pub(crate) fn read_date(text: &str) -> Option<NaiveDate> {
    let digits_of =
        |part: &str| -> Option<u32> { (part.len() <= 4).then(|| part.parse().ok()).flatten() };
    let parts: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .take(4)
        .collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] => (digits_of(year)?, digits_of(month)?, digits_of(day)?),
        [all] if all.len() == 8 => (
            all.get(..4)?.parse().ok()?,
            all.get(4..6)?.parse().ok()?,
            all.get(6..)?.parse().ok()?,
        ),
        _ => return None,
    };
    if !(1000..=9999).contains(&year) {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Writes a date of validity: `2019_08_09`.
pub(crate) fn write_validity(date: NaiveDate) -> String {
    format!("{:04}_{:02}_{:02}", date.year(), date.month(), date.day())
}

/// Writes a birthday: `1997年4月3日`.
pub(crate) fn write_birthday(date: NaiveDate) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}
