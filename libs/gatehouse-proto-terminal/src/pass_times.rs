//! Passing times: the spans of a day in which somebody may pass. Terminals write them in two
//! codecs: `06:00-09:00,18:00-21:00;...` for the whole terminal (2.1.6) and
//! `06_00,09_00,18_00,21_00` for one person's day (2.2.1).

use std::fmt::Write;

/// Most spans of one day.
const MOST_SPANS: usize = 5;

/// A span of minutes of a day, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Minutes since midnight, 0 to 1439.
    pub from_min: u16,
    /// Minutes since midnight, `from_min` to 1439.
    pub to_min: u16,
}

/// Up to five spans of one day; none of them: all day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaySpans(pub Vec<Span>);

/// Reads `06:00-09:00`.
pub(crate) fn read_span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once('-')?;
    Some(Span {
        from_min: minutes(from, ':')?,
        to_min: minutes(to, ':')?,
    })
}

fn minutes(text: &str, between: char) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(between)?;
    let number = |part: &str, max: u16| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u16>()
            .ok()
            .filter(|number| digits && *number <= max)
    };
    Some(number(hours, 23)? * 60 + number(minutes, 59)?)
}

fn push_minutes(text: &mut String, minutes: u16, between: char) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{:02}{between}{:02}", minutes / 60, minutes % 60);
}

impl DaySpans {
    fn checked(spans: Vec<Span>) -> Option<Self> {
        let in_order = spans.iter().all(|span| span.from_min <= span.to_min);
        (spans.len() <= MOST_SPANS && in_order).then_some(Self(spans))
    }

    fn read_terminal_day(text: &str) -> Option<Self> {
        let spans = text
            .split(',')
            .map(str::trim)
            .filter(|span| !span.is_empty());
        Self::checked(spans.map(read_span).collect::<Option<_>>()?)
    }

    /// Reads a person's day (2.2.1, `passTime1` to `7`): `06_00,09_00,18_00,21_00`. Empty text is
    /// all day.
    #[must_use]
    pub fn read_person_day(text: &str) -> Option<Self> {
        let times = text
            .split(',')
            .map(str::trim)
            .filter(|time| !time.is_empty());
        let times: Vec<u16> = times
            .map(|time| minutes(time, '_'))
            .collect::<Option<_>>()?;
        let (pairs, odd) = times.as_chunks::<2>();
        let spans = pairs.iter().map(|[from_min, to_min]| Span {
            from_min: *from_min,
            to_min: *to_min,
        });
        Self::checked(spans.collect()).filter(|_| odd.is_empty())
    }

    /// Writes a person's day.
    #[must_use]
    pub fn write_person_day(&self) -> String {
        let mut text = String::new();
        for minutes in self.0.iter().flat_map(|span| [span.from_min, span.to_min]) {
            if !text.is_empty() {
                text.push(',');
            }
            push_minutes(&mut text, minutes, '_');
        }
        text
    }
}

/// Reads the terminal's week (2.1.6, `passTime`), Monday first. White space does not matter, days
/// that are not told are all day, and an eighth part, which the document's samples have, is ignored.
#[must_use]
pub fn read_week(text: &str) -> Option<[DaySpans; 7]> {
    let mut week: [DaySpans; 7] = Default::default();
    let mut parts = text.split(';');
    for (day, part) in week.iter_mut().zip(parts.by_ref()) {
        *day = DaySpans::read_terminal_day(part)?;
    }
    let surplus = parts
        .next()
        .is_none_or(|part| DaySpans::read_terminal_day(part).is_some());
    (surplus && parts.next().is_none()).then_some(week)
}

/// Writes the terminal's week: seven parts.
#[must_use]
pub fn write_week(week: &[DaySpans; 7]) -> String {
    let mut text = String::new();
    for (number, day) in week.iter().enumerate() {
        if number > 0 {
            text.push(';');
        }
        for (number, span) in day.0.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            push_minutes(&mut text, span.from_min, ':');
            text.push('-');
            push_minutes(&mut text, span.to_min, ':');
        }
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documents_weeks_are_read() {
        // 004 L408: five semicolons; L615: six; L482: seven, with spaces.
        let five = read_week("06:00-09:00,18:00-21:00;;;;;06:00-09:00,18:00-21:00").unwrap();
        assert_eq!(five[0].0.len(), 2);
        assert_eq!(
            five[5].0[1],
            Span {
                from_min: 18 * 60,
                to_min: 21 * 60
            }
        );
        assert_eq!(five[6], DaySpans::default());
        let six = read_week("06:00-09:00, 18:00- 21:00;;;;;;06:00- 09:00,18:00-21:00").unwrap();
        assert_eq!(
            write_week(&six),
            "06:00-09:00,18:00-21:00;;;;;;06:00-09:00,18:00-21:00"
        );
        let day = "06:00-09:00,18:00-21:00";
        let seven = read_week(&[day; 8].join("; ")).unwrap();
        assert_eq!(write_week(&seven), [day; 7].join(";"));
        assert_eq!(write_week(&read_week("").unwrap()), ";;;;;;");
    }

    #[test]
    fn what_is_no_week_is_refused() {
        for text in [
            "06:00",
            "06:00-24:00",
            "06:60-07:00",
            "09:00-06:00",
            "06_00-09_00",
            ";;;;;;;;",
            "x;;;;;;",
            "1:00-1:01,2:00-2:01,3:00-3:01,4:00-4:01,5:00-5:01,6:00-6:01",
            ";;;;;;;x",
        ] {
            assert_eq!(read_week(text), None, "{text}");
        }
    }

    #[test]
    fn a_persons_day_is_read() {
        let day = DaySpans::read_person_day("06_00,09_00, 18_00,21_00").unwrap();
        assert_eq!(day.write_person_day(), "06_00,09_00,18_00,21_00");
        assert_eq!(DaySpans::read_person_day(""), Some(DaySpans::default()));
        for text in ["06_00", "06:00,09:00", "09_00,06_00", "x"] {
            assert_eq!(DaySpans::read_person_day(text), None, "{text}");
        }
    }

    fn day() -> impl Strategy<Value = DaySpans> {
        let span = (0u16..1440, 0u16..1440).prop_map(|(a, b)| Span {
            from_min: a.min(b),
            to_min: a.max(b),
        });
        prop::collection::vec(span, 0..=5).prop_map(DaySpans)
    }

    proptest! {
        #[test]
        fn both_codecs_read_back_what_they_write(week in prop::array::uniform7(day())) {
            prop_assert_eq!(read_week(&write_week(&week)), Some(week.clone()));
            for day in &week {
                let written = day.write_person_day();
                prop_assert_eq!(DaySpans::read_person_day(&written), Some(day.clone()));
            }
        }
    }
}
