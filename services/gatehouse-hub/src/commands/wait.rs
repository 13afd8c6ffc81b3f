//! `?wait=10s`: a request that stays until its command has ended, or its patience has.
//!
//! All waiting requests of a process hang on one [`Waiters`]. Where the command ends in this
//! process they hear it at once, with its row as it was committed; where it ends in another, one
//! task hears the wake-ups for all of them, and looks into the database twice a second for those
//! that got lost. Who waits without a row reads it. Deliberately absent: whose command it is; that
//! is checked before somebody waits.

use crate::commands::store;
use crate::hub::Hub;
use gatehouse_contracts::Wake;
use gatehouse_domain::{CommandId, TenantId};
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_platform::service::Task;
use gatehouse_schema::entities::hub::commands;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Longest that a request may wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often the database is asked about commands that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Reads `10s`, `500ms` or plain seconds; at most a minute.
///
/// # Errors
/// A problem at `/wait`.
pub(crate) fn parse(text: &str) -> Answer<Duration> {
    let text = text.trim();
    let (digits, unit_ms) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    digits
        .trim_end()
        .parse::<u32>()
        .ok()
        .map(|count| Duration::from_millis(u64::from(count) * unit_ms))
        .filter(|wait| *wait <= MAX_WAIT)
        .ok_or_else(|| {
            Problem::invalid(
                "/wait",
                "must be a duration of at most 60s, for example 10s or 500ms",
            )
        })
}

/// Those who wait for one command.
#[derive(Debug)]
struct Waiting {
    /// Whose command, for the look into the database.
    tenant: TenantId,
    places: Vec<Arc<Place>>,
}

/// Where somebody waits.
#[derive(Debug, Default)]
struct Place {
    called: Notify,
    row: OnceLock<commands::Model>,
}

/// Everybody in this process who waits for a command.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    by_command: Mutex<HashMap<CommandId, Waiting>>,
}

/// A place among the waiters; it is given up when dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    waiters: Arc<Waiters>,
    command: CommandId,
    place: Arc<Place>,
}

impl Waiters {
    /// Takes a place. Take it before the command can end.
    pub(crate) fn join(self: &Arc<Self>, tenant: TenantId, command: CommandId) -> Waiter {
        let place = Arc::new(Place::default());
        self.lock()
            .entry(command)
            .or_insert_with(|| Waiting {
                tenant,
                places: Vec::new(),
            })
            .places
            .push(Arc::clone(&place));
        Waiter {
            waiters: Arc::clone(self),
            command,
            place,
        }
    }

    /// The command has ended here, as this row: whoever waits for it gets it.
    pub(crate) fn ended_as(&self, row: &commands::Model) {
        if let Some(waiting) = self.lock().get(&CommandId::from_uuid(row.id)) {
            for place in &waiting.places {
                // A command ends once; who has the row already needs no other.
                let _ = place.row.set(row.clone());
                place.called.notify_one();
            }
        }
    }

    /// The command has ended somewhere: whoever waits for it looks.
    fn ended(&self, command: CommandId) {
        if let Some(waiting) = self.lock().get(&command) {
            for place in &waiting.places {
                place.called.notify_one();
            }
        }
    }

    fn awaited(&self) -> Vec<(TenantId, CommandId)> {
        self.lock()
            .iter()
            .map(|(command, waiting)| (waiting.tenant, *command))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CommandId, Waiting>> {
        // A map of places is whole at every moment, also where a thread died holding it.
        self.by_command
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Waits until the command has ended, at most this long. Gives its row where it ended in this
    /// process; otherwise whether it ended is to be read.
    pub(crate) async fn wait(&self, at_most: Duration) -> Option<commands::Model> {
        // Either way the caller has the row or reads it.
        let _ = tokio::time::timeout(at_most, self.place.called.notified()).await;
        self.place.row.get().cloned()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut by_command = self.waiters.lock();
        if let Some(waiting) = by_command.get_mut(&self.command) {
            waiting
                .places
                .retain(|other| !Arc::ptr_eq(other, &self.place));
            if waiting.places.is_empty() {
                by_command.remove(&self.command);
            }
        }
    }
}

/// The task that hears for all waiters what ends in other processes.
pub(crate) fn task(hub: &Arc<Hub>) -> Task {
    let hub = Arc::clone(hub);
    Task::new("hub.commands.waiters", move |cancel| async move {
        hear(&hub, cancel).await
    })
}

async fn hear(hub: &Hub, cancel: CancellationToken) {
    let mut wakes = hub.kit.bus.wakes();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            wake = wakes.recv() => match wake {
                Ok(Wake::CommandFinished { command_id }) => hub.waiters.ended(command_id),
                Ok(
                    Wake::Commands { .. }
                    | Wake::Device { .. }
                    | Wake::TerminalToken { .. }
                    | Wake::SessionBegan { .. }
                    | Wake::Deliveries { .. }
                    | Wake::Access { .. }
                    | Wake::Assignments { .. }
                    | Wake::Job,
                ) => {}
                Err(RecvError::Lagged(_)) => look.reset_immediately(),
                Err(RecvError::Closed) => return,
            },
            _ = look.tick() => look_for_ended(hub).await,
        }
    }
}

/// One query for everybody who waits.
async fn look_for_ended(hub: &Hub) {
    let awaited = hub.waiters.awaited();
    if awaited.is_empty() {
        return;
    }
    match store::ended_among(&hub.kit.db, &awaited).await {
        Ok(ended) => ended
            .into_iter()
            .for_each(|command| hub.waiters.ended(command)),
        // The next look is half a second away.
        Err(error) => tracing::debug!(%error, "could not look for commands that ended"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_wait_is_read_in_every_spelling() {
        for (text, ms) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("3", 3_000),
            ("0", 0),
            (" 60 s ", 60_000),
            ("60000ms", 60_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for text in [
            "",
            "s",
            "ms",
            "-1s",
            "61s",
            "1.5s",
            "10m",
            "ten",
            "60001ms",
            "99999999999999s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    fn command(n: u128) -> CommandId {
        CommandId::from_uuid(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn an_end_reaches_all_who_wait_for_it_and_nobody_else() {
        let waiters = Arc::new(Waiters::default());
        let (first, second) = (
            waiters.join(tenant(), command(1)),
            waiters.join(tenant(), command(1)),
        );
        let other = waiters.join(tenant(), command(2));
        waiters.ended(command(1));
        let long = Duration::from_secs(600);
        tokio::time::timeout(Duration::from_secs(5), async {
            tokio::join!(first.wait(long), second.wait(long))
        })
        .await
        .unwrap();
        assert!(
            tokio::time::timeout(Duration::from_millis(20), other.wait(long))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn an_end_before_the_wait_is_not_lost() {
        let waiters = Arc::new(Waiters::default());
        let waiter = waiters.join(tenant(), command(1));
        waiters.ended(command(1));
        tokio::time::timeout(
            Duration::from_secs(5),
            waiter.wait(Duration::from_secs(600)),
        )
        .await
        .unwrap();
    }

    fn row(n: u128) -> commands::Model {
        commands::Model {
            tenant_id: tenant().uuid(),
            id: command(n).uuid(),
            device_id: Uuid::nil(),
            r#type: "reboot".into(),
            parameters: serde_json::json!({}),
            state: "succeeded".into(),
            urgency: 0,
            origin: "api".into(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            expires_at: chrono::DateTime::UNIX_EPOCH,
            sent_at: None,
            session: None,
            heard_at: None,
            finished_at: None,
            progress: None,
            result: None,
            photo_key: None,
            error_code: None,
            error_detail: None,
        }
    }

    #[tokio::test]
    async fn an_end_in_this_process_brings_the_row() {
        let waiters = Arc::new(Waiters::default());
        let (waiter, other) = (
            waiters.join(tenant(), command(1)),
            waiters.join(tenant(), command(2)),
        );
        waiters.ended_as(&row(1));
        waiters.ended(command(2));
        let long = Duration::from_secs(600);
        let waited = tokio::time::timeout(Duration::from_secs(5), async {
            tokio::join!(waiter.wait(long), other.wait(long))
        });
        assert_eq!(waited.await.unwrap(), (Some(row(1)), None));
    }

    #[test]
    fn a_place_is_given_up_when_dropped() {
        let waiters = Arc::new(Waiters::default());
        let first = waiters.join(tenant(), command(1));
        let second = waiters.join(tenant(), command(1));
        drop(first);
        assert_eq!(waiters.awaited(), [(tenant(), command(1))]);
        drop(second);
        assert!(waiters.awaited().is_empty());
    }
}
