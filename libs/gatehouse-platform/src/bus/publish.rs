//! A channel with confirms: a message counts as published when the broker says that it keeps it.

use super::BusError;
use super::link::{Link, within};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use std::time::Duration;

/// The longest that the broker may take to keep a message.
const PATIENCE: Duration = Duration::from_secs(15);

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: FieldTable,
}

impl Outgoing {
    pub(crate) fn new(id: String, kind: String, body: Vec<u8>) -> Self {
        Self {
            id,
            kind,
            body,
            headers: FieldTable::default(),
        }
    }

    pub(super) fn with_header(mut self, name: &str, value: AMQPValue) -> Self {
        self.headers.insert(name.into(), value);
        self
    }

    fn properties(&self) -> BasicProperties {
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(self.id.as_str().into())
            .with_type(self.kind.as_str().into())
            .with_headers(self.headers.clone())
    }
}

/// Publishes and waits for confirms. After an error everything in flight is unknown, and the
/// publisher is of no further use.
#[derive(Debug)]
pub(crate) struct Publisher {
    channel: Channel,
}

impl Publisher {
    pub(crate) async fn open(link: &Link) -> Result<Self, BusError> {
        let channel = link.channel().await?;
        within(
            PATIENCE,
            channel.confirm_select(ConfirmSelectOptions::default()),
        )
        .await?;
        Ok(Self { channel })
    }

    /// Whether its channel still stands, as far as is known.
    pub(crate) fn is_usable(&self) -> bool {
        self.channel.status().connected()
    }

    /// Publishes events, all in flight together. An event without a subscriber is fine.
    pub(crate) async fn events(
        &self,
        exchange: &str,
        messages: &[Outgoing],
    ) -> Result<(), BusError> {
        let sending = async {
            let mut confirms = Vec::with_capacity(messages.len());
            for message in messages {
                let options = BasicPublishOptions::default();
                confirms.push(self.send(exchange, &message.kind, options, message).await?);
            }
            // Every confirm is heard to its end, whatever became of the others: one that is dropped
            // early confuses the channel's count.
            let mut outcome = Ok(());
            for confirm in confirms {
                if let Err(error) = taken(confirm.await, exchange) {
                    outcome = Err(error);
                }
            }
            outcome
        };
        tokio::time::timeout(PATIENCE, sending)
            .await
            .map_err(|_| BusError::Late(PATIENCE))?
    }

    /// Publishes to a queue that must exist. `&mut`: a returned message comes without a number, so
    /// only one may be in flight.
    pub(super) async fn put_into(
        &mut self,
        queue: &str,
        message: &Outgoing,
    ) -> Result<(), BusError> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let sending = async {
            let confirm = self.send("", queue, options, message).await?;
            taken(confirm.await, queue)
        };
        tokio::time::timeout(PATIENCE, sending)
            .await
            .map_err(|_| BusError::Late(PATIENCE))?
    }

    async fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        options: BasicPublishOptions,
        message: &Outgoing,
    ) -> Result<PublisherConfirm, BusError> {
        Ok(self
            .channel
            .basic_publish(
                exchange.into(),
                routing_key.into(),
                options,
                &message.body,
                message.properties(),
            )
            .await?)
    }
}

fn taken(confirmation: Result<Confirmation, lapin::Error>, target: &str) -> Result<(), BusError> {
    match confirmation? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) | Confirmation::Nack(_) | Confirmation::NotRequested => {
            Err(BusError::NotTaken(target.to_owned()))
        }
    }
}
