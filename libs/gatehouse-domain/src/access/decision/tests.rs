//! Each step of the decision, and what holds for all facts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use chrono::TimeDelta;
use proptest::prelude::*;

const AUTHORITY: u128 = 1;
const GROUP: u128 = 2;
const SCHEDULE: u128 = 3;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn plan(json: &str) -> Schedule {
    serde_json::from_str(json).unwrap()
}

fn permit(number: u128, name: &str, schedule: Schedule) -> Permit {
    Permit {
        authority_id: Uuid::from_u128(AUTHORITY + number * 10),
        group_id: Uuid::from_u128(GROUP + number * 10),
        group_name: "Workshop".into(),
        group_type: PersonType::Staff,
        schedule_id: Some(Uuid::from_u128(SCHEDULE + number * 10)),
        schedule_name: Some(name.into()),
        schedule: Some(schedule),
    }
}

/// 2026-11-24 is a Tuesday; the device is in Shanghai, eight hours ahead.
fn facts() -> Facts {
    Facts {
        zone: "Asia/Shanghai".into(),
        deny_above_celsius: None,
        deny_without_mask: false,
        person: PersonFacts {
            person_type: PersonType::Staff,
            disabled: false,
            priority: Priority::Normal,
            valid_from: None,
            valid_to: None,
        },
        permits: vec![permit(
            0,
            "Day shift",
            plan(
                r#"{"weekdays": [{"weekday": 2, "periods": [{"from": "06:30", "to": "09:00"}, {"from": "17:00", "to": "20:00"}]}],
                    "holidays": [{"date": "2026-12-01", "open": false}, {"date": "2026-12-02", "open": true},
                                 {"date": "2026-12-03", "open": true, "periods": [{"from": "10:00", "to": "12:00"}]}]}"#,
            ),
        )],
    }
}

fn asked(facts: &Facts, when: &str) -> (bool, ReasonCode, String) {
    let Decision {
        allow,
        reason,
        sentence,
        ..
    } = decide(facts, at(when), &Measured::NOTHING);
    (allow, reason, sentence)
}

#[test]
fn the_schedule_decides_in_the_zone_of_the_device() {
    use ReasonCode::{Holiday, InSchedule, OutsideSchedule};
    for (when, allow, reason, sentence) in [
        (
            "2026-11-23T22:12:00Z",
            false,
            OutsideSchedule,
            "not in schedule 'Day shift': Tuesday 06:12 is outside 06:30-09:00, 17:00-20:00",
        ),
        (
            "2026-11-23T22:30:00Z",
            true,
            InSchedule,
            "in schedule 'Day shift': Tuesday 06:30 is within 06:30-09:00",
        ),
        (
            "2026-11-24T12:00:59Z",
            true,
            InSchedule,
            "in schedule 'Day shift': Tuesday 20:00 is within 17:00-20:00",
        ),
        (
            "2026-11-24T12:01:00Z",
            false,
            OutsideSchedule,
            "not in schedule 'Day shift': Tuesday 20:01 is outside 06:30-09:00, 17:00-20:00",
        ),
        (
            "2026-11-25T00:00:00Z",
            false,
            OutsideSchedule,
            "not in schedule 'Day shift': Wednesday is closed",
        ),
        (
            "2026-12-01T00:00:00Z",
            false,
            Holiday,
            "not in schedule 'Day shift': the holiday 2026-12-01, Tuesday is closed",
        ),
        (
            "2026-12-02T00:00:00Z",
            true,
            InSchedule,
            "in schedule 'Day shift': the holiday 2026-12-02, Wednesday is open all day",
        ),
        (
            "2026-12-03T00:00:00Z",
            false,
            Holiday,
            "not in schedule 'Day shift': the holiday 2026-12-03, Thursday 08:00 is outside 10:00-12:00",
        ),
    ] {
        assert_eq!(
            asked(&facts(), when),
            (allow, reason, sentence.to_owned()),
            "{when}"
        );
    }
}

#[test]
fn what_decided_is_named() {
    let decision = decide(&facts(), at("2026-11-24T00:00:00Z"), &Measured::NOTHING);
    assert!(decision.allow);
    assert_eq!(
        (
            decision.authority_id,
            decision.group_id,
            decision.schedule_id
        ),
        (
            Some(Uuid::from_u128(AUTHORITY)),
            Some(Uuid::from_u128(GROUP)),
            Some(Uuid::from_u128(SCHEDULE))
        )
    );
    // The second authority admits, so it is the one that is named.
    let mut facts = facts();
    let night =
        plan(r#"{"weekdays": [{"weekday": 3, "periods": [{"from": "00:00", "to": "23:59"}]}]}"#);
    facts.permits.push(permit(1, "Night shift", night));
    let decision = decide(&facts, at("2026-11-25T00:00:00Z"), &Measured::NOTHING);
    assert!(decision.allow, "{decision:?}");
    assert_eq!(decision.authority_id, Some(Uuid::from_u128(AUTHORITY + 10)));
    // Both refuse, and both are named, each schedule once.
    facts.permits.push(Permit {
        group_id: Uuid::from_u128(77),
        ..facts.permits[0].clone()
    });
    assert_eq!(
        asked(&facts, "2026-11-26T00:00:00Z").2,
        "not in schedule 'Day shift': Thursday is closed; not in schedule 'Night shift': Thursday is closed"
    );
    for number in 2..6 {
        facts
            .permits
            .push(permit(number, "Another", Schedule::default()));
    }
    let (_, _, sentence) = asked(&facts, "2026-11-26T00:00:00Z");
    assert!(sentence.ends_with("; nor in 3 more"), "{sentence}");
    // An authority without a schedule admits at any time.
    facts.permits.push(Permit {
        schedule_id: None,
        schedule_name: None,
        schedule: None,
        ..facts.permits[0].clone()
    });
    let decision = decide(&facts, at("2026-11-26T00:00:00Z"), &Measured::NOTHING);
    assert_eq!(
        (decision.allow, decision.reason, decision.schedule_id),
        (true, ReasonCode::Always, None)
    );
}

#[test]
fn the_person_comes_before_the_schedule() {
    let person = facts().person;
    let valid = |from: Option<&str>, to: Option<&str>| PersonFacts {
        valid_from: from.map(at),
        valid_to: to.map(at),
        ..person.clone()
    };
    for (who, reason, sentence) in [
        (
            PersonFacts {
                disabled: true,
                person_type: PersonType::Blocklist,
                ..person.clone()
            },
            ReasonCode::Disabled,
            "the person is disabled",
        ),
        (
            PersonFacts {
                person_type: PersonType::Blocklist,
                priority: Priority::Always,
                ..person.clone()
            },
            ReasonCode::Blocklisted,
            "the person is on the blocklist",
        ),
        (
            PersonFacts {
                priority: Priority::Never,
                ..person.clone()
            },
            ReasonCode::Never,
            "the person's priority is never",
        ),
        (
            valid(Some("2026-11-24T00:00:01Z"), None),
            ReasonCode::NotYetValid,
            "the person is valid only from 2026-11-24 08:00 (Asia/Shanghai)",
        ),
        (
            valid(None, Some("2026-11-24T00:00:00Z")),
            ReasonCode::Expired,
            "the person was valid until 2026-11-24 08:00 (Asia/Shanghai)",
        ),
    ] {
        for priority in [who.priority, Priority::Always] {
            if who.priority == Priority::Never {
                continue;
            }
            let facts = Facts {
                person: PersonFacts {
                    priority,
                    ..who.clone()
                },
                ..facts()
            };
            assert_eq!(
                asked(&facts, "2026-11-24T00:00:00Z"),
                (false, reason, sentence.to_owned())
            );
        }
        let facts = Facts {
            person: who,
            ..facts()
        };
        assert_eq!(
            asked(&facts, "2026-11-24T00:00:00Z"),
            (false, reason, sentence.to_owned())
        );
    }
    // The first and the last moment of a validity.
    let facts = Facts {
        person: valid(Some("2026-11-24T00:00:00Z"), Some("2026-11-24T00:10:00Z")),
        ..facts()
    };
    assert!(asked(&facts, "2026-11-24T00:00:00Z").0);
    assert!(asked(&facts, "2026-11-24T00:09:59Z").0);
}

#[test]
fn a_blocklist_group_of_the_device_keeps_out() {
    let mut facts = facts();
    facts.person.priority = Priority::Always;
    facts.permits.push(Permit {
        group_name: "Banned".into(),
        group_type: PersonType::Blocklist,
        schedule_id: None,
        schedule: None,
        ..permit(4, "", Schedule::default())
    });
    let decision = decide(&facts, at("2026-11-24T00:00:00Z"), &Measured::NOTHING);
    assert_eq!(
        (decision.allow, decision.reason, decision.authority_id),
        (
            false,
            ReasonCode::Blocklisted,
            Some(Uuid::from_u128(AUTHORITY + 40))
        )
    );
    assert_eq!(
        decision.sentence,
        "the person is in 'Banned', a blocklist group of this device"
    );
}

#[test]
fn priority_always_skips_the_schedule_and_nothing_else() {
    let mut facts = facts();
    facts.person.priority = Priority::Always;
    let decision = decide(&facts, at("2026-11-29T03:00:00Z"), &Measured::NOTHING);
    assert_eq!(
        (decision.allow, decision.reason, decision.schedule_id),
        (true, ReasonCode::Always, None)
    );
    assert_eq!(decision.authority_id, Some(Uuid::from_u128(AUTHORITY)));
    facts.permits.clear();
    let (allow, reason, _) = asked(&facts, "2026-11-29T03:00:00Z");
    assert_eq!((allow, reason), (false, ReasonCode::NoAuthority));
}

#[test]
fn the_device_forbids_what_it_measured() {
    let facts = Facts {
        deny_above_celsius: Some(37.3),
        deny_without_mask: true,
        ..facts()
    };
    let measured = |celsius, mask| {
        let measured = Measured { celsius, mask };
        let decision = decide(&facts, at("2026-11-24T00:00:00Z"), &measured);
        (decision.reason, decision.sentence)
    };
    for (celsius, mask, reason) in [
        (None, Mask::Unknown, ReasonCode::InSchedule),
        (Some(37.3), Mask::Worn, ReasonCode::InSchedule),
        (Some(f32::NAN), Mask::Worn, ReasonCode::InSchedule),
        (Some(37.4), Mask::Worn, ReasonCode::Temperature),
        (Some(36.5), Mask::NotWorn, ReasonCode::Mask),
    ] {
        assert_eq!(measured(celsius, mask).0, reason, "{celsius:?} {mask}");
    }
    assert_eq!(
        measured(Some(37.8), Mask::Worn).1,
        "37.8 °C is above the 37.3 °C that this device lets pass"
    );
    // Outside the schedule, that is what is said.
    let warm = Measured {
        celsius: Some(40.0),
        mask: Mask::NotWorn,
    };
    let decision = decide(&facts, at("2026-11-25T00:00:00Z"), &warm);
    assert_eq!(decision.reason, ReasonCode::OutsideSchedule);
}

#[test]
fn the_clock_that_is_turned_neither_hides_nor_invents_minutes() {
    // New York: on 2026-03-08 02:00 becomes 03:00, on 2026-11-01 02:00 becomes 01:00. Both are Sundays.
    let mut facts = facts();
    facts.zone = "America/New_York".into();
    let sunday = |from: &str, to: &str| {
        plan(&format!(
            r#"{{"weekdays": [{{"weekday": 7, "periods": [{{"from": "{from}", "to": "{to}"}}]}}]}}"#
        ))
    };
    let minutes_open = |facts: &Facts, midnight: &str| {
        let first = at(midnight);
        (0..1600)
            .filter(|m| decide(facts, first + TimeDelta::minutes(*m), &Measured::NOTHING).allow)
            .count()
    };
    for (from, to, spring, autumn) in [
        // The hour that does not exist, and that is there once in autumn.
        ("02:00", "02:59", 0, 60),
        // The hour that is there twice.
        ("01:00", "01:59", 60, 120),
        ("01:30", "03:29", 60, 150),
        ("00:00", "23:59", 23 * 60, 25 * 60),
    ] {
        facts.permits[0].schedule = Some(sunday(from, to));
        assert_eq!(
            minutes_open(&facts, "2026-03-08T05:00:00Z"),
            spring,
            "spring {from}"
        );
        assert_eq!(
            minutes_open(&facts, "2026-11-01T04:00:00Z"),
            autumn,
            "autumn {from}"
        );
    }
}

#[test]
fn the_facts_are_read_as_the_database_tells_them() {
    let facts: Facts = serde_json::from_str(
        r#"{"zone": "Asia/Shanghai", "deny_above_celsius": 37.3, "deny_without_mask": false,
            "person": {"type": "visitor", "disabled": false, "priority": "normal",
                       "valid_from": "2026-11-24T08:00:00+08:00", "valid_to": null},
            "permits": [{"authority_id": "0197c4a7-b1e8-7d3c-9a54-b0c1d2e3f405",
                         "group_id": "0197c4a7-b1e8-7d3c-9a54-b0c1d2e3f406", "group_name": "Guests",
                         "group_type": "visitor", "schedule_id": null, "schedule_name": null, "schedule": null}]}"#,
    )
    .unwrap();
    assert_eq!(facts.person.valid_from, Some(at("2026-11-24T00:00:00Z")));
    assert!(asked(&facts, "2026-11-24T00:00:00Z").0);
}

#[test]
fn a_schedule_that_is_not_there_admits_nobody() {
    let mut facts = facts();
    facts.permits[0].schedule = None;
    let (allow, reason, _) = asked(&facts, "2026-11-24T00:00:00Z");
    assert_eq!((allow, reason), (false, ReasonCode::OutsideSchedule));
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let kind = || prop::sample::select(PersonType::ALL);
    let priority = prop::sample::select(Priority::ALL);
    let moment = || prop::option::of((-200i64..200).prop_map(|h| noon() + TimeDelta::hours(h)));
    let schedule = prop::sample::select(vec![
        None,
        Some(Schedule::default()),
        facts().permits[0].schedule.clone(),
    ]);
    let permits = prop::collection::vec((kind(), schedule), 0..4);
    (kind(), any::<bool>(), priority, moment(), moment(), permits).prop_map(
        |(person_type, disabled, priority, valid_from, valid_to, permits)| Facts {
            person: PersonFacts {
                person_type,
                disabled,
                priority,
                valid_from,
                valid_to,
            },
            permits: permits
                .into_iter()
                .zip(0u128..)
                .map(|((group_type, schedule), number)| Permit {
                    group_type,
                    schedule_id: schedule
                        .is_some()
                        .then(|| Uuid::from_u128(SCHEDULE + number * 10)),
                    schedule,
                    ..permit(number, "S", Schedule::default())
                })
                .collect(),
            ..facts()
        },
    )
}

fn noon() -> DateTime<Utc> {
    at("2026-11-24T04:00:00Z")
}

proptest! {
    #[test]
    fn nobody_passes_who_must_not(facts in any_facts(), minutes in -20_000i64..20_000) {
        let when = noon() + TimeDelta::minutes(minutes);
        let decision = decide(&facts, when, &Measured::NOTHING);
        let person = &facts.person;
        let blocked = person.person_type == PersonType::Blocklist
            || facts.permits.iter().any(|p| p.group_type == PersonType::Blocklist);
        let invalid = person.valid_from.is_some_and(|from| when < from) || person.valid_to.is_some_and(|to| when >= to);
        let bound = person.priority == Priority::Normal;
        let local = when.with_timezone(&chrono_tz::Asia::Shanghai).naive_local();
        let admitted = facts.permits.iter().any(|p| match &p.schedule {
            None => p.schedule_id.is_none(),
            Some(schedule) => schedule.admits(local),
        });
        let expected = !person.disabled
            && !blocked
            && !invalid
            && person.priority != Priority::Never
            && !facts.permits.is_empty()
            && (!bound || admitted);
        prop_assert_eq!(decision.allow, expected, "{:?}", decision);
        prop_assert_eq!(
            decision.allow,
            matches!(decision.reason, ReasonCode::InSchedule | ReasonCode::Always),
            "{:?}", decision
        );
        if decision.allow {
            let named = facts.permits.iter().find(|p| Some(p.authority_id) == decision.authority_id);
            let named = named.unwrap();
            prop_assert_eq!(decision.group_id, Some(named.group_id));
        }
        prop_assert!(!decision.sentence.is_empty() && !decision.sentence.ends_with('.'));
    }
}
