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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form_and_written_in_one() {
        let date = NaiveDate::from_ymd_opt(1997, 4, 3);
        for text in [
            "1997_04_03",
            "1997_4_3",
            "1997年4月3日",
            "1997 年 4 月 3 日",
            "1997年04月03日",
            "19970403",
            "1997-04-03",
            "1997/4/3",
        ] {
            assert_eq!(read_date(text), date, "{text}");
        }
        for text in [
            "",
            "1997",
            "1997_4",
            "97_4_3",
            "1997_13_3",
            "1997_4_3_1",
            "199704030",
            "2019_2_29",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
        assert_eq!(date.map(write_validity).as_deref(), Some("1997_04_03"));
        assert_eq!(date.map(write_birthday).as_deref(), Some("1997年4月3日"));
    }
}
