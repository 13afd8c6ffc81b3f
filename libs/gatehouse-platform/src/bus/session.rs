//! A consumer on one connection: takes deliveries, a few at the same time, and acknowledges each
//! when what became of it is durable: committed, waiting in a retry queue, or among the dead letters.
//!
//! While the database is away a message is neither requeued, which would spin, nor sent to a retry
//! queue, which would delay thousands of messages by minutes for an outage of seconds: it is held, and
//! tried again when the database answers. Those held fill the consumer's slots, so nothing more is
//! taken meanwhile; the broker keeps the rest. A failure while the database does answer concerns the
//! message, and that one goes through the retry queues.

use super::inbox::{self, Inbox};
use super::link::{Link, within};
use super::publish::{Outgoing, Publisher};
use super::{Bus, BusError, Consumer, HandleError, topology};
use crate::backoff::Backoff;
use crate::db::{Database, DbError};
use crate::ledgers;
use crate::tenant::{Actor, TenantScope};
use gatehouse_contracts::RawEnvelope;
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions};
use lapin::types::AMQPValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long messages in flight may take to end.
const FINISH: Duration = Duration::from_secs(20);
/// How long the database, or the other connection, may take to show that it is there.
const PING: Duration = Duration::from_secs(2);
/// How long a handler may take. One that hangs on a dead connection gives its place back.
const HANDLE: Duration = Duration::from_secs(60);
/// Longest text of an error in a header, in characters.
const ERROR_CHARS: usize = 500;

/// Reads until `cancel` (then `Ok`) or until the connection or channel breaks.
pub(super) async fn run(
    bus: &Bus,
    link: &Link,
    db: &Database,
    consumer: &Consumer,
    cancel: &CancellationToken,
    backoff: &mut Backoff,
) -> Result<(), BusError> {
    let outward = within_or_away(bus.outward()).await?;
    let channel = link.channel().await?;
    topology::declare_consumer(&channel, consumer).await?;
    let ending = cancel.child_token();
    let reader = Arc::new(Reader {
        db: db.clone(),
        consumer: consumer.clone(),
        publisher: Mutex::new(Publisher::open(&outward).await?),
        ending: ending.clone(),
    });
    let mut inbox = Inbox::open(bus, &channel, consumer.queue).await?;
    backoff.reset();
    let mut in_flight = JoinSet::new();
    let ended = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break Ok(()),
            Some(done) = in_flight.join_next() => if let Err(error) = outcome(done) {
                break Err(error);
            },
            next = inbox.next(), if in_flight.len() < bus.concurrency() => match next {
                Ok(delivery) => {
                    in_flight.spawn(reader.clone().take(delivery));
                }
                Err(error) => break Err(error),
            },
        }
    };
    ending.cancel();
    if ended.is_ok() {
        for tag in inbox.tags() {
            let cancelled = channel.basic_cancel(tag.clone(), BasicCancelOptions::default());
            within(PING, cancelled).await.ok();
        }
    }
    finish(in_flight, consumer.queue).await;
    close(&channel).await;
    ended
}

/// The other connection comes and goes with this one; where it does not, the session begins again.
async fn within_or_away(
    outward: impl Future<Output = Result<Arc<Link>, BusError>>,
) -> Result<Arc<Link>, BusError> {
    tokio::time::timeout(PING, outward)
        .await
        .unwrap_or(Err(BusError::Away))
}

fn outcome(done: Result<Result<(), BusError>, tokio::task::JoinError>) -> Result<(), BusError> {
    // The handler runs in a task of its own: a panic of it does not come here.
    done.unwrap_or(Ok(()))
}

async fn finish(mut in_flight: JoinSet<Result<(), BusError>>, queue: &str) {
    let finishing = async { while in_flight.join_next().await.is_some() {} };
    if tokio::time::timeout(FINISH, finishing).await.is_err() {
        tracing::warn!(
            queue,
            "messages in flight did not end in time; they will come again"
        );
    }
}

/// What the consumer had not acknowledged goes back to the queue.
async fn close(channel: &Channel) {
    if channel.status().connected() {
        within(PING, channel.close(200, "bye".into())).await.ok();
    }
}

enum Handled {
    /// Now, or before by another delivery of the same message.
    Done { repeated: bool },
    /// The session ends and nothing was stored: the message comes again.
    Interrupted,
}

struct Reader {
    db: Database,
    consumer: Consumer,
    publisher: Mutex<Publisher>,
    ending: CancellationToken,
}

impl Reader {
    async fn take(self: Arc<Self>, delivery: Delivery) -> Result<(), BusError> {
        let Ok(envelope) = serde_json::from_slice::<RawEnvelope>(&delivery.data) else {
            let why = "the envelope cannot be read";
            tracing::error!(
                queue = self.consumer.queue,
                "{why}; put among the dead letters"
            );
            self.bury(&delivery, why).await?;
            return self.acknowledge(&delivery, "dead").await;
        };
        let (id, tenant) = (envelope.id, envelope.tenant_id);
        let queue = self.consumer.queue;
        let began = Instant::now();
        let handled = self.handle_through_outages(&envelope).await;
        metrics::histogram!("gatehouse_consumer_handle_seconds", "queue" => queue)
            .record(began.elapsed().as_secs_f64());
        match handled {
            Ok(Handled::Interrupted) => Ok(()),
            Ok(Handled::Done { repeated: false }) => self.acknowledge(&delivery, "handled").await,
            Ok(Handled::Done { repeated: true }) => self.acknowledge(&delivery, "repeated").await,
            Err(HandleError::Transient(why)) => {
                let failures = inbox::failures_before(&delivery).saturating_add(1);
                tracing::warn!(queue, message = %id, %tenant, kind = %envelope.kind, failures, %why,
                    "a message could not be handled; it comes again");
                self.put_back(&delivery, failures, &why).await?;
                self.acknowledge(&delivery, "retried").await
            }
            Err(HandleError::Permanent(why)) => {
                tracing::error!(queue, message = %id, %tenant, kind = %envelope.kind, %why,
                    "a message cannot be handled; put among the dead letters");
                self.bury(&delivery, &why).await?;
                self.acknowledge(&delivery, "dead").await
            }
        }
    }

    async fn handle_through_outages(&self, envelope: &RawEnvelope) -> Result<Handled, HandleError> {
        loop {
            let attempt = attempt(self.db.clone(), self.consumer.clone(), envelope.clone());
            let attempt = tokio::time::timeout(HANDLE, attempt);
            // A task of its own, so that a panic is an outcome. It is a fault of ours that the next
            // deployment may mend, so the message is kept.
            let ended = AbortOnDropHandle::new(tokio::spawn(attempt)).await;
            let transient = |why: &str| Err(HandleError::Transient(why.to_owned()));
            let handled = match ended {
                Ok(Ok(handled)) => handled,
                Ok(Err(_)) => transient("the handler took too long"),
                Err(_) => transient("the handler panicked"),
            };
            if !matches!(handled, Err(HandleError::Transient(_))) || self.database_answers().await {
                return handled;
            }
            let until_back = async {
                let mut backoff = Backoff::new();
                while !self.database_answers().await {
                    backoff.pause().await;
                }
            };
            if self.ending.run_until_cancelled(until_back).await.is_none() {
                return Ok(Handled::Interrupted);
            }
        }
    }

    async fn database_answers(&self) -> bool {
        matches!(tokio::time::timeout(PING, self.db.ping()).await, Ok(Ok(())))
    }

    async fn acknowledge(
        &self,
        delivery: &Delivery,
        outcome: &'static str,
    ) -> Result<(), BusError> {
        delivery.ack(BasicAckOptions::default()).await?;
        let queue = self.consumer.queue;
        metrics::counter!("gatehouse_consumer_messages_total", "queue" => queue, "outcome" => outcome)
            .increment(1);
        Ok(())
    }

    async fn put_back(
        &self,
        delivery: &Delivery,
        failures: u32,
        why: &str,
    ) -> Result<(), BusError> {
        let mut message = copy(delivery, why);
        for (name, value) in inbox::retry_headers(failures) {
            message = message.with_header(name, value);
        }
        let queue = topology::retry_queue(self.consumer.queue, failures);
        self.publisher.lock().await.put_into(&queue, &message).await
    }

    async fn bury(&self, delivery: &Delivery, why: &str) -> Result<(), BusError> {
        let message = copy(delivery, why);
        let kind = AMQPValue::LongString(message.kind.as_str().into());
        let message = message.with_header("x-kind", kind);
        let queue = topology::dead_queue(self.consumer.queue);
        self.publisher.lock().await.put_into(&queue, &message).await
    }
}

async fn attempt(
    db: Database,
    consumer: Consumer,
    envelope: RawEnvelope,
) -> Result<Handled, HandleError> {
    // Whatever keeps these two from working is not the message's fault, for instance a migration
    // that has not run yet.
    let not_its_fault = |e: DbError| HandleError::Transient(e.to_string());
    let scope = TenantScope::new(envelope.tenant_id, Actor::System);
    let tx = db.tenant(&scope).await.map_err(not_its_fault)?;
    let fresh = ledgers::mark_consumed(&tx, db.roles(), consumer.queue, envelope.id)
        .await
        .map_err(not_its_fault)?;
    if !fresh {
        return Ok(Handled::Done { repeated: true });
    }
    consumer.handler.handle(&tx, envelope).await?;
    tx.commit().await?;
    Ok(Handled::Done { repeated: false })
}

/// The same message without the broker's own headers: with those it would count as going in circles.
fn copy(delivery: &Delivery, why: &str) -> Outgoing {
    let short = |text: &Option<lapin::types::ShortString>| {
        text.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let why: String = why.chars().take(ERROR_CHARS).collect();
    Outgoing::new(
        short(delivery.properties.message_id()),
        short(delivery.properties.kind()),
        delivery.data.clone(),
    )
    .with_header("x-error", AMQPValue::LongString(why.into()))
}
