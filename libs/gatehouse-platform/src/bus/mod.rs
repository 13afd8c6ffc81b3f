//! RabbitMQ: events to whoever subscribed to them, and wake-ups to every process.
//!
//! A [`Bus`] opens without connecting and reconnects for ever. A lost connection is not mended but
//! replaced, with new channels: whatever was in flight is unknown and is sent again, which readers
//! recognise by the envelope's id. Events leave only through [`crate::outbox`].
//!
//! Deliberately absent: publishing an event directly; what the messages mean (gatehouse-contracts).

mod consume;
mod inbox;
mod link;
mod publish;
mod session;
mod topology;
mod wakes;

pub use consume::{Consumer, HandleError, Handler};
pub(crate) use consume::{run_consumer, watch_dead_letters};
pub(crate) use publish::{Outgoing, Publisher};

use gatehouse_contracts::Wake;
use link::Link;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

const PING: Duration = Duration::from_secs(5);

/// Settings of the message broker.
#[derive(Debug, Clone, clap::Args)]
pub struct BusSettings {
    /// Address of RabbitMQ, with user, password and virtual host.
    #[arg(long = "amqp-url", env = "GATEHOUSE_AMQP_URL", hide_env_values = true)]
    pub amqp_url: String,
    /// Messages that a consumer may hold without having acknowledged them.
    #[arg(
        long = "consumer-prefetch",
        env = "GATEHOUSE_CONSUMER_PREFETCH",
        default_value_t = 64
    )]
    pub prefetch: u16,
    /// Messages that a consumer handles at the same time.
    #[arg(
        long = "consumer-concurrency",
        env = "GATEHOUSE_CONSUMER_CONCURRENCY",
        default_value_t = 8
    )]
    pub concurrency: usize,
}

/// What went wrong on the bus. All of it may pass by itself, except for an address that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// There is no connection at the moment.
    #[error("RabbitMQ is not reachable at the moment")]
    Away,
    /// The address in the settings cannot be read.
    #[error("the address of RabbitMQ cannot be read; check GATEHOUSE_AMQP_URL")]
    Address,
    /// It did not answer in time.
    #[error("RabbitMQ did not answer within {0:?}")]
    Late(Duration),
    /// The connection or the channel broke, or the broker refused.
    #[error("RabbitMQ: {0}")]
    Broker(#[from] lapin::Error),
    /// A message had no queue to go to, or the broker would not take it.
    #[error("RabbitMQ did not take a message for {0}")]
    NotTaken(String),
}

/// The connection to the broker. Cloning is cheap; it closes with the last clone.
#[derive(Debug, Clone)]
pub struct Bus {
    shared: Arc<Shared>,
    _until_last_clone: Arc<DropGuard>,
}

/// Two connections: a broker that is short of memory or disk stops reading from connections that
/// publish, and acknowledgements, which would relieve it, must not wait behind them.
#[derive(Debug)]
struct Shared {
    outward: watch::Receiver<Option<Arc<Link>>>,
    inward: watch::Receiver<Option<Arc<Link>>>,
    wakes: wakes::Wakes,
    prefetch: u16,
    concurrency: usize,
}

impl Bus {
    /// Opens the bus without connecting: a process starts and stays up while the broker is away.
    /// Must be called within a tokio runtime, which then runs the connection.
    #[must_use]
    pub fn open(settings: &BusSettings) -> Self {
        let closing = CancellationToken::new();
        let outward = link::keep("publishes", settings.amqp_url.clone(), closing.clone());
        let inward = link::keep("consumes", settings.amqp_url.clone(), closing.clone());
        let wakes = wakes::Wakes::start(outward.clone(), inward.clone(), &closing);
        Self {
            shared: Arc::new(Shared {
                outward,
                inward,
                wakes,
                prefetch: settings.prefetch.max(1),
                concurrency: settings.concurrency.max(1),
            }),
            _until_last_clone: Arc::new(closing.drop_guard()),
        }
    }

    /// Whether the broker answers, on both connections: opens and closes a channel.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn ping(&self) -> Result<(), BusError> {
        for links in [&self.shared.outward, &self.shared.inward] {
            let link = links.borrow().clone().ok_or(BusError::Away)?;
            let channel = link.channel().await?;
            link::within(PING, channel.close(200, "ping".into())).await?;
        }
        Ok(())
    }

    /// Tells every process that work is waiting. Best effort and never blocks: receivers in this
    /// process hear it at once, others over the broker if it is there.
    pub fn wake(&self, wake: Wake) {
        self.shared.wakes.send(wake);
    }

    /// The wake-ups of all processes from now on, each once. A receiver that falls behind by more
    /// than a few thousand loses the oldest and is told so (`Lagged`): it then looks for work itself.
    #[must_use]
    pub fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.shared.wakes.subscribe()
    }

    /// How many dead letters of this consumer's queue are kept.
    ///
    /// # Errors
    /// [`BusError`], also where the consumer never ran.
    pub async fn dead_letters(&self, queue: &str) -> Result<u32, BusError> {
        let link = self.shared.inward.borrow().clone();
        // A channel of its own: asking for a queue that does not exist breaks the channel.
        let channel = link.ok_or(BusError::Away)?.channel().await?;
        topology::count(&channel, &topology::dead_queue(queue)).await
    }

    /// Waits for a connection to publish on.
    pub(crate) async fn outward(&self) -> Result<Arc<Link>, BusError> {
        link::wait(self.shared.outward.clone()).await
    }

    /// Waits for a connection to consume on.
    pub(crate) async fn inward(&self) -> Result<Arc<Link>, BusError> {
        link::wait(self.shared.inward.clone()).await
    }

    pub(crate) fn prefetch(&self) -> u16 {
        self.shared.prefetch
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.shared.concurrency
    }
}
