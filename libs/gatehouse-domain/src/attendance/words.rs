//! A judged day in English sentences, written when somebody asks. Deliberately absent: decisions;
//! whatever is said here stands as a fact in the day, so that another language can say it too.

use super::day::{
    ArrivalRule, Day, DayStatus, DepartureRule, PeriodDay, PeriodResult, Punch, Reason,
};
use super::rule::{GroupRule, Period};
use super::workday::local_time;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::fmt;

/// A day in words; displays as sentences.
#[derive(Debug, Clone, Copy)]
pub struct DayWords<'a> {
    day: &'a Day,
    rule: &'a GroupRule,
    zone: Tz,
}

/// A period in words; displays as sentences.
#[derive(Debug, Clone, Copy)]
pub struct PeriodWords<'a> {
    judged: &'a PeriodDay,
    period: &'a Period,
    rule: &'a GroupRule,
    date: NaiveDate,
    zone: Tz,
}

impl Day {
    /// The day in words. `rule` and `zone` are those that it was judged by.
    #[must_use]
    pub const fn words<'a>(&'a self, rule: &'a GroupRule, zone: Tz) -> DayWords<'a> {
        DayWords {
            day: self,
            rule,
            zone,
        }
    }
}

impl<'a> DayWords<'a> {
    /// Period by period, by order. A period that the rule does not have is left out.
    pub fn periods(self) -> impl Iterator<Item = PeriodWords<'a>> {
        let Self { day, rule, zone } = self;
        day.periods.iter().filter_map(move |judged| {
            let period = rule
                .periods
                .iter()
                .find(|period| period.order == judged.order)?;
            let date = day.date;
            Some(PeriodWords {
                judged,
                period,
                rule,
                date,
                zone,
            })
        })
    }
}

impl fmt::Display for DayWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.day.status {
            DayStatus::Pending => "no result yet, because a period has not ended",
            DayStatus::Normal => "normal, because every period is",
            DayStatus::Absent => "absent, because there is no punch in any period",
            DayStatus::Adjusted => {
                "adjusted, because what is not normal is covered by an adjustment"
            }
            DayStatus::Abnormal => "abnormal, because not every period is normal",
        };
        write!(f, "{}: {status}.", self.day.date)?;
        self.periods().try_for_each(|period| write!(f, " {period}"))
    }
}

impl fmt::Display for PeriodWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Period {
            order,
            on_st,
            on_et,
            off_st,
            off_et,
            ..
        } = self.period;
        let result = match self.judged.result {
            PeriodResult::Pending => "no result yet",
            PeriodResult::Normal => "normal",
            PeriodResult::Absent => "absent",
            PeriodResult::Late => "late",
            PeriodResult::LeftEarly => "left early",
            PeriodResult::LateAndLeftEarly => "late and left early",
            PeriodResult::MissedPunch => "missed punch",
            PeriodResult::Adjusted => "adjusted",
        };
        write!(
            f,
            "Period {order} (in {on_st} to {on_et}, out {off_st} to {off_et}): {result}."
        )?;
        self.write_punches(f)?;
        self.write_repeats(f)?;
        self.write_reason(f)?;
        for (what, minutes) in [
            ("Worked", self.judged.worked_min),
            ("Overtime", self.judged.overtime_min),
        ] {
            if minutes > 0 {
                write!(f, " {what} {}.", Minutes(minutes))?;
            }
        }
        Ok(())
    }
}

impl PeriodWords<'_> {
    fn write_punches(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Period { on_st, off_et, .. } = self.period;
        if self.judged.arrival.is_none() && self.judged.departure.is_none() {
            return write!(f, " No punch from {on_st} to {off_et}.");
        }
        self.write_arrival(f)?;
        self.write_departure(f)
    }

    fn write_arrival(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_et = self.period.on_et;
        let Some(arrival) = self.judged.arrival else {
            return f.write_str(" No arrival.");
        };
        write!(f, " Arrived at {}, ", self.clock(&arrival.punch))?;
        match arrival.rule {
            ArrivalRule::InWindow => f.write_str("on time."),
            ArrivalRule::Grace => {
                let grace = Minutes(self.rule.late_grace_min.unwrap_or(0));
                write!(f, "after {on_et} but within the grace of {grace}.")
            }
            ArrivalRule::Late => match self.judged.late_min {
                0 => write!(f, "after {on_et}."),
                late => write!(f, "{} after {on_et}.", Minutes(late)),
            },
        }
    }

    fn write_departure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let off_st = self.period.off_st;
        let Some(departure) = self.judged.departure else {
            return f.write_str(" No departure.");
        };
        let grace = Minutes(self.rule.early_grace_min.unwrap_or(0));
        let stay = Minutes(self.rule.stay_min.unwrap_or(0));
        let early = self.judged.early_min;
        write!(f, " Left at {}, ", self.clock(&departure.punch))?;
        match (departure.rule, early) {
            (DepartureRule::OutWindow, _) => f.write_str("a regular departure."),
            (DepartureRule::Grace, _) => {
                write!(f, "before {off_st} but within the grace of {grace}.")
            }
            (DepartureRule::Early, 0) => write!(f, "before {off_st}."),
            (DepartureRule::Early, _) => write!(f, "{} before {off_st}.", Minutes(early)),
            (DepartureRule::Stayed, _) => write!(f, "after the {stay} to stay."),
            (DepartureRule::StayedWithinGrace, _) => {
                write!(
                    f,
                    "short of the {stay} to stay but within the grace of {grace}."
                )
            }
            (DepartureRule::StayedTooShort, 0) => write!(f, "short of the {stay} to stay."),
            (DepartureRule::StayedTooShort, _) => {
                write!(f, "{} short of the {stay} to stay.", Minutes(early))
            }
        }
    }

    fn write_repeats(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window_s = self.rule.duplicate_window_s;
        match self.judged.repeats {
            0 => Ok(()),
            1 => write!(
                f,
                " One punch repeats another within {window_s} seconds; they count as one."
            ),
            many => write!(
                f,
                " {many} punches repeat the one before within {window_s} seconds; each counts as one with it."
            ),
        }
    }

    fn write_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.judged.reason {
            Reason::NotEnded => write!(f, " It is judged when {} is over.", self.period.off_et)?,
            Reason::Adjustment {
                adjustment_id,
                kind,
            } => {
                write!(
                    f,
                    " The adjustment {adjustment_id} ({kind}) covers all of it."
                )?;
            }
            Reason::Punches => {}
        }
        match self.judged.partial_adjustment {
            Some(id) => write!(
                f,
                " The adjustment {id} covers a part of it only, so it decides nothing."
            ),
            None => Ok(()),
        }
    }

    fn clock(&self, punch: &Punch) -> impl fmt::Display {
        let local = local_time(punch.passed_at, self.zone);
        let form = if local.date() == self.date {
            "%H:%M:%S"
        } else {
            "%H:%M:%S on %Y-%m-%d"
        };
        local.format(form)
    }
}

struct Minutes(u16);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 minute"),
            many => write!(f, "{many} minutes"),
        }
    }
}
