//! Whether the door opens, where the platform decides (document 004, 2.3.1, `controlState`). Pure.
//!
//! Deliberately absent: persons and their authorities; with them, what the terminal recognised is
//! checked against what the platform knows.

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_domain::device::DoorDecision;
use gatehouse_domain::record::{RecordResult, RecordType};
use gatehouse_proto_terminal::ControlState;

/// Nobody stands at the door any more when a record is this old.
const LIVE_WITHIN: TimeDelta = TimeDelta::seconds(15);

/// What happens at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoorAnswer {
    /// Open, close, or left to the terminal.
    pub(crate) state: ControlState,
    /// What the terminal says aloud.
    pub(crate) says: &'static str,
}

impl DoorAnswer {
    /// The word in the record's row.
    pub(crate) const fn as_str(self) -> &'static str {
        match self.state {
            ControlState::Open => "open",
            ControlState::Close => "close",
            ControlState::Unstated => "left_to_terminal",
        }
    }
}

/// Decides.
pub(crate) fn decide(
    decision: DoorDecision,
    record_type: RecordType,
    result: RecordResult,
    passed_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
) -> DoorAnswer {
    let close = |says| DoorAnswer {
        state: ControlState::Close,
        says,
    };
    if decision == DoorDecision::Terminal {
        return DoorAnswer {
            state: ControlState::Unstated,
            says: "",
        };
    }
    if received_at.signed_duration_since(passed_at) > LIVE_WITHIN {
        return close("");
    }
    match (result, record_type) {
        (RecordResult::Passed, RecordType::Staff | RecordType::Visitor) => DoorAnswer {
            state: ControlState::Open,
            says: "请通行",
        },
        (RecordResult::Passed, RecordType::Blocklist | RecordType::Stranger)
        | (RecordResult::Failed, _) => close("禁止通行"),
        (RecordResult::OutsideSchedule, _) => close("不在通行时间内"),
        (RecordResult::Expired, _) => close("不在有效期内"),
        (RecordResult::Unauthorized, _) => close("未授权"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn asked(
        decision: DoorDecision,
        kind: RecordType,
        result: RecordResult,
        age_s: i64,
    ) -> ControlState {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        decide(decision, kind, result, now - TimeDelta::seconds(age_s), now).state
    }

    #[test]
    fn only_known_people_who_passed_open_the_door() {
        for kind in RecordType::ALL {
            for result in RecordResult::ALL {
                let opens = *result == RecordResult::Passed
                    && matches!(kind, RecordType::Staff | RecordType::Visitor);
                let expected = if opens {
                    ControlState::Open
                } else {
                    ControlState::Close
                };
                assert_eq!(
                    asked(DoorDecision::Cloud, *kind, *result, 1),
                    expected,
                    "{kind} {result}"
                );
            }
        }
    }

    #[test]
    fn a_record_from_the_backlog_opens_nothing() {
        let state = asked(
            DoorDecision::Cloud,
            RecordType::Staff,
            RecordResult::Passed,
            16,
        );
        assert_eq!(state, ControlState::Close);
    }

    #[test]
    fn a_terminal_that_decides_itself_is_told_nothing() {
        let state = asked(
            DoorDecision::Terminal,
            RecordType::Staff,
            RecordResult::Passed,
            1,
        );
        assert_eq!(state, ControlState::Unstated);
    }
}
