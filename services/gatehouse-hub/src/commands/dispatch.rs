//! What a session asks for when it has room for a command, and what it tells while the command is
//! under way. How a command ends is told to [`super::finish`].

use crate::commands::request::{CommandRequest, StoredFault};
use crate::commands::store::{self, Ending};
use crate::commands::words::{self, Reason};
use crate::commands::{finish, person};
use crate::firmware;
use crate::hub::Hub;
use gatehouse_domain::words::UnknownWord;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::DbError;
use gatehouse_platform::tenant::TenantScope;
use gatehouse_proto_terminal::StoredPerson;
use gatehouse_proto_terminal::session::{Progress, Request};
use gatehouse_schema::entities::hub::commands;
use serde_json::{Value, json};

/// A command for the terminal, already noted as sent.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// The command; its UUID is the session's ticket.
    pub(crate) command_id: CommandId,
    /// What to ask.
    pub(crate) request: Request,
}

/// Why a stored command cannot be sent.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error(transparent)]
    Stored(#[from] StoredFault),
    #[error(transparent)]
    Word(#[from] UnknownWord),
    #[error("The firmware file was deleted in the meantime.")]
    FirmwareGone,
    #[error("The command names neither a firmware file nor a URL with size and type.")]
    FirmwareUnnamed,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Takes the most urgent command that waits for a device, of those up to an urgency. That it is sent is visible at once and
/// durable a moment later: a crash in between takes it back, and its end is stored all the same.
///
/// # Errors
/// The database's; then nothing was taken, or what was taken is ended by the reconciler.
pub(crate) async fn next(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    session: i64,
    up_to: i16,
) -> Result<Option<Dispatch>, DbError> {
    loop {
        let tx = hub.kit.db.system().await?;
        let claimed = store::claim(&tx, scope.tenant(), device, session, up_to).await?;
        let Some(row) = claimed else { return Ok(None) };
        tx.commit_soon().await?;
        let command_id = CommandId::from_uuid(row.id);
        match sendable(hub, scope, row).await {
            Ok(request) => {
                return Ok(Some(Dispatch {
                    command_id,
                    request,
                }));
            }
            Err(Unsendable::Db(error)) if error.is_transient() => {
                give_back(hub, scope, command_id, session).await?;
                return Err(error);
            }
            Err(fault) => {
                tracing::warn!(command = %command_id, %device, %fault, "a stored command cannot be sent");
                finish::end(hub, scope, command_id, &unsendable(&fault)).await?;
            }
        }
    }
}

fn unsendable(fault: &Unsendable) -> Ending {
    let detail = match fault {
        Unsendable::FirmwareGone | Unsendable::FirmwareUnnamed => fault.to_string(),
        Unsendable::Stored(_) | Unsendable::Word(_) | Unsendable::Db(_) => {
            Reason::Unsendable.sentence().to_owned()
        }
    };
    finish::failed_with(Reason::Unsendable.as_str(), detail)
}

async fn sendable(
    hub: &Hub,
    scope: &TenantScope,
    row: commands::Model,
) -> Result<Request, Unsendable> {
    let request =
        CommandRequest::from_stored(row.r#type.parse()?, row.parameters, &hub.kit.secrets)?;
    Ok(match request {
        CommandRequest::OpenDoor { message } => Request::OpenDoor { message },
        CommandRequest::Reboot => Request::Reboot,
        CommandRequest::CapturePhoto { kind } => Request::CapturePhoto { kind },
        CommandRequest::GetParameters => Request::GetParameters,
        CommandRequest::SetParameters { parameters, .. } => Request::SetParameters {
            changes: parameters
                .into_iter()
                .map(|(name, value)| (name, value.0))
                .collect(),
        },
        CommandRequest::UpgradeFirmware {
            firmware_id: Some(id),
            ..
        } => {
            let file = firmware::source(hub, scope, id)
                .await?
                .ok_or(Unsendable::FirmwareGone)?;
            Request::UpgradeFirmware {
                update_type: file.update_type,
                url: file.url,
                length: file.length,
            }
        }
        CommandRequest::UpgradeFirmware {
            firmware_id: None,
            url,
            size,
            update_type,
        } => {
            let (Some(url), Some(length), Some(update_type)) = (url, size, update_type) else {
                return Err(Unsendable::FirmwareUnnamed);
            };
            Request::UpgradeFirmware {
                update_type,
                url,
                length,
            }
        }
        CommandRequest::ClearRecords => Request::ClearRecords,
        CommandRequest::CountPersons => Request::CountPersons,
        CommandRequest::ListPersons => Request::ListPersons,
        CommandRequest::ReadPerson { index } => Request::ReadPerson { index },
    })
}

/// The session took a command and could not send it after all: it waits again.
///
/// # Errors
/// The database's.
pub(crate) async fn give_back(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    session: i64,
) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    store::give_back(&tx, scope.tenant(), command_id, session).await?;
    tx.commit_soon().await
}

/// A command moves.
///
/// # Errors
/// The database's; nothing is lost but a step on the way.
pub(crate) async fn progressed(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    progress: Progress,
) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    store::heard(&tx, scope.tenant(), command_id, told(&progress)).await?;
    tx.commit_soon().await
}

fn told(progress: &Progress) -> Value {
    json!({
        "code": progress.code.as_str(),
        "detail": words::of_terminal(&progress.code, &progress.message),
        "percent": progress.percent,
    })
}

/// A terminal told one of the persons it holds. Their pictures are left out: a terminal holds tens
/// of thousands; `read_person` brings those of one.
///
/// # Errors
/// The database's; the person is missing from the list then.
pub(crate) async fn person_listed(
    hub: &Hub,
    scope: &TenantScope,
    command_id: CommandId,
    person: Box<StoredPerson>,
) -> Result<(), DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    store::keep_person(&tx, command_id, person.index, person::to_json(&person)).await?;
    tx.commit().await
}

/// A session is over: what it sent and nobody answered may or may not have been done.
///
/// # Errors
/// The database's; the reconciler ends the commands later.
pub(crate) async fn session_ended(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    session: i64,
) -> Result<(), DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let unanswered = store::sent_by(&tx, device, session).await?;
    drop(tx);
    for command_id in unanswered {
        finish::end(
            hub,
            scope,
            command_id,
            &finish::without_answer(Reason::ConnectionLost),
        )
        .await?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_domain::command::CommandState;
    use gatehouse_proto_terminal::ErrorCode;

    #[test]
    fn progress_is_told_in_words() {
        let told = told(&Progress {
            code: ErrorCode::Downloading,
            message: "下载中 35%".into(),
            percent: Some(35),
        });
        assert_eq!(told["code"], "500");
        assert_eq!(told["percent"], 35);
        assert_eq!(
            told["detail"],
            "The terminal is downloading the firmware. The terminal says: \"下载中 35%\"."
        );
    }

    #[test]
    fn an_unsendable_command_says_what_is_missing() {
        let ending = unsendable(&Unsendable::FirmwareGone);
        assert_eq!(ending.state, CommandState::Failed);
        assert_eq!(
            ending.error,
            Some((
                "unsendable".to_owned(),
                "The firmware file was deleted in the meantime.".to_owned()
            ))
        );
    }
}
