//! The one place where a command ends: what the terminal proved becomes its state, its result and
//! an event, in one transaction; then everybody who waits is told.

use crate::commands::person;
use crate::commands::store::{self, Ending};
use crate::commands::view::unknown_word;
use crate::commands::words::{self, Reason};
use crate::hub::Hub;
use crate::parameters::{at_rest, shadow};
use bytes::Bytes;
use gatehouse_contracts::{CommandFinished, Wake};
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::{DbError, HUB};
use gatehouse_platform::outbox;
use gatehouse_platform::tenant::TenantScope;
use gatehouse_proto_terminal::session::Outcome;
use gatehouse_proto_terminal::{AnswerBody, PhotoField, PictureKind, StoredPerson};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the end of a command is worth trying to store while the database is away; after that
/// the reconciler ends it without its result.
const STORE_WITHIN: Duration = Duration::from_secs(60);
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// A session says how a command ended.
///
/// # Errors
/// The database's, after it was away for a minute or where it refuses.
pub(crate) async fn finished(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    command_id: CommandId,
    outcome: Outcome,
) -> Result<(), DbError> {
    // 1. What the outcome means. Pictures go to the object store, before anything says they are there.
    let ending = meaning(hub, scope, command_id, outcome).await?;
    // 2. State, result and event, together. Somebody else may have ended it before; then this is late
    //    and changes nothing.
    let ended = store_end(hub, scope, command_id, &ending).await?;
    // 3. Parameters that are desired and were not part of this change come next.
    if ended == Some(CommandType::SetParameters) {
        shadow::converge(hub, scope, device).await?;
    }
    Ok(())
}

async fn store_end(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    ending: &Ending,
) -> Result<Option<CommandType>, DbError> {
    let give_up_at = tokio::time::Instant::now() + STORE_WITHIN;
    loop {
        match end(hub, scope, command_id, ending).await {
            Err(error) if error.is_transient() && tokio::time::Instant::now() < give_up_at => {
                tracing::warn!(command = %command_id, %error, "the end of a command could not be stored yet");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            result => return result,
        }
    }
}

/// Ends a command, if it has not ended: state, result and event in one transaction, then tells
/// everybody who waits. Gives the type of what was ended.
///
/// # Errors
/// The database's.
pub(crate) async fn end(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    ending: &Ending,
) -> Result<Option<CommandType>, DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let Some(row) = store::end(&tx, command_id, ending).await? else {
        return Ok(None);
    };
    let command_type: CommandType = row.r#type.parse().map_err(|e| unknown_word(&e))?;
    let event = CommandFinished {
        command_id,
        device_id: DeviceId::from_uuid(row.device_id),
        command_type,
        state: ending.state,
    };
    outbox::publish(&tx, HUB, event).await?;
    tx.commit().await?;
    hub.waiters.ended_as(&row);
    hub.kit.bus.wake(Wake::CommandFinished { command_id });
    metrics::counter!("gatehouse_commands_finished_total", "type" => command_type.as_str(), "state" => ending.state.as_str())
        .increment(1);
    Ok(Some(command_type))
}

const fn succeeded(result: Option<Value>) -> Ending {
    Ending {
        state: CommandState::Succeeded,
        error: None,
        result,
        photo_key: None,
    }
}

pub(crate) fn failed_with(code: &str, detail: String) -> Ending {
    Ending {
        state: CommandState::Failed,
        error: Some((code.to_owned(), detail)),
        result: None,
        photo_key: None,
    }
}

fn failed(reason: Reason) -> Ending {
    failed_with(reason.as_str(), reason.sentence().to_owned())
}

/// Sent, and nobody knows whether it was done.
pub(crate) fn without_answer(reason: Reason) -> Ending {
    Ending {
        state: CommandState::TimedOut,
        ..failed(reason)
    }
}

async fn meaning(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    outcome: Outcome,
) -> Result<Ending, DbError> {
    Ok(match outcome {
        Outcome::Succeeded(AnswerBody::None) => succeeded(None),
        Outcome::Succeeded(AnswerBody::PersonCount(count)) => {
            succeeded(Some(json!({ "count": count })))
        }
        Outcome::Succeeded(AnswerBody::Parameters(parameters)) => {
            let values = at_rest::seal(&hub.kit.secrets, parameters.as_map())?;
            succeeded(Some(json!({ "parameters": values })))
        }
        Outcome::Succeeded(AnswerBody::Person(person)) => {
            let person = keep_person(hub, scope, command_id, &person).await;
            succeeded(Some(json!({ "person": person })))
        }
        Outcome::Succeeded(AnswerBody::Photo(Some(photo))) => {
            match keep_picture(hub, &key(scope, command_id, ""), &photo).await {
                Ok(key) => Ending {
                    photo_key: Some(key),
                    ..succeeded(None)
                },
                Err(reason) => failed(reason),
            }
        }
        Outcome::Succeeded(AnswerBody::Photo(None)) => failed(Reason::NoPicture),
        Outcome::Failed { code, message } => {
            failed_with(code.as_str(), words::of_terminal(&code, &message))
        }
        Outcome::Unproven { differing } => unproven(differing),
        Outcome::TimedOut => without_answer(Reason::NoAnswer),
        Outcome::Lost => without_answer(Reason::ConnectionLost),
        Outcome::Cancelled => failed(Reason::Cancelled),
    })
}

/// Which parameters differ from what was asked; secrets masked.
fn unproven(differing: BTreeMap<String, (Option<String>, Option<String>)>) -> Ending {
    let names: Vec<&str> = differing.keys().map(String::as_str).collect();
    let detail = format!(
        "{} Differing: {}.",
        Reason::Unproven.sentence(),
        names.join(", ")
    );
    let shown = |name: &str, value: Option<String>| value.map(|value| at_rest::shown(name, value));
    let told: BTreeMap<String, Value> = differing
        .into_iter()
        .map(|(name, (asked, reported))| {
            let pair = json!({ "asked": shown(&name, asked), "reported": shown(&name, reported) });
            (name, pair)
        })
        .collect();
    Ending {
        result: Some(json!({ "differing": told })),
        ..failed_with(Reason::Unproven.as_str(), detail)
    }
}

/// A person, with those of its pictures that could be kept.
async fn keep_person(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    person: &StoredPerson,
) -> Value {
    let mut told = person::to_json(person);
    for (slot, picture) in person::pictures(person) {
        match keep_picture(hub, &key(scope, command_id, &format!("-{slot}")), picture).await {
            Ok(key) => person::note_picture(&mut told, slot, &key),
            Err(reason) => {
                tracing::warn!(command = %command_id, slot, %reason, "a person's picture was not kept")
            }
        }
    }
    told
}

fn key(scope: &TenantScope, command_id: CommandId, suffix: &str) -> String {
    let (tenant, command) = (scope.tenant().uuid(), command_id.uuid());
    format!(
        "{}/commands/{}{suffix}.jpg",
        tenant.as_simple(),
        command.as_simple()
    )
}

async fn keep_picture(hub: &Hub, key: &str, picture: &PhotoField) -> Result<String, Reason> {
    let bytes = picture.decode().map_err(|_| Reason::PictureUnreadable)?;
    let kind = PictureKind::of(&bytes).ok_or(Reason::PictureUnreadable)?;
    // The object store's own client repeats what passes by itself.
    let stored = hub
        .kit
        .objects
        .put(key, kind.media_type(), Bytes::from(bytes))
        .await;
    stored.map_err(|error| {
        tracing::warn!(key, %error, "a picture could not be kept");
        Reason::PictureNotKept
    })?;
    Ok(key.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_says_where_it_differs_and_no_secrets() {
        let differing = [
            (
                "voiceVolume".to_owned(),
                (Some("3".to_owned()), Some("5".to_owned())),
            ),
            ("devicePassword".to_owned(), (Some("a".to_owned()), None)),
        ];
        let ending = unproven(differing.into());
        assert_eq!(ending.state, CommandState::Failed);
        let (code, detail) = ending.error.unwrap();
        assert_eq!(code, "unproven");
        assert!(
            detail.ends_with("Differing: devicePassword, voiceVolume."),
            "{detail}"
        );
        let result = ending.result.unwrap();
        assert_eq!(
            result["differing"]["voiceVolume"],
            json!({ "asked": "3", "reported": "5" })
        );
        assert_eq!(
            result["differing"]["devicePassword"],
            json!({ "asked": "••••", "reported": null })
        );
    }

    #[test]
    fn without_an_answer_nobody_claims_to_know() {
        let ending = without_answer(Reason::ConnectionLost);
        assert_eq!(ending.state, CommandState::TimedOut);
        assert!(
            ending
                .error
                .unwrap()
                .1
                .contains("may or may not have done it")
        );
    }
}
