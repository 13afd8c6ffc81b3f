//! A connection, replaced whenever it breaks.

use super::{BusError, topology};
use crate::backoff::Backoff;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The longest that opening a connection or a channel may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a connection is looked at. A dead peer shows after two missed heartbeats.
const LOOK: Duration = Duration::from_millis(200);
const HEARTBEAT_S: u16 = 10;

/// One connection, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
}

impl Link {
    /// A new channel. Each user has channels of its own: an error on one breaks no other's.
    pub(crate) async fn channel(&self) -> Result<Channel, BusError> {
        within(PATIENCE, self.connection.create_channel()).await
    }
}

/// Waits at most `patience` for an answer of the broker.
pub(super) async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, BusError> {
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(BusError::Late(patience)),
    }
}

/// Keeps a connection until `closing`. The purpose stands in logs and in the broker's list.
pub(super) fn keep(
    purpose: &'static str,
    amqp_url: String,
    closing: CancellationToken,
) -> watch::Receiver<Option<Arc<Link>>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let mut backoff = Backoff::new();
        while !closing.is_cancelled() {
            let opened = closing.run_until_cancelled(open(purpose, &amqp_url)).await;
            match opened {
                None => break,
                Some(Ok(link)) => {
                    tracing::info!(purpose, "connected to RabbitMQ");
                    backoff.reset();
                    sender.send_replace(Some(link.clone()));
                    closing.run_until_cancelled(broken(&link)).await;
                    sender.send_replace(None);
                    close(link).await;
                    if !closing.is_cancelled() {
                        tracing::warn!(
                            purpose,
                            "the connection to RabbitMQ is lost; connecting again"
                        );
                    }
                }
                Some(Err(error)) => {
                    if backoff.is_first() {
                        tracing::warn!(purpose, %error, "RabbitMQ cannot be reached; trying until it can");
                    }
                }
            }
            closing.run_until_cancelled(backoff.pause()).await;
        }
    });
    receiver
}

async fn open(purpose: &str, amqp_url: &str) -> Result<Arc<Link>, BusError> {
    let mut uri: AMQPUri = amqp_url.parse().map_err(|_| BusError::Address)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
    let name = format!("gatehouse {purpose}");
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connection = within(PATIENCE, Connection::connect_uri(uri, properties)).await?;
    let link = Link { connection };
    let channel = link.channel().await?;
    topology::declare_exchanges(&channel).await?;
    within(PATIENCE, channel.close(200, "declared".into())).await?;
    Ok(Arc::new(link))
}

/// Returns when the connection is of no use any more.
async fn broken(link: &Link) {
    while link.connection.status().connected() {
        tokio::time::sleep(LOOK).await;
    }
}

async fn close(link: Arc<Link>) {
    // Users may still hold the link; without this its channels would keep a half-open socket.
    if link.connection.status().connected() {
        let closed = within(
            Duration::from_secs(2),
            link.connection.close(200, "bye".into()),
        )
        .await;
        if let Err(error) = closed {
            tracing::debug!(%error, "the connection to RabbitMQ did not close cleanly");
        }
    }
}

/// Waits for a link.
pub(super) async fn wait(
    mut links: watch::Receiver<Option<Arc<Link>>>,
) -> Result<Arc<Link>, BusError> {
    let found = links.wait_for(Option::is_some).await;
    found
        .ok()
        .and_then(|link| link.clone())
        .ok_or(BusError::Away)
}
