//! The rule laid upon one business date in one zone: its windows as instants.
//!
//! Where the clock changes, a window is never made smaller than the clock allows:
//! - It begins at the first moment at which the clock shows its start or later. A start that the
//!   clock skips is the end of the gap; one that it shows twice is the first.
//! - It ends with the last moment at which the clock shows its end. An end that it shows twice is
//!   the second; one that it skips lies behind the gap by as much as it lay behind its beginning
//!   (where 02:00 becomes 03:00, an end at 02:40 is 03:40), so that nobody loses the time that the
//!   clock jumped over.
//! - Where the end of a period would so reach beyond the start of the next one, it ends there: a
//!   punch belongs to one period.
//! - A date that a zone left out altogether (Apia, 2011-12-30) has no workday.
//!
//! Deliberately absent: punches, and the judgement.

use super::rule::{DAY_MIN, DaySpan, GroupRule, Period, Shape};
use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{GapInfo, Tz};

/// The windows of a period as instants. What ends, ends before the instant that is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeriodWindows {
    /// Number of the period.
    pub order: u8,
    /// First instant of the period and of its in-window.
    pub starts_at: DateTime<Utc>,
    /// When the work begins: the minute `on_et`.
    pub work_starts_at: DateTime<Utc>,
    /// End of the in-window: a minute later.
    pub in_ends_at: DateTime<Utc>,
    /// First instant of the out-window; the work ends here.
    pub out_starts_at: DateTime<Utc>,
    /// End of the out-window and of the period. From here on it is judged.
    pub ends_at: DateTime<Utc>,
    /// Last minute of the period: an adjustment must reach it to cover the period.
    pub last_minute_at: DateTime<Utc>,
    /// Minutes of rest.
    pub rest_min: u16,
}

impl PeriodWindows {
    /// Whether a punch at that instant belongs to the period.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    /// Whether a span of time, its last moment included, has a moment with the period in common.
    #[must_use]
    pub fn meets(&self, begins_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> bool {
        begins_at < self.ends_at && self.starts_at <= ends_at
    }
}

/// A rule upon a date on which its group works. Copied; made once, it serves all members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workday {
    /// The business date.
    pub date: NaiveDate,
    windows: [PeriodWindows; 3],
    count: usize,
    pub(super) duplicate_window_ms: i64,
    pub(super) late_grace_min: u16,
    pub(super) early_grace_min: u16,
    pub(super) overtime_before_min: Option<u16>,
    pub(super) overtime_after_min: Option<u16>,
    pub(super) stay_min: Option<u16>,
}

impl Workday {
    /// The periods by their order.
    #[must_use]
    pub fn periods(&self) -> &[PeriodWindows] {
        self.windows.get(..self.count).unwrap_or_default()
    }

    /// The period that a punch at that instant belongs to.
    #[must_use]
    pub fn period_at(&self, at: DateTime<Utc>) -> Option<&PeriodWindows> {
        self.periods().iter().find(|period| period.contains(at))
    }

    /// From the first to the last instant at which a punch can count, the end excluded: what to read
    /// for a day, and what an adjustment of a whole day covers.
    #[must_use]
    pub fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let starts = self.periods().iter().map(|period| period.starts_at).min();
        let ends = self.periods().iter().map(|period| period.ends_at).max();
        (starts.unwrap_or_default(), ends.unwrap_or_default())
    }
}

impl GroupRule {
    /// The windows of a business date; `None` if the group does not work on it, or if the zone has no
    /// such date. Of a rule that passes no check the first three periods count.
    #[must_use]
    pub fn workday_on(&self, date: NaiveDate, zone: Tz) -> Option<Workday> {
        if !self.works_on(date) {
            return None;
        }
        self.windows_on(date, zone)
    }

    /// The same whether the group works or not.
    pub(super) fn windows_on(&self, date: NaiveDate, zone: Tz) -> Option<Workday> {
        let mut windows = [PeriodWindows::default(); 3];
        let mut count = 0;
        for (place, period) in windows.iter_mut().zip(&self.periods) {
            *place = self.windows_of(period, date, zone)?;
            count += 1;
        }
        if count == 0 {
            return None;
        }
        if let Some(some) = windows.get_mut(..count)
            && !some.is_sorted_by_key(|period| period.order)
        {
            some.sort_unstable_by_key(|period| period.order);
        }
        Some(Workday {
            date,
            windows,
            count,
            duplicate_window_ms: i64::from(self.duplicate_window_s) * 1000,
            late_grace_min: self.late_grace_min.unwrap_or(0),
            early_grace_min: self.early_grace_min.unwrap_or(0),
            overtime_before_min: self.overtime_before_min,
            overtime_after_min: self.overtime_after_min,
            stay_min: self.stay_min,
        })
    }

    fn windows_of(&self, period: &Period, date: NaiveDate, zone: Tz) -> Option<PeriodWindows> {
        let filed_at_end = self.day_span == DaySpan::End && period.shape() == Shape::CrossDay;
        let first_day = if filed_at_end { date.pred_opt()? } else { date };
        let [on_st, on_et, off_st, off_et] = period.minutes();
        let moment = |minute: u16| Moment::at(first_day, minute, zone);
        let (start, work_start, out_start) = (moment(on_st)?, moment(on_et)?, moment(off_st)?);
        let mut end = moment(off_et)?;
        if (start.skipped || end.skipped) && no_such_date(date, zone) {
            return None;
        }
        let minute = TimeDelta::minutes(1);
        let mut ends_at = end.last_at.checked_add_signed(minute)?;
        if end.skipped || end.first_at != end.last_at {
            let next_starts_at = self.next_start(period, first_day, zone)?;
            ends_at = ends_at.min(next_starts_at).max(start.first_at);
            end.last_at = end.last_at.min(ends_at);
        }
        Some(PeriodWindows {
            order: period.order,
            starts_at: start.first_at,
            work_starts_at: work_start.last_at.min(ends_at),
            in_ends_at: work_start.last_at.checked_add_signed(minute)?.min(ends_at),
            out_starts_at: out_start.first_at.min(ends_at),
            ends_at,
            last_minute_at: end.last_at,
            rest_min: period.rest_min.unwrap_or(0),
        })
    }

    /// The dates whose day a punch at that instant may change: its own, and the one of a period that
    /// passes midnight, whether the group works there or not.
    pub fn dates_touched_by(
        &self,
        at: DateTime<Utc>,
        zone: Tz,
    ) -> impl Iterator<Item = NaiveDate> + use<> {
        let local = local_date(at, zone);
        let reached = |date: &NaiveDate| {
            let windows = self.windows_on(*date, zone);
            windows.is_some_and(|workday| workday.period_at(at).is_some())
        };
        let before = local.pred_opt().filter(reached);
        let after = local.succ_opt().filter(reached);
        [before, Some(local), after].into_iter().flatten()
    }

    /// The dates whose day an adjustment from one instant to another may change, in a row.
    pub fn dates_touched_within(
        &self,
        begins_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
        zone: Tz,
    ) -> impl Iterator<Item = NaiveDate> + use<> {
        let first = local_date(begins_at, zone);
        let last = local_date(ends_at, zone);
        let last = last.succ_opt().unwrap_or(last);
        let from = first.pred_opt().unwrap_or(first);
        from.iter_days().take_while(move |date| *date <= last)
    }

    /// The business date of a punch: that of the period it belongs to, else its own.
    #[must_use]
    pub fn business_date_of(&self, at: DateTime<Utc>, zone: Tz) -> NaiveDate {
        let owns = |date: &NaiveDate| {
            let workday = self.workday_on(*date, zone);
            workday.is_some_and(|workday| workday.period_at(at).is_some())
        };
        let mut touched = self.dates_touched_by(at, zone);
        touched.find(owns).unwrap_or_else(|| local_date(at, zone))
    }

    /// When the period that follows on the clock starts, on this day or the next.
    fn next_start(&self, period: &Period, first_day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
        let [on_st, _, _, off_et] = period.minutes();
        let after = |other: &Period| {
            let start = other.on_st.get();
            // The first occurrence of the other start that is not before our end.
            let days = (off_et + DAY_MIN).saturating_sub(start + 1) / DAY_MIN;
            start + days * DAY_MIN
        };
        let next = self
            .periods
            .iter()
            .map(after)
            .min()
            .unwrap_or(on_st + DAY_MIN);
        Some(Moment::at(first_day, next, zone)?.first_at)
    }
}

/// A minute of the wall clock as instants.
#[derive(Clone, Copy)]
struct Moment {
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    skipped: bool,
}

impl Moment {
    /// The minute counted from the beginning of a day; from 1440 on it lies on the next one.
    fn at(day: NaiveDate, minute: u16, zone: Tz) -> Option<Self> {
        let day = day.checked_add_days(Days::new(u64::from(minute / DAY_MIN)))?;
        let of_day = u32::from(minute % DAY_MIN);
        let local = day.and_hms_opt(of_day / 60, of_day % 60, 0)?;
        match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => {
                let at = instant(local, &offset)?;
                Some(Self {
                    first_at: at,
                    last_at: at,
                    skipped: false,
                })
            }
            MappedLocalTime::Ambiguous(first, second) => Some(Self {
                first_at: instant(local, &first)?,
                last_at: instant(local, &second)?,
                skipped: false,
            }),
            MappedLocalTime::None => {
                let gap = GapInfo::new(&local, &zone)?;
                Some(Self {
                    first_at: gap.end?.to_utc(),
                    last_at: instant(local, &gap.begin?.1)?,
                    skipped: true,
                })
            }
        }
    }
}

/// What the clock of a zone shows; at the very ends of time, where it would show nothing, UTC.
pub(super) fn local_time(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let utc = at.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc)
}

/// The date that the clock of a zone shows.
pub(super) fn local_date(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    local_time(at, zone).date()
}

fn instant(local: NaiveDateTime, offset: &impl Offset) -> Option<DateTime<Utc>> {
    Some(local.checked_sub_offset(offset.fix())?.and_utc())
}

/// Whether the zone went from the date before straight to the date after.
fn no_such_date(date: NaiveDate, zone: Tz) -> bool {
    let begins = Moment::at(date, 0, zone);
    let ends = Moment::at(date, DAY_MIN, zone);
    matches!((begins, ends), (Some(begins), Some(ends)) if begins.first_at == ends.first_at)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn moment(zone: Tz, day: &str, minute: u16) -> (String, String) {
        let moment = Moment::at(day.parse().unwrap(), minute, zone).unwrap();
        let text = |at: DateTime<Utc>| at.format("%dT%H:%M").to_string();
        (text(moment.first_at), text(moment.last_at))
    }

    fn pair(first: &str, last: &str) -> (String, String) {
        (first.to_owned(), last.to_owned())
    }

    #[test]
    fn a_skipped_minute_is_the_end_of_the_gap_and_as_far_behind_it() {
        assert_eq!(
            moment(Tz::America__New_York, "2024-03-10", 160),
            pair("10T07:00", "10T07:40")
        );
        assert_eq!(
            moment(Tz::Australia__Lord_Howe, "2024-10-06", 145),
            pair("05T15:30", "05T15:55")
        );
        // Midnight itself is skipped.
        assert_eq!(
            moment(Tz::Africa__Cairo, "2024-04-26", 0),
            pair("25T22:00", "25T22:00")
        );
    }

    #[test]
    fn a_minute_shown_twice_is_first_and_second() {
        assert_eq!(
            moment(Tz::America__New_York, "2024-11-03", 90),
            pair("03T05:30", "03T06:30")
        );
        assert_eq!(
            moment(Tz::Europe__Berlin, "2024-10-26", 24 * 60 + 150),
            pair("27T00:30", "27T01:30")
        );
    }

    #[test]
    fn a_date_that_never_was_is_found() {
        let apia = Tz::Pacific__Apia;
        assert!(no_such_date("2011-12-30".parse().unwrap(), apia));
        assert!(!no_such_date("2011-12-29".parse().unwrap(), apia));
        assert!(!no_such_date("2011-12-31".parse().unwrap(), apia));
        assert!(!no_such_date(
            "2024-04-26".parse().unwrap(),
            Tz::Africa__Cairo
        ));
    }

    #[test]
    fn the_ends_of_the_calendar_have_no_workday_and_no_fault() {
        let rule: GroupRule = serde_json::from_str(
            r#"{"periods": [{"order": 1, "on_st": "22:00", "on_et": "22:30", "off_st": "06:00", "off_et": "07:00"}],
                "day_span": 1, "week_plan": []}"#,
        )
        .unwrap();
        for date in [NaiveDate::MIN, NaiveDate::MAX] {
            for zone in [Tz::Asia__Shanghai, Tz::America__New_York] {
                let _ = rule.windows_on(date, zone);
            }
        }
    }
}
