//! Whether the door opens, where the platform decides (document 004, 2.3.1, `controlState`). Pure.
//!
//! Somebody whom the platform knows passes by its authorities of this moment, whatever the terminal
//! was last told: it decides only who stands there. Where it does not know the number, or where the
//! terminal is not sure of the face, the terminal's own verdict counts, and never opens more.
//!
//! Deliberately absent: reading the facts (`facts`), and the rule itself (gatehouse-domain).

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_domain::access::{Decision, ReasonCode};
use gatehouse_domain::record::{RecordResult, RecordType};
use gatehouse_proto_terminal::ControlState;

/// Nobody stands at the door any more when a record is this old.
const LIVE_WITHIN: TimeDelta = TimeDelta::seconds(15);

/// What happens at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoorAnswer {
    /// Open, close, or left to the terminal.
    pub(crate) state: ControlState,
    /// What the terminal says aloud.
    pub(crate) says: &'static str,
    /// Why, in a sentence; empty where it is left to the terminal.
    pub(crate) reason: String,
}

impl DoorAnswer {
    /// The word in the record's row.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self.state {
            ControlState::Open => "open",
            ControlState::Close => "close",
            ControlState::Unstated => "left_to_terminal",
        }
    }

    /// The terminal decides.
    pub(crate) const fn left_to_terminal() -> Self {
        Self {
            state: ControlState::Unstated,
            says: "",
            reason: String::new(),
        }
    }

    fn open(says: &'static str, reason: impl Into<String>) -> Self {
        Self {
            state: ControlState::Open,
            says,
            reason: reason.into(),
        }
    }

    fn close(says: &'static str, reason: impl Into<String>) -> Self {
        Self {
            state: ControlState::Close,
            says,
            reason: reason.into(),
        }
    }
}

/// What the platform knows of who stands there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known {
    /// Nobody of that number.
    Nobody,
    /// It took them away, and the terminal may not have heard of it yet.
    Gone,
    /// What it decides about them.
    Person(Decision),
    /// It could not be found out in time.
    Unasked,
}

/// Whether the passage is so recent that somebody still stands there.
pub(crate) fn is_live(passed_at: DateTime<Utc>, received_at: DateTime<Utc>) -> bool {
    received_at.signed_duration_since(passed_at) <= LIVE_WITHIN
}

/// Whether the terminal is sure enough of who stands there for the platform to decide about them.
pub(crate) fn is_recognised(record_type: RecordType, result: RecordResult) -> bool {
    match (record_type, result) {
        (RecordType::Stranger, _) | (_, RecordResult::Failed) => false,
        (
            RecordType::Staff | RecordType::Visitor | RecordType::Blocklist,
            RecordResult::Passed
            | RecordResult::OutsideSchedule
            | RecordResult::Expired
            | RecordResult::Unauthorized,
        ) => true,
    }
}

/// Decides, where the platform does.
pub(crate) fn decide(
    known: &Known,
    record_type: RecordType,
    result: RecordResult,
    is_live: bool,
) -> DoorAnswer {
    if !is_live {
        return DoorAnswer::close(
            "",
            "The record is too old: nobody stands at the door any more.",
        );
    }
    match known {
        Known::Person(decision) if is_recognised(record_type, result) => {
            by_authority(decision, record_type)
        }
        Known::Unasked if is_recognised(record_type, result) => DoorAnswer::close(
            "请稍候再试",
            "The platform could not look up the authorities in time.",
        ),
        Known::Gone if is_recognised(record_type, result) => DoorAnswer::close(
            "未授权",
            "The platform has taken the person away; the terminal is still to forget them.",
        ),
        Known::Person(_) | Known::Gone | Known::Nobody | Known::Unasked => {
            by_terminal(record_type, result)
        }
    }
}

fn by_authority(decision: &Decision, record_type: RecordType) -> DoorAnswer {
    if decision.allow && record_type == RecordType::Blocklist {
        return DoorAnswer::close("禁止通行", "The terminal has the person on its blocklist.");
    }
    let says = phrase(decision.reason);
    if decision.allow {
        DoorAnswer::open(says, sentence(&decision.sentence))
    } else {
        DoorAnswer::close(says, sentence(&decision.sentence))
    }
}

/// The decision's words as a sentence that stands by itself.
fn sentence(words: &str) -> String {
    let mut rest = words.trim_end_matches('.').chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).chain(['.']).collect()
}

/// What the terminal says aloud.
pub(crate) const fn phrase(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::InSchedule | ReasonCode::Always => "请通行",
        ReasonCode::NoAuthority => "未授权",
        ReasonCode::Disabled | ReasonCode::Blocklisted | ReasonCode::Never => "禁止通行",
        ReasonCode::NotYetValid | ReasonCode::Expired => "不在有效期内",
        ReasonCode::OutsideSchedule | ReasonCode::Holiday => "不在通行时间内",
        ReasonCode::Temperature => "体温异常",
        ReasonCode::Mask => "请佩戴口罩",
    }
}

fn by_terminal(record_type: RecordType, result: RecordResult) -> DoorAnswer {
    match (result, record_type) {
        (RecordResult::Passed, RecordType::Staff | RecordType::Visitor) => DoorAnswer::open(
            "请通行",
            "The terminal let the person pass, whose number the platform does not know.",
        ),
        (RecordResult::Passed, RecordType::Blocklist) => {
            DoorAnswer::close("禁止通行", "The terminal has the person on its blocklist.")
        }
        (RecordResult::Passed, RecordType::Stranger) | (RecordResult::Failed, _) => {
            DoorAnswer::close("禁止通行", "The terminal recognised nobody it knows.")
        }
        (RecordResult::OutsideSchedule, _) => DoorAnswer::close(
            "不在通行时间内",
            "The terminal says: outside the passing times.",
        ),
        (RecordResult::Expired, _) => {
            DoorAnswer::close("不在有效期内", "The terminal says: no longer valid.")
        }
        (RecordResult::Unauthorized, _) => {
            DoorAnswer::close("未授权", "The terminal says: not authorised.")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn decision(allow: bool, reason: ReasonCode) -> Known {
        Known::Person(Decision {
            allow,
            reason,
            sentence: "because".into(),
            authority_id: None,
            group_id: None,
            schedule_id: None,
        })
    }

    #[test]
    fn of_strangers_to_the_platform_only_those_the_terminal_let_pass() {
        for known in [Known::Nobody, Known::Gone, Known::Unasked] {
            for kind in RecordType::ALL {
                for result in RecordResult::ALL {
                    let opens = known == Known::Nobody
                        && *result == RecordResult::Passed
                        && matches!(kind, RecordType::Staff | RecordType::Visitor);
                    let answer = decide(&known, *kind, *result, true);
                    assert_eq!(
                        answer.state == ControlState::Open,
                        opens,
                        "{known:?} {kind} {result}"
                    );
                    assert!(answer.reason.ends_with('.'), "{answer:?}");
                }
            }
        }
    }

    #[test]
    fn the_platform_decides_about_whom_it_knows() {
        let allowed = decision(true, ReasonCode::InSchedule);
        let denied = decision(false, ReasonCode::OutsideSchedule);
        for result in RecordResult::ALL {
            let answer = decide(&allowed, RecordType::Staff, *result, true);
            let opens = *result != RecordResult::Failed;
            assert_eq!(answer.state == ControlState::Open, opens, "{result}");
            let answer = decide(&denied, RecordType::Staff, *result, true);
            assert_eq!(answer.state, ControlState::Close, "{result}");
        }
        let answer = decide(&denied, RecordType::Staff, RecordResult::Passed, true);
        assert_eq!(
            (answer.says, answer.reason.as_str()),
            ("不在通行时间内", "Because.")
        );
        for kind in [RecordType::Blocklist, RecordType::Stranger] {
            let answer = decide(&allowed, kind, RecordResult::Passed, true);
            assert_eq!(answer.state, ControlState::Close, "{kind}");
        }
    }

    #[test]
    fn a_record_from_the_backlog_opens_nothing() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        assert!(is_live(now - TimeDelta::seconds(15), now));
        assert!(!is_live(now - TimeDelta::seconds(16), now));
        let known = decision(true, ReasonCode::Always);
        let answer = decide(&known, RecordType::Staff, RecordResult::Passed, false);
        assert_eq!(answer.state, ControlState::Close);
    }
}
