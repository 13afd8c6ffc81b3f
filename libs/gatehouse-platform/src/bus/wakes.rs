//! Wake-ups: heard in this process at once, and in others over the broker's fanout.

use super::BusError;
use super::link::{self, Link};
use crate::backoff::Backoff;
use futures_util::StreamExt;
use gatehouse_contracts::{WAKE_EXCHANGE, Wake};
use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Wake-ups that a slow receiver may be behind.
const BEHIND: usize = 4096;
/// Wake-ups that wait for the broker; more are dropped.
const WAITING: usize = 1024;
const NODE: &str = "x-node";

#[derive(Debug)]
pub(super) struct Wakes {
    here: broadcast::Sender<Wake>,
    outward: mpsc::Sender<Wake>,
}

impl Wakes {
    pub(super) fn start(
        outward_links: watch::Receiver<Option<Arc<Link>>>,
        inward_links: watch::Receiver<Option<Arc<Link>>>,
        closing: &CancellationToken,
    ) -> Self {
        let (here, _) = broadcast::channel(BEHIND);
        let (outward, waiting) = mpsc::channel(WAITING);
        let node = Uuid::new_v4().to_string();
        let teller = Teller {
            waiting,
            node: node.clone(),
        };
        let listener = Listener {
            here: here.clone(),
            node,
        };
        let until = || closing.clone();
        tokio::spawn(until().run_until_cancelled_owned(teller.run(outward_links)));
        tokio::spawn(until().run_until_cancelled_owned(listener.run(inward_links)));
        Self { here, outward }
    }

    pub(super) fn send(&self, wake: Wake) {
        // Nobody listening here, or too much waiting for the broker: a lost wake-up costs only time.
        let _ = self.here.send(wake.clone());
        if self.outward.try_send(wake).is_err() {
            metrics::counter!("gatehouse_wakes_dropped_total").increment(1);
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.here.subscribe()
    }
}

/// Tells other processes.
struct Teller {
    waiting: mpsc::Receiver<Wake>,
    node: String,
}

impl Teller {
    async fn run(mut self, links: watch::Receiver<Option<Arc<Link>>>) {
        let mut backoff = Backoff::new();
        // Ends with the bus: no link will come any more.
        while let Ok(link) = link::wait(links.clone()).await {
            if let Err(error) = self.tell_over(&link, &mut backoff).await {
                tracing::debug!(%error, "wake-ups are not told");
            }
            backoff.pause().await;
        }
    }

    async fn tell_over(&mut self, link: &Link, backoff: &mut Backoff) -> Result<(), BusError> {
        let channel = link.channel().await?;
        backoff.reset();
        while let Some(wake) = self.waiting.recv().await {
            self.tell(&channel, &wake).await?;
        }
        Ok(())
    }

    async fn tell(&self, channel: &Channel, wake: &Wake) -> Result<(), BusError> {
        let Ok(body) = serde_json::to_vec(wake) else {
            return Ok(());
        };
        let mut headers = FieldTable::default();
        headers.insert(
            NODE.into(),
            AMQPValue::LongString(self.node.as_str().into()),
        );
        let properties = BasicProperties::default()
            .with_delivery_mode(1)
            .with_content_type("application/json".into())
            .with_headers(headers);
        let options = BasicPublishOptions::default();
        channel
            .basic_publish(WAKE_EXCHANGE.into(), "".into(), options, &body, properties)
            .await?
            .await?;
        Ok(())
    }
}

/// Hears other processes.
struct Listener {
    here: broadcast::Sender<Wake>,
    node: String,
}

impl Listener {
    async fn run(self, links: watch::Receiver<Option<Arc<Link>>>) {
        let mut backoff = Backoff::new();
        while let Ok(link) = link::wait(links.clone()).await {
            if let Err(error) = self.hear_over(&link, &mut backoff).await {
                tracing::debug!(%error, "wake-ups are not heard");
            }
            backoff.pause().await;
        }
    }

    async fn hear_over(&self, link: &Link, backoff: &mut Backoff) -> Result<(), BusError> {
        let channel = link.channel().await?;
        let mut heard = self.listen(&channel).await?;
        backoff.reset();
        while let Some(delivery) = heard.next().await {
            self.hear(&delivery?);
        }
        Ok(())
    }

    /// A queue of this process alone, gone with its connection.
    async fn listen(&self, channel: &Channel) -> Result<lapin::Consumer, BusError> {
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel
            .queue_declare("".into(), options, FieldTable::default())
            .await?;
        channel
            .queue_bind(
                queue.name().clone(),
                WAKE_EXCHANGE.into(),
                "".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            exclusive: true,
            ..BasicConsumeOptions::default()
        };
        let heard = channel
            .basic_consume(
                queue.name().clone(),
                "".into(),
                options,
                FieldTable::default(),
            )
            .await?;
        Ok(heard)
    }

    fn hear(&self, delivery: &Delivery) {
        let from = delivery
            .properties
            .headers()
            .as_ref()
            .and_then(|headers| headers.inner().get(NODE));
        if let Some(AMQPValue::LongString(from)) = from
            && from.as_bytes() == self.node.as_bytes()
        {
            return; // heard here when it was sent
        }
        // A wake-up of a newer deployment may be unknown; whoever needs it finds the work by polling.
        if let Ok(wake) = serde_json::from_slice::<Wake>(&delivery.data) {
            let _ = self.here.send(wake);
        }
    }
}
