//! Reading the fields of a visit, for new ones and for changes alike.

use crate::persons::{self, Given, PersonPatch};
use crate::reading::Reading;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use gatehouse_domain::GroupId;

const REASON_MAX_CHARS: usize = 200;
const FIRM_MAX_CHARS: usize = 100;
const NUMBER_PLATE_MAX_CHARS: usize = 20;
const GROUPS_MAX: usize = 50;
/// Whoever comes for longer belongs to the house.
const LONGEST_DAYS: i64 = 366;

pub(super) fn reason(reading: &mut Reading, text: &str) -> String {
    reading.optional_text("/reason", text, REASON_MAX_CHARS)
}

pub(super) fn firm(reading: &mut Reading, text: &str) -> String {
    reading.optional_text("/firm", text, FIRM_MAX_CHARS)
}

pub(super) fn number_plate(reading: &mut Reading, text: &str) -> String {
    reading.optional_text("/number_plate", text, NUMBER_PLATE_MAX_CHARS)
}

pub(super) fn groups(reading: &mut Reading, mut ids: Vec<GroupId>) -> Vec<GroupId> {
    if ids.len() > GROUPS_MAX {
        reading.fault(
            "/group_ids",
            format!("must have at most {GROUPS_MAX} entries"),
        );
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A visitor, by the rules for persons.
pub(super) fn visitor(reading: &mut Reading, patch: PersonPatch, zone: Tz) -> Given {
    let mut own = Reading::begin();
    let given = persons::read(&mut own, patch, zone);
    for fault in own.into_faults() {
        reading.fault(&format!("/person{}", fault.pointer), fault.detail);
    }
    given
}

/// When a visit begins or ends, read by the rules for a person's validity, which it becomes. `None`
/// where nothing was said, or nothing that can be read.
pub(super) fn window(
    reading: &mut Reading,
    starts_at: Option<String>,
    ends_at: Option<String>,
    zone: Tz,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    for (pointer, text) in [("/starts_at", &starts_at), ("/ends_at", &ends_at)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            reading.fault(pointer, "must not be empty");
        }
    }
    let patch = PersonPatch {
        valid_from: starts_at.map(Some),
        valid_to: ends_at.map(Some),
        ..PersonPatch::default()
    };
    let mut own = Reading::begin();
    let given = persons::read(&mut own, patch, zone);
    for fault in own.into_faults() {
        let pointer = match fault.pointer.as_str() {
            "/valid_from" => "/starts_at",
            _ => "/ends_at",
        };
        reading.fault(pointer, fault.detail);
    }
    (given.valid_from.flatten(), given.valid_to.flatten())
}

/// Whether a visit may have this window.
pub(super) fn check_window(
    reading: &mut Reading,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    now: DateTime<Utc>,
) {
    if ends_at <= starts_at {
        reading.fault("/ends_at", "must be later than starts_at");
    } else if ends_at <= now {
        reading.fault("/ends_at", "must be in the future");
    } else if ends_at - starts_at > TimeDelta::days(LONGEST_DAYS) {
        reading.fault(
            "/ends_at",
            format!("must be at most {LONGEST_DAYS} days after starts_at"),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn read(
        starts: &str,
        ends: &str,
    ) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>, Vec<String>) {
        let mut reading = Reading::begin();
        let zone = Tz::Asia__Shanghai;
        let (from, to) = window(&mut reading, Some(starts.into()), Some(ends.into()), zone);
        let faults = reading.into_faults();
        (from, to, faults.into_iter().map(|f| f.pointer).collect())
    }

    #[test]
    fn times_are_the_tenants_or_have_an_offset() {
        let (from, to, faults) = read("2026-12-01T08:00:00", "2026-12-01T18:00:00+00:00");
        assert_eq!(from, Some(at("2026-12-01T00:00:00Z")));
        assert_eq!(to, Some(at("2026-12-01T18:00:00Z")));
        assert!(faults.is_empty());
        let (from, to, _) = read("2026-12-01", "2026-12-01");
        assert_eq!(from, Some(at("2026-11-30T16:00:00Z")));
        assert_eq!(to, Some(at("2026-12-01T15:59:59Z")));
        assert_eq!(read("tomorrow", "").2, ["/ends_at", "/starts_at"]);
    }

    #[test]
    fn a_window_lies_ahead_and_has_an_end() {
        let faults = |starts, ends| {
            let mut reading = Reading::begin();
            check_window(
                &mut reading,
                at(starts),
                at(ends),
                at("2026-12-01T12:00:00Z"),
            );
            reading.into_faults().len()
        };
        assert_eq!(faults("2026-12-01T08:00:00Z", "2026-12-01T18:00:00Z"), 0);
        assert_eq!(faults("2026-12-01T18:00:00Z", "2026-12-01T18:00:00Z"), 1);
        assert_eq!(faults("2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"), 1);
        assert_eq!(faults("2026-12-01T08:00:00Z", "2027-12-02T08:00:00Z"), 0);
        assert_eq!(faults("2026-12-01T08:00:00Z", "2027-12-02T08:00:01Z"), 1);
    }

    #[test]
    fn faults_of_a_visitor_stand_below_person() {
        let mut reading = Reading::begin();
        let patch = PersonPatch {
            name: Some(String::new()),
            ..PersonPatch::default()
        };
        visitor(&mut reading, patch, Tz::UTC);
        assert_eq!(
            reading.into_faults().first().map(|f| f.pointer.clone()),
            Some("/person/name".to_owned())
        );
    }
}
