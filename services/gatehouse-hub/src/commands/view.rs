//! A command as the API shows it: secrets masked, pictures as signed links.

use crate::commands::schemas;
use crate::commands::words::Reason;
use crate::hub::Hub;
use crate::parameters::at_rest;
use chrono::{DateTime, Utc};
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::words::UnknownWord;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::DbError;
use gatehouse_schema::entities::hub::commands;
use sea_orm::DbErr;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;

/// Something a terminal was asked to do, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CommandView {
    /// The command.
    #[schema(value_type = String, example = "cmd_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    pub(crate) id: CommandId,
    /// The terminal.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    pub(crate) device_id: DeviceId,
    /// What was asked.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::command_type)]
    pub(crate) kind: CommandType,
    /// What was said beside the type. Secret parameters are masked.
    #[schema(value_type = Object)]
    pub(crate) parameters: Value,
    /// Where it stands. `timed_out`: sent, and nobody knows whether it was done; `expired` and
    /// `undeliverable`: never sent.
    #[schema(schema_with = schemas::command_state)]
    pub(crate) state: CommandState,
    /// `api`: somebody asked; `shadow`: the platform, to bring desired parameters to the terminal.
    #[schema(example = "api")]
    pub(crate) origin: String,
    /// When it was asked.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was sent to the terminal.
    pub(crate) sent_at: Option<DateTime<Utc>>,
    /// When it reached its final state.
    pub(crate) finished_at: Option<DateTime<Utc>>,
    /// Where it is not sent by then, it never is.
    pub(crate) expires_at: DateTime<Utc>,
    /// How far it is: `{code, detail, percent}`, for firmware and lists.
    #[schema(value_type = Option<Object>)]
    pub(crate) progress: Option<Value>,
    /// What the terminal brought, by type: `{photo_url, photo_url_expires_at}`, `{parameters}`,
    /// `{count}`, `{count, persons}` (the first 200; the rest under `/persons`), `{person}`; where a
    /// change is not proven `{differing}`.
    #[schema(value_type = Option<Object>)]
    pub(crate) result: Option<Value>,
    /// Why it did not succeed.
    pub(crate) error: Option<CommandErrorView>,
}

/// Why a command did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CommandErrorView {
    /// The terminal's own code (document 004, section 3), for example `601`; or one of ours:
    /// `no_answer`, `connection_lost`, `not_online`, `not_taken`, `expired`, `unproven`,
    /// `unsendable`, `no_picture`, `picture_unreadable`, `picture_not_kept`, `cancelled`.
    #[schema(example = "not_online")]
    pub(crate) code: String,
    /// What it means.
    pub(crate) detail: String,
}

/// A word in a row is not of its vocabulary: a fault of ours.
pub(crate) fn unknown_word(error: &UnknownWord) -> DbError {
    DbError::Refused(DbErr::Custom(error.to_string()))
}

impl CommandView {
    /// From a row.
    ///
    /// # Errors
    /// Where the row holds words that this version does not know.
    pub(crate) fn new(hub: &Hub, row: commands::Model) -> Result<Self, DbError> {
        let id = CommandId::from_uuid(row.id);
        let kind: CommandType = row.r#type.parse().map_err(|e| unknown_word(&e))?;
        let state: CommandState = row.state.parse().map_err(|e| unknown_word(&e))?;
        let error = row.error_code.map(|code| CommandErrorView {
            detail: row.error_detail.unwrap_or_else(|| sentence_of(&code)),
            code,
        });
        let link = |key: &str| picture_link(hub, key);
        Ok(Self {
            id,
            device_id: DeviceId::from_uuid(row.device_id),
            kind,
            parameters: shown_parameters(kind, row.parameters),
            state,
            origin: row.origin,
            created_at: row.created_at,
            sent_at: row.sent_at,
            finished_at: row.finished_at,
            expires_at: row.expires_at,
            progress: row.progress,
            result: shown_result(row.result, row.photo_key.as_deref(), link),
            error,
        })
    }
}

fn sentence_of(code: &str) -> String {
    code.parse::<Reason>()
        .map(Reason::sentence)
        .unwrap_or_default()
        .to_owned()
}

fn picture_link(hub: &Hub, key: &str) -> (String, DateTime<Utc>) {
    let now = Utc::now();
    let valid_for = Duration::from_secs(hub.settings.media_link_valid_s.into());
    let url = hub
        .kit
        .secrets
        .media_url(&hub.kit.public_url, key, now, valid_for);
    (url, now + valid_for)
}

fn shown_parameters(kind: CommandType, stored: Value) -> Value {
    let mut shown = stored;
    if kind == CommandType::SetParameters
        && let Some(values) = shown.get_mut("parameters")
    {
        *values = json!(at_rest::masked(values));
    }
    shown
}

/// Masks parameters, and turns the keys of pictures into links.
fn shown_result(
    stored: Option<Value>,
    photo_key: Option<&str>,
    link: impl Fn(&str) -> (String, DateTime<Utc>),
) -> Option<Value> {
    let mut shown = stored;
    if let Some(values) = shown.as_mut().and_then(|r| r.get_mut("parameters")) {
        *values = json!(at_rest::masked(values));
    }
    if let Some(person) = shown.as_mut().and_then(|r| r.get_mut("person")) {
        link_pictures(person, &link);
    }
    if let Some(key) = photo_key {
        let (url, expires_at) = link(key);
        let result = shown.get_or_insert_with(|| json!({}));
        if let Some(result) = result.as_object_mut() {
            result.insert("photo_url".to_owned(), url.into());
            result.insert("photo_url_expires_at".to_owned(), json!(expires_at));
        }
    }
    shown
}

/// Each photo of a person: its `key` becomes `photo_url`.
fn link_pictures(person: &mut Value, link: &impl Fn(&str) -> (String, DateTime<Utc>)) {
    let photos = person.get_mut("photos").and_then(Value::as_array_mut);
    for photo in photos
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if let Some(key) = photo.remove("key") {
            let url = key.as_str().map(|key| link(key).0);
            photo.insert("photo_url".to_owned(), json!(url));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn link(key: &str) -> (String, DateTime<Utc>) {
        (
            format!("http://h/{key}"),
            DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        )
    }

    #[test]
    fn secrets_are_masked_in_what_was_asked_and_in_what_came() {
        let stored =
            json!({ "parameters": { "devicePassword": { "sealed": "AAAA" }, "voiceVolume": "3" } });
        let masked = json!({ "devicePassword": "••••", "voiceVolume": "3" });
        assert_eq!(
            shown_parameters(CommandType::SetParameters, stored.clone())["parameters"],
            masked
        );
        assert_eq!(
            shown_result(Some(stored), None, link).unwrap()["parameters"],
            masked
        );
    }

    #[test]
    fn pictures_are_links_and_their_keys_stay_inside() {
        let shown = shown_result(None, Some("t/commands/c.jpg"), link).unwrap();
        assert_eq!(shown["photo_url"], "http://h/t/commands/c.jpg");
        assert_eq!(shown["photo_url_expires_at"], "2027-01-15T08:00:00Z");
        let person = json!({ "person": { "photos": [{ "slot": 1, "key": "k" }, { "slot": 2 }] } });
        let shown = shown_result(Some(person), None, link).unwrap();
        assert_eq!(
            shown["person"]["photos"],
            json!([{ "slot": 1, "photo_url": "http://h/k" }, { "slot": 2 }])
        );
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(shown_result(None, None, link), None);
        assert_eq!(shown_parameters(CommandType::Reboot, json!({})), json!({}));
    }
}
