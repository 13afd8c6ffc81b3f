//! What a terminal holds of a person, as sync wrote it down, in words. Deliberately absent: the list
//! of it, and how it comes about (gatehouse-sync).

use crate::devices::Standing;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use gatehouse_domain::DeviceId;
use gatehouse_domain::access::Facts;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

/// A row of `sync.assignments`.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    state: String,
    admittance: String,
    holds: bool,
    may_hold: bool,
    due_at: Option<DateTime<Utc>>,
    applied_at: Option<DateTime<Utc>>,
    error_code: Option<String>,
    error_message: Option<String>,
    truncated: bool,
}

pub(super) async fn read(
    tx: &TenantTx,
    device: DeviceId,
    number: i64,
) -> Result<Option<Row>, DbError> {
    let statement = sql(
        "select a.state, a.admittance, a.applied is not null as holds, a.maybe_held as may_hold, a.due_at, a.applied_at,
                a.error_code, a.error_message, a.admittance = 'scheduled' and coalesce(w.truncated, false) as truncated
           from sync.assignments a
           left join sync.weeks w on w.tenant_id = a.tenant_id and w.id = a.week_id
          where a.tenant_id = $1 and a.device_id = $2 and a.number = $3",
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            number.to_string().into(),
        ],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Why a terminal does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct HeldError {
    #[schema(example = "no_photo")]
    code: String,
    message: String,
}

/// What the terminal knows of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Held {
    /// `pending`, `sending`, `applied`, `removing` or `failed`; null: it should know nothing of the
    /// person, or it is not planned yet.
    #[schema(example = "applied")]
    state: Option<String>,
    /// Whether it confirmed what it should know by now.
    is_current: bool,
    /// Whether it confirmed the person at all, be it in an earlier state.
    holds_person: bool,
    /// What it is told: `scheduled`, `always` or `never`.
    #[schema(example = "scheduled")]
    admittance: Option<String>,
    applied_at: Option<DateTime<Utc>>,
    error: Option<HeldError>,
    /// Whether it has a live session.
    online: bool,
    /// All of it in words.
    #[schema(
        example = "the terminal does not know the person yet: it is offline since 2026-11-24 06:00"
    )]
    sentence: String,
}

/// Says it in words.
pub(super) fn told(row: Option<Row>, facts: &Facts, standing: &Standing, zone: Tz) -> Held {
    let sentence = match &row {
        Some(row) => in_words(row, standing, zone),
        None if is_expected(facts) => {
            "the terminal does not know the person yet: the change is being planned".to_owned()
        }
        None => "the terminal is told nothing of the person".to_owned(),
    };
    let online = standing.online;
    let Some(row) = row else {
        return Held {
            state: None,
            is_current: !is_expected(facts),
            holds_person: false,
            admittance: None,
            applied_at: None,
            error: None,
            online,
            sentence,
        };
    };
    Held {
        is_current: row.state == "applied",
        state: Some(row.state),
        holds_person: row.holds,
        admittance: Some(row.admittance),
        applied_at: row.applied_at,
        error: row.error_code.map(|code| HeldError {
            code,
            message: row.error_message.unwrap_or_default(),
        }),
        online,
        sentence,
    }
}

/// Whether an authority reaches the person there, so that the terminal should know them.
fn is_expected(facts: &Facts) -> bool {
    let ended = facts.person.valid_to.is_some_and(|to| to <= Utc::now());
    !facts.permits.is_empty() && !facts.person.disabled && !ended
}

fn in_words(row: &Row, standing: &Standing, zone: Tz) -> String {
    let clock = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let message = row.error_message.as_deref().unwrap_or("it gave no reason");
    let message = message.trim_end_matches('.');
    let mut sentence = match row.state.as_str() {
        "applied" => match row.applied_at {
            Some(at) => format!("the terminal knows it: it confirmed at {}", clock(at)),
            None => "the terminal knows it".to_owned(),
        },
        "sending" => "the terminal is being told, and has not answered yet".to_owned(),
        "failed" if row.holds => {
            format!(
                "the terminal knows the person in an earlier state, and does not take the change: {message}"
            )
        }
        "failed" => format!("the terminal does not know the person: {message}"),
        "removing" => {
            let holds = if row.holds {
                "still knows"
            } else if row.may_hold {
                "may still know"
            } else {
                "is to forget"
            };
            format!(
                "the terminal {holds} the person, and is to forget them: {}",
                why(row, standing, clock)
            )
        }
        _ if row.holds => {
            format!(
                "the terminal knows the person in an earlier state: {}",
                why(row, standing, clock)
            )
        }
        _ => format!(
            "the terminal does not know the person yet: {}",
            why(row, standing, clock)
        ),
    };
    if row.truncated {
        sentence.push_str("; of days with more than five periods it is told the five longest");
    }
    sentence
}

/// Why it was not told yet.
fn why(row: &Row, standing: &Standing, clock: impl Fn(DateTime<Utc>) -> String) -> String {
    if !standing.online {
        return standing.disconnected_at.map_or_else(
            || "it is offline".to_owned(),
            |since| format!("it is offline since {}", clock(since)),
        );
    }
    match (&row.error_message, row.due_at) {
        (Some(message), Some(due)) => format!(
            "the last attempt failed ({}), the next is at {}",
            message.trim_end_matches('.'),
            clock(due)
        ),
        (Some(_) | None, _) => "it waits for its turn".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn facts(reached: bool) -> Facts {
        let permit = json!({"authority_id": Uuid::nil(), "group_id": Uuid::nil(), "group_name": "G", "group_type": "staff",
            "schedule_id": null, "schedule_name": null, "schedule": null});
        let permits = if reached { json!([permit]) } else { json!([]) };
        serde_json::from_value(json!({"zone": "Asia/Shanghai", "deny_above_celsius": null, "deny_without_mask": false,
            "person": {"type": "staff", "disabled": false, "priority": "normal", "valid_from": null, "valid_to": null},
            "permits": permits}))
        .unwrap()
    }

    fn row(state: &str) -> Row {
        Row {
            state: state.into(),
            admittance: "scheduled".into(),
            holds: false,
            may_hold: false,
            due_at: Some(DateTime::UNIX_EPOCH),
            applied_at: None,
            error_code: None,
            error_message: None,
            truncated: false,
        }
    }

    fn said(row: Option<Row>, reached: bool, online: bool) -> String {
        let standing = Standing {
            id: DeviceId::from_uuid(Uuid::nil()),
            timezone: "Asia/Shanghai".into(),
            door_decision: "terminal".into(),
            online,
            disconnected_at: Some(DateTime::UNIX_EPOCH),
        };
        told(row, &facts(reached), &standing, Tz::Asia__Shanghai).sentence
    }

    #[test]
    fn each_state_has_its_words() {
        let applied = Row {
            holds: true,
            applied_at: Some(DateTime::UNIX_EPOCH),
            ..row("applied")
        };
        let retried = Row {
            error_message: Some("The terminal did not answer.".into()),
            ..row("pending")
        };
        let refused = Row {
            error_code: Some("no_photo".into()),
            error_message: Some("The person has no photo.".into()),
            ..row("failed")
        };
        let held = Row {
            holds: true,
            truncated: true,
            ..row("pending")
        };
        for (row, reached, online, sentence) in [
            (
                None,
                false,
                true,
                "the terminal is told nothing of the person",
            ),
            (
                None,
                true,
                true,
                "the terminal does not know the person yet: the change is being planned",
            ),
            (
                Some(applied),
                true,
                true,
                "the terminal knows it: it confirmed at 1970-01-01 08:00",
            ),
            (
                Some(row("pending")),
                true,
                true,
                "the terminal does not know the person yet: it waits for its turn",
            ),
            (
                Some(row("pending")),
                true,
                false,
                "the terminal does not know the person yet: it is offline since 1970-01-01 08:00",
            ),
            (
                Some(retried),
                true,
                true,
                "the terminal does not know the person yet: the last attempt failed (The terminal did not answer), \
                 the next is at 1970-01-01 08:00",
            ),
            (
                Some(refused),
                true,
                true,
                "the terminal does not know the person: The person has no photo",
            ),
            (
                Some(held),
                true,
                true,
                "the terminal knows the person in an earlier state: it waits for its turn; of days with more than \
                 five periods it is told the five longest",
            ),
        ] {
            assert_eq!(said(row.clone(), reached, online), sentence, "{row:?}");
        }
    }
}
