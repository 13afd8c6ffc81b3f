//! Passing times: the spans of a day in which somebody may pass. Terminals write them in two
//! codecs: `06:00-09:00,18:00-21:00;...` for the whole terminal (2.1.6) and
//! `06_00,09_00,18_00,21_00` for one person's day (2.2.1).

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
