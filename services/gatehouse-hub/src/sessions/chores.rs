//! What a session has to tell and to ask about commands, and to ask about offers: one thing after another, in the order in
//! which it happened. The socket is read meanwhile; nobody waits for a chore but the next one.

use super::terminal::Terminal;
use crate::commands::dispatch::{self, Dispatch};
use crate::commands::finish;
use crate::deliveries::{self, offer::Offer};
use crate::hub::Hub;
use crate::parameters::shadow;
use gatehouse_domain::CommandId;
use gatehouse_platform::db::DbError;
use gatehouse_proto_terminal::session::{Outcome, Progress};
use gatehouse_proto_terminal::{Parameters, StoredPerson};
use std::time::Duration;
use uuid::Uuid;

/// Tries while the database is away. What waits longer is found out again otherwise.
const TRIES: u32 = 30;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// One thing to tell or to ask.
#[derive(Debug, Clone)]
pub(super) enum Chore {
    /// Is there a command, or are there offers? Offers are looked for where no command was found.
    Next {
        /// A command up to this urgency.
        command_up_to: Option<i16>,
        /// So many offers.
        offers: Option<usize>,
    },
    /// A command was taken and could not be sent.
    GiveBack(CommandId),
    /// A command moves.
    Progress(CommandId, Progress),
    /// A person of a list.
    Person(CommandId, Box<StoredPerson>),
    /// A command ended.
    Finished(CommandId, Box<Outcome>),
    /// What the terminal says its parameters are.
    Parameters(Box<Parameters>),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcomes {
    /// It is told.
    Told,
    /// What was asked for.
    Found {
        /// A command to send.
        command: Option<Box<Dispatch>>,
        /// What is offered, at most so many; none where it was not read.
        offers: Option<(Vec<Offer>, usize)>,
    },
    /// It could not be asked.
    Unasked,
}

/// A ticket of the session's machine is the command's UUID.
pub(super) fn command_of(ticket: u128) -> CommandId {
    CommandId::from_uuid(Uuid::from_u128(ticket))
}

/// The other way round.
pub(super) fn ticket_of(command: CommandId) -> u128 {
    command.uuid().as_u128()
}

/// Does one.
pub(super) async fn run(hub: &Hub, terminal: &Terminal, session: i64, chore: Chore) -> Outcomes {
    let asks = matches!(chore, Chore::Next { .. });
    let mut chore = chore;
    for _ in 0..TRIES {
        // What is asked again anyway, or keeps trying by itself, is done once.
        let again = match &chore {
            Chore::Next { .. } | Chore::Finished(..) => None,
            Chore::GiveBack(_) | Chore::Progress(..) | Chore::Person(..) | Chore::Parameters(_) => {
                Some(chore.clone())
            }
        };
        // Never closed; and without a turn the chore is merely less orderly.
        let turn = hub.gate.chores.acquire().await;
        let result = attempt(hub, terminal, session, chore).await;
        drop(turn);
        match (result, again) {
            (Ok(outcome), _) => return outcome,
            (Err(error), Some(again)) if error.is_transient() => {
                chore = again;
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            (Err(error), _) => {
                tracing::warn!(%error, device = %terminal.device, session, "a session could not tell or ask about a command");
                if asks {
                    return Outcomes::Unasked;
                }
                break;
            }
        }
    }
    Outcomes::Told
}

async fn attempt(
    hub: &Hub,
    terminal: &Terminal,
    session: i64,
    chore: Chore,
) -> Result<Outcomes, DbError> {
    let (scope, device) = (&terminal.scope, terminal.device);
    match chore {
        Chore::Next {
            command_up_to,
            offers,
        } => return find(hub, terminal, session, command_up_to, offers).await,
        Chore::GiveBack(command) => dispatch::give_back(hub, scope, command, session).await?,
        Chore::Progress(command, progress) => {
            dispatch::progressed(hub, scope, command, progress).await?
        }
        Chore::Person(command, person) => {
            dispatch::person_listed(hub, scope, command, person).await?
        }
        Chore::Finished(command, outcome) => {
            finish::finished(hub, scope, device, command, *outcome).await?
        }
        Chore::Parameters(parameters) => shadow::reported(hub, scope, device, *parameters).await?,
    }
    Ok(Outcomes::Told)
}

async fn find(
    hub: &Hub,
    terminal: &Terminal,
    session: i64,
    command_up_to: Option<i16>,
    offers: Option<usize>,
) -> Result<Outcomes, DbError> {
    let (scope, device) = (&terminal.scope, terminal.device);
    if let Some(up_to) = command_up_to
        && let Some(command) = dispatch::next(hub, scope, device, session, up_to).await?
    {
        return Ok(Outcomes::Found {
            command: Some(Box::new(command)),
            offers: None,
        });
    }
    let offers = match offers {
        Some(rows) => {
            let tx = hub.kit.db.tenant(scope).await?;
            Some((
                deliveries::store::offers(&tx, device, session, rows).await?,
                rows,
            ))
        }
        None => None,
    };
    Ok(Outcomes::Found {
        command: None,
        offers,
    })
}

/// A session that had sent commands is over.
pub(super) async fn session_ended(hub: &Hub, terminal: &Terminal, session: i64) {
    if let Err(error) =
        dispatch::session_ended(hub, &terminal.scope, terminal.device, session).await
    {
        tracing::warn!(%error, device = %terminal.device, session, "the commands of an ended session are left to the reconciler");
    }
}
