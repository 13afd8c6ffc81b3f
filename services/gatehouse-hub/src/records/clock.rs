//! When a pass was, as far as the terminal's clock can be believed. Terminals send wall time without
//! a zone, set their clock by the platform's answer to a registration, and start somewhere in the
//! past after a flat battery. What they said is always kept beside what is made of it here.
//!
//! How it is judged:
//! - A registration tells the terminal's clock before it is set. Records from before that moment, by
//!   the terminal's own clock, are corrected by the difference; later ones are not, because the
//!   terminal sets its clock by the answer.
//! - A record that the terminal calls its last waiting one and that claims to be from the future is
//!   from now: the clock is fast. Two such in a row that are slow by the same amount: it is slow.
//! - Nothing is stored as having happened in the future.
//!
//! Deliberately absent: reading the terminal's words (gatehouse-proto-terminal).

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_domain::vocabulary;
use gatehouse_proto_terminal::{ClockError, PassedAt, WallTime};

vocabulary! {
    /// How far the time of a record can be believed.
    pub(crate) enum ClockVerdict: "clock verdict" {
        /// The terminal's time, as it stands.
        Trusted = "trusted",
        /// The terminal's time, corrected by what is known of its clock.
        Corrected = "corrected",
        /// The wall clock showed this time twice that night; the first is taken.
        Ambiguous = "ambiguous",
        /// The wall clock never showed this time.
        Nonexistent = "nonexistent",
        /// The terminal sent no time that can be read; the time of arrival is taken.
        Unreadable = "unreadable",
        /// The terminal's time lies in the future; the time of arrival is taken.
        InFuture = "in_future",
        /// The terminal's time lies before there were such terminals, and nothing tells by how much
        /// its clock was wrong.
        Implausible = "implausible",
    }
}

/// Smaller differences are the network and the terminal's own work.
const TOLERANCE_MS: i64 = 5_000;
/// Two measurements of one clock agree within this.
const AGREEMENT_MS: i64 = 3_000;
/// 2015-01-01: no terminal of this kind is older.
const EARLIEST_MS: i64 = 1_420_070_400_000;

/// What a record's time was judged to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// When the pass was.
    pub(crate) passed_at: DateTime<Utc>,
    /// What the terminal said, where it could be read.
    pub(crate) device_passed_at: Option<DateTime<Utc>>,
    /// By how much the terminal's clock was ahead (positive) or behind, where that is known.
    pub(crate) offset_ms: Option<i64>,
    /// How far this can be believed.
    pub(crate) verdict: ClockVerdict,
}

/// What is known of the clock of one terminal in one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClockBook {
    /// The terminal's clock at registration, and what it really was.
    registered: Option<Registered>,
    /// The difference seen in live records since.
    live_offset_ms: Option<i64>,
    /// A difference seen once.
    suspected_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Registered {
    device_ms: i64,
    offset_ms: i64,
}

impl ClockBook {
    /// From the `registerTime` of a registration, received at `now_ms`.
    pub(crate) fn at_registration(device_time_ms: Option<i64>, now_ms: i64) -> Self {
        Self {
            registered: device_time_ms.map(|device_ms| Registered {
                device_ms,
                offset_ms: device_ms.saturating_sub(now_ms),
            }),
            ..Self::default()
        }
    }

    /// Judges the time of a record that arrived at `received_at`. `backlog` is how many more wait in
    /// the terminal, where it says so.
    pub(crate) fn judge(
        &mut self,
        said: Result<PassedAt, ClockError>,
        received_at: DateTime<Utc>,
        backlog: Option<u32>,
    ) -> Judgement {
        let Ok(said) = said else {
            return Judgement {
                passed_at: received_at,
                device_passed_at: None,
                offset_ms: self.live_offset_ms,
                verdict: ClockVerdict::Unreadable,
            };
        };
        let (at, verdict) = choose_reading(said, received_at);
        self.measure(at, received_at, backlog);
        let offset_ms = self.offset_at(at, received_at);
        let corrected = at
            .checked_sub_signed(TimeDelta::milliseconds(offset_ms.unwrap_or(0)))
            .filter(|_| offset_ms.is_some_and(|ms| ms.abs() > TOLERANCE_MS));
        let (time, verdict) =
            corrected.map_or((at, verdict), |time| (time, ClockVerdict::Corrected));
        let ahead_ms = time.signed_duration_since(received_at).num_milliseconds();
        let verdict = if ahead_ms > TOLERANCE_MS {
            ClockVerdict::InFuture
        } else if time.timestamp_millis() < EARLIEST_MS {
            ClockVerdict::Implausible
        } else {
            verdict
        };
        let passed_at = time.min(received_at);
        Judgement {
            passed_at,
            device_passed_at: Some(at),
            offset_ms,
            verdict,
        }
    }

    /// Learns from a live record.
    fn measure(&mut self, at: DateTime<Utc>, received_at: DateTime<Utc>, backlog: Option<u32>) {
        if backlog != Some(0) {
            return;
        }
        let seen_ms = at.signed_duration_since(received_at).num_milliseconds();
        let again = self
            .suspected_ms
            .is_some_and(|before| before.abs_diff(seen_ms) <= AGREEMENT_MS.unsigned_abs());
        if seen_ms.abs() <= TOLERANCE_MS {
            self.live_offset_ms = None;
            self.suspected_ms = None;
        } else if seen_ms > 0 || again {
            self.live_offset_ms = Some(seen_ms);
        } else {
            self.suspected_ms = Some(seen_ms);
        }
    }

    /// The difference that applies to a record of this time.
    fn offset_at(&self, at: DateTime<Utc>, received_at: DateTime<Utc>) -> Option<i64> {
        let at_ms = at.timestamp_millis();
        let is_live = |offset_ms: &i64| {
            let now_ms = at_ms.saturating_sub(*offset_ms);
            now_ms.abs_diff(received_at.timestamp_millis()) <= TOLERANCE_MS.unsigned_abs()
        };
        if let Some(offset_ms) = self.live_offset_ms.filter(is_live) {
            return Some(offset_ms);
        }
        let before_registration = self.registered.filter(|registered| {
            let real_ms = registered.device_ms.saturating_sub(registered.offset_ms);
            // A fast clock, set back at registration, shows the time in between twice. What arrives
            // from there and could have happened since the registration did.
            let since = at_ms >= real_ms && at <= received_at;
            at_ms <= registered.device_ms && !since
        });
        match before_registration {
            Some(registered) => Some(registered.offset_ms),
            None => self.live_offset_ms,
        }
    }
}

/// Of a time that the wall clock showed twice, the one that is now; else the first.
fn choose_reading(said: PassedAt, received_at: DateTime<Utc>) -> (DateTime<Utc>, ClockVerdict) {
    match said.wall {
        WallTime::Unique | WallTime::Unix => (said.at, ClockVerdict::Trusted),
        WallTime::Skipped => (said.at, ClockVerdict::Nonexistent),
        WallTime::Ambiguous { later } => {
            let off_ms = later.signed_duration_since(received_at).num_milliseconds();
            if off_ms.abs() <= TOLERANCE_MS {
                (later, ClockVerdict::Trusted)
            } else {
                (said.at, ClockVerdict::Ambiguous)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;
    const HOUR_MS: i64 = 3_600_000;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(ms).unwrap()
    }

    fn unique(ms: i64) -> Result<PassedAt, ClockError> {
        Ok(PassedAt {
            at: at(ms),
            wall: WallTime::Unique,
        })
    }

    fn right() -> ClockBook {
        ClockBook::at_registration(Some(NOW_MS - 500), NOW_MS)
    }

    #[test]
    fn a_right_clock_is_believed() {
        let judged = right().judge(unique(NOW_MS + 9_000), at(NOW_MS + 10_000), None);
        assert_eq!(judged.passed_at, at(NOW_MS + 9_000));
        assert_eq!(judged.verdict, ClockVerdict::Trusted);
        let old = right().judge(unique(NOW_MS - 30 * 24 * HOUR_MS), at(NOW_MS), Some(50));
        assert_eq!(old.verdict, ClockVerdict::Trusted);
        assert_eq!(old.offset_ms, Some(-500));
    }

    #[test]
    fn records_from_before_a_registration_are_corrected_by_it() {
        // Three minutes slow.
        let mut slow = ClockBook::at_registration(Some(NOW_MS - 180_000), NOW_MS);
        let judged = slow.judge(
            unique(NOW_MS - HOUR_MS - 180_000),
            at(NOW_MS + 1_000),
            Some(4),
        );
        assert_eq!(judged.passed_at, at(NOW_MS - HOUR_MS));
        assert_eq!(
            judged.device_passed_at,
            Some(at(NOW_MS - HOUR_MS - 180_000))
        );
        assert_eq!(
            (judged.verdict, judged.offset_ms),
            (ClockVerdict::Corrected, Some(-180_000))
        );
        // After it the clock is right.
        let judged = slow.judge(unique(NOW_MS + 60_000), at(NOW_MS + 60_200), Some(0));
        assert_eq!(judged.passed_at, at(NOW_MS + 60_000));
        assert_eq!(judged.verdict, ClockVerdict::Trusted);
    }

    #[test]
    fn a_flat_battery_is_corrected_and_what_was_before_it_is_left_alone() {
        // The clock began again at 2000-01-01 two hours ago.
        let reset_ms = 946_684_800_000 + 2 * HOUR_MS;
        let mut book = ClockBook::at_registration(Some(reset_ms), NOW_MS);
        let judged = book.judge(unique(reset_ms - HOUR_MS), at(NOW_MS + 100), Some(9));
        assert_eq!(judged.passed_at, at(NOW_MS - HOUR_MS));
        assert_eq!(judged.verdict, ClockVerdict::Corrected);
        let judged = book.judge(unique(NOW_MS - 24 * HOUR_MS), at(NOW_MS + 100), Some(8));
        assert_eq!(judged.passed_at, at(NOW_MS - 24 * HOUR_MS));
        assert_eq!(judged.verdict, ClockVerdict::Trusted);
    }

    #[test]
    fn a_fast_clock_that_was_set_right_is_not_corrected_again() {
        let mut fast = ClockBook::at_registration(Some(NOW_MS + HOUR_MS), NOW_MS);
        let before = fast.judge(unique(NOW_MS - HOUR_MS), at(NOW_MS + 1_000), Some(3));
        assert_eq!(before.passed_at, at(NOW_MS - 2 * HOUR_MS));
        assert_eq!(before.verdict, ClockVerdict::Corrected);
        let after = fast.judge(unique(NOW_MS + 20_000), at(NOW_MS + 20_300), Some(0));
        assert_eq!(after.passed_at, at(NOW_MS + 20_000));
        assert_eq!(after.verdict, ClockVerdict::Trusted);
        // From the hour that the clock showed twice, and it cannot be from now.
        let between = fast.judge(unique(NOW_MS + HOUR_MS / 2), at(NOW_MS + 30_000), Some(2));
        assert_eq!(between.passed_at, at(NOW_MS - HOUR_MS / 2));
    }

    #[test]
    fn a_clock_that_stays_fast_is_measured_by_live_records() {
        let mut book = right();
        let first = book.judge(unique(NOW_MS + 600_000), at(NOW_MS + 1_000), Some(0));
        assert_eq!(first.passed_at, at(NOW_MS + 1_000));
        assert_eq!(
            (first.verdict, first.offset_ms),
            (ClockVerdict::Corrected, Some(599_000))
        );
        let second = book.judge(unique(NOW_MS + 605_000), at(NOW_MS + 7_000), Some(1));
        assert_eq!(second.passed_at, at(NOW_MS + 6_000));
    }

    #[test]
    fn a_slow_clock_needs_two_witnesses() {
        let mut book = right();
        let first = book.judge(unique(NOW_MS - 599_000), at(NOW_MS + 1_000), Some(0));
        assert_eq!(
            first.verdict,
            ClockVerdict::Trusted,
            "it may be the last of a backlog"
        );
        let second = book.judge(unique(NOW_MS - 540_000), at(NOW_MS + 60_100), Some(0));
        assert_eq!(second.verdict, ClockVerdict::Corrected);
        assert_eq!(second.passed_at, at(NOW_MS + 60_100));
        let right_again = book.judge(unique(NOW_MS + 119_900), at(NOW_MS + 120_000), Some(0));
        assert_eq!(
            (right_again.verdict, right_again.offset_ms),
            (ClockVerdict::Trusted, None)
        );
    }

    #[test]
    fn nothing_happens_in_the_future() {
        let mut book = ClockBook::default();
        let judged = book.judge(unique(NOW_MS + HOUR_MS), at(NOW_MS), None);
        assert_eq!(
            (judged.passed_at, judged.verdict),
            (at(NOW_MS), ClockVerdict::InFuture)
        );
        let judged = book.judge(unique(NOW_MS + 800), at(NOW_MS), None);
        assert_eq!(
            (judged.passed_at, judged.verdict),
            (at(NOW_MS), ClockVerdict::Trusted)
        );
        assert_eq!(judged.device_passed_at, Some(at(NOW_MS + 800)));
    }

    #[test]
    fn what_cannot_be_read_happened_on_arrival() {
        let judged = ClockBook::default().judge(Err(ClockError::Missing), at(NOW_MS), None);
        assert_eq!(judged.passed_at, at(NOW_MS));
        assert_eq!(judged.device_passed_at, None);
        assert_eq!(judged.verdict, ClockVerdict::Unreadable);
    }

    #[test]
    fn an_impossible_age_is_said_to_be_one() {
        let judged = ClockBook::default().judge(unique(0), at(NOW_MS), None);
        assert_eq!(
            (judged.passed_at, judged.verdict),
            (at(0), ClockVerdict::Implausible)
        );
    }

    #[test]
    fn an_hour_shown_twice_is_the_one_that_is_now() {
        let twice = |first_ms: i64| {
            Ok(PassedAt {
                at: at(first_ms),
                wall: WallTime::Ambiguous {
                    later: at(first_ms + HOUR_MS),
                },
            })
        };
        let mut book = right();
        let live = book.judge(twice(NOW_MS - HOUR_MS + 9_000), at(NOW_MS + 10_000), None);
        assert_eq!(
            (live.passed_at, live.verdict),
            (at(NOW_MS + 9_000), ClockVerdict::Trusted)
        );
        let stored = ClockBook::default().judge(twice(NOW_MS - 9 * HOUR_MS), at(NOW_MS), None);
        assert_eq!(stored.passed_at, at(NOW_MS - 9 * HOUR_MS));
        assert_eq!(stored.verdict, ClockVerdict::Ambiguous);
    }
}
