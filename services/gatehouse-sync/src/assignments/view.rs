//! A person on a terminal as the API shows it, with the reason why it is not there yet. Pure.

use super::store::Row;
use chrono::{DateTime, Utc};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DeviceId, PersonId, vocabulary};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

vocabulary! {
    /// How a person on a terminal stands.
    pub(crate) enum AssignmentState: "assignment state" {
        /// Not as it should be, and not sent yet.
        Pending = "pending",
        /// Sent, or about to be; no answer yet.
        Sending = "sending",
        /// The terminal confirmed what it should hold.
        Applied = "applied",
        /// Should no longer be there; not confirmed.
        Removing = "removing",
        /// Refused for a reason that trying again does not mend.
        Failed = "failed",
    }
}

fn state_schema() -> RefOr<Schema> {
    let words: Vec<&str> = AssignmentState::ALL.iter().map(|w| w.as_str()).collect();
    RefOr::T(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .into(),
    )
}

/// Why a terminal does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AssignmentErrorView {
    /// The terminal's own code (document 004, section 3), for example `302`, or one of ours, for
    /// example `no_photo`, `no_answer`, `photo_unavailable`.
    #[schema(example = "302")]
    code: String,
    /// What it means, and what to do.
    message: String,
}

/// A person on a terminal: what it should hold, and what it proved to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AssignmentView {
    /// The device.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// The person. Null for somebody whom the terminal holds and the platform does not know.
    #[schema(value_type = Option<String>, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: Option<PersonId>,
    /// The number by which the terminal knows the person.
    #[schema(example = "20001")]
    number: String,
    /// `pending`: not as it should be, not sent yet. `sending`: sent, no answer yet. `applied`: the
    /// terminal confirmed what it should hold. `removing`: should no longer be there, not confirmed.
    /// `failed`: refused for a reason that trying again does not mend.
    #[schema(schema_with = state_schema)]
    state: String,
    /// Whether the terminal should hold the person at all.
    desired: bool,
    /// Why it is not as it should be yet, in words. Null where it is.
    #[schema(
        example = "The terminal is offline since 2026-11-25 07:12 UTC; it is told when it is back."
    )]
    reason: Option<String>,
    /// What went wrong last, where something did.
    error: Option<AssignmentErrorView>,
    /// When the terminal last confirmed what it was told.
    applied_at: Option<DateTime<Utc>>,
    /// When a read-back last found it in order.
    proved_at: Option<DateTime<Utc>>,
    /// When what it should hold last changed.
    changed_at: DateTime<Utc>,
    /// Attempts that came to nothing since.
    attempts: i32,
    /// When it is tried next, where that waits for a time.
    next_try_at: Option<DateTime<Utc>>,
    /// When it was last handed over to be sent.
    offered_at: Option<DateTime<Utc>>,
    /// What the terminal cannot be told: it takes at most five periods a day, and is told the five
    /// longest. Null where it is told everything.
    note: Option<String>,
}

const TRUNCATED: &str = "The schedules have more than five periods on a day; the terminal takes five and was told the longest, so it admits less than is allowed.";

impl AssignmentView {
    /// From a row.
    pub(super) fn new(row: Row, now: DateTime<Utc>) -> Self {
        let reason = reason(&row, now);
        let Row {
            device_id,
            person_id,
            number,
            state,
            desired,
            error_code,
            error_message,
            applied_at,
            proved_at,
            changed_at,
            attempts,
            due_at,
            offered,
            sent_at,
            truncated,
            protocol: _,
            connected_at: _,
            disconnected_at: _,
        } = row;
        Self {
            device_id: DeviceId::from_uuid(device_id),
            person_id: person_id.map(PersonId::from_uuid),
            number,
            state,
            desired,
            reason,
            error: error_code.map(|code| AssignmentErrorView {
                code,
                message: error_message.unwrap_or_default(),
            }),
            applied_at,
            proved_at,
            changed_at,
            attempts,
            next_try_at: due_at.filter(|at| !offered && *at > now),
            offered_at: sent_at,
            note: truncated.then(|| TRUNCATED.to_owned()),
        }
    }
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Why a row is not as it should be.
fn reason(row: &Row, now: DateTime<Utc>) -> Option<String> {
    let is_push = row.protocol == DeviceProtocol::HttpPush.as_str();
    match row.state.as_str() {
        "applied" => return None,
        "failed" => {
            return Some(
                "It waits for a change of the person or the photo, or for a retry by hand."
                    .to_owned(),
            );
        }
        _ => {}
    }
    if !is_push {
        match (row.connected_at, row.disconnected_at) {
            (None, _) => {
                return Some("The terminal was never online; it is told when it comes.".to_owned());
            }
            (Some(_), Some(since)) => {
                return Some(format!(
                    "The terminal is offline since {}; it is told when it is back.",
                    minute(since)
                ));
            }
            (Some(_), None) => {}
        }
    }
    if row.offered {
        return Some(if is_push {
            "The device fetches it by itself; it has not confirmed yet.".to_owned()
        } else {
            "It is on its way; the terminal has not answered yet.".to_owned()
        });
    }
    Some(match row.due_at.filter(|at| *at > now) {
        Some(next) if row.attempts == 1 => format!("Tried once, next at {}.", minute(next)),
        Some(next) => format!("Tried {} times, next at {}.", row.attempts, minute(next)),
        None => "It waits its turn.".to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn row() -> Row {
        Row {
            device_id: Uuid::nil(),
            person_id: None,
            number: "7".to_owned(),
            state: "pending".to_owned(),
            desired: true,
            error_code: None,
            error_message: None,
            applied_at: None,
            proved_at: None,
            changed_at: at("2026-11-25T07:00:00Z"),
            attempts: 0,
            due_at: Some(at("2026-11-25T07:00:00Z")),
            offered: false,
            sent_at: None,
            truncated: false,
            protocol: "terminal_ws".to_owned(),
            connected_at: Some(at("2026-11-25T06:00:00Z")),
            disconnected_at: None,
        }
    }

    fn told(change: impl FnOnce(&mut Row)) -> Option<String> {
        let mut row = row();
        change(&mut row);
        reason(&row, at("2026-11-25T08:00:00Z"))
    }

    #[test]
    fn why_it_is_not_there_yet_is_told_in_words() {
        assert_eq!(told(|_| {}).unwrap(), "It waits its turn.");
        assert_eq!(told(|row| row.state = "applied".to_owned()), None);
        assert_eq!(
            told(|row| row.disconnected_at = Some(at("2026-11-25T07:12:31Z"))).unwrap(),
            "The terminal is offline since 2026-11-25 07:12 UTC; it is told when it is back."
        );
        assert_eq!(
            told(|row| row.connected_at = None).unwrap(),
            "The terminal was never online; it is told when it comes."
        );
        assert_eq!(
            told(|row| {
                row.attempts = 3;
                row.due_at = Some(at("2026-11-25T08:10:00Z"));
            })
            .unwrap(),
            "Tried 3 times, next at 2026-11-25 08:10 UTC."
        );
        assert!(
            told(|row| row.offered = true)
                .unwrap()
                .contains("on its way")
        );
        let push = told(|row| {
            row.protocol = "http_push".to_owned();
            row.connected_at = None;
            row.offered = true;
        });
        assert!(push.unwrap().contains("fetches"));
    }

    #[test]
    fn the_next_try_is_told_only_where_it_waits_for_a_time() {
        let now = at("2026-11-25T08:00:00Z");
        assert_eq!(AssignmentView::new(row(), now).next_try_at, None);
        let later = Some(at("2026-11-25T08:10:00Z"));
        let waiting = Row {
            due_at: later,
            ..row()
        };
        assert_eq!(AssignmentView::new(waiting, now).next_try_at, later);
        let leased = Row {
            due_at: later,
            offered: true,
            ..row()
        };
        assert_eq!(AssignmentView::new(leased, now).next_try_at, None);
    }

    #[test]
    fn a_week_that_was_cut_is_noted() {
        let now = at("2026-11-25T08:00:00Z");
        assert_eq!(AssignmentView::new(row(), now).note, None);
        let cut = Row {
            truncated: true,
            ..row()
        };
        assert!(AssignmentView::new(cut, now).note.is_some());
    }
}
