//! Who reads which events, and the life of a consumer: a session per connection, one after another.

use super::{Bus, session};
use crate::backoff::Backoff;
use crate::db::{Database, DbError, TenantTx};
use gatehouse_contracts::{RawEnvelope, WrongKind};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often dead letters are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// And after they could not be.
const COUNT_AGAIN: Duration = Duration::from_secs(1);

/// Reads events. The transaction has the tenant of the envelope and the roles of the service; it
/// commits after an `Ok`, together with the mark that this message was handled, and the message is
/// acknowledged after that. So an event is handled at least once and takes effect exactly once, as
/// far as its effects are rows. Order is not kept.
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Handles one event.
    ///
    /// # Errors
    /// [`HandleError`]; the transaction is rolled back.
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError>;
}

/// Why an event was not handled, sorted by what becomes of it. The texts are logged: ids, no names,
/// no bodies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// It comes again after 1, 5, 30 and then every 300 seconds, for as long as it takes.
    #[error("{0}")]
    Transient(String),
    /// It is put among the dead letters, where an operator sees it.
    #[error("{0}")]
    Permanent(String),
}

impl From<DbError> for HandleError {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            Self::Transient(error.to_string())
        } else {
            Self::Permanent(error.to_string())
        }
    }
}

impl From<WrongKind> for HandleError {
    fn from(error: WrongKind) -> Self {
        // serde's text quotes the value that did not fit, which may be a name; the dead letter
        // itself holds the body for whoever may read it.
        Self::Permanent(match error {
            WrongKind::Kind { .. } => error.to_string(),
            WrongKind::Shape { kind, source: _ } => {
                format!("a message of kind {kind} has a shape that cannot be read")
            }
        })
    }
}

/// Somebody who reads events.
#[derive(Clone)]
pub struct Consumer {
    /// The name of its queue, `<service>.<purpose>`; also what it is called in logs, metrics and the
    /// ledger of handled messages.
    pub queue: &'static str,
    /// The kinds of events it reads.
    pub kinds: &'static [&'static str],
    /// What it does with them.
    pub handler: Arc<dyn Handler>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer")
            .field("queue", &self.queue)
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

/// Reads until `cancel`, through lost connections and absent databases; then finishes what is in flight.
pub(crate) async fn run_consumer(
    bus: Bus,
    db: Database,
    consumer: Consumer,
    cancel: CancellationToken,
) {
    let mut backoff = Backoff::new();
    while let Some(Ok(link)) = cancel.run_until_cancelled(bus.inward()).await {
        let ended = session::run(&bus, &link, &db, &consumer, &cancel, &mut backoff).await;
        match ended {
            Ok(()) => break,
            Err(error) => {
                metrics::counter!("gatehouse_consumer_interruptions_total", "queue" => consumer.queue)
                    .increment(1);
                if backoff.is_first() {
                    tracing::warn!(queue = consumer.queue, %error, "a consumer is interrupted; it begins again");
                }
            }
        }
        cancel.run_until_cancelled(backoff.pause()).await;
    }
}

/// Keeps the gauge of dead letters.
pub(crate) async fn watch_dead_letters(bus: Bus, queues: Vec<&'static str>) {
    loop {
        let mut pause = COUNT_EVERY;
        for queue in &queues {
            match bus.dead_letters(queue).await {
                Ok(count) => metrics::gauge!("gatehouse_dead_letters", "queue" => *queue)
                    .set(f64::from(count)),
                // The broker is away, or the consumer has not declared its queues yet.
                Err(_) => pause = COUNT_AGAIN,
            }
        }
        tokio::time::sleep(pause).await;
    }
}
