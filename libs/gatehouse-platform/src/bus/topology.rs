//! What stands on the broker: exchanges, and per consumer its queue, its retry queues and its dead
//! letters. Declared again after every connect; declaring what exists changes nothing.
//!
//! A message that failed waits in a retry queue of its consumer alone, so that other subscribers of
//! the event do not see it again. There is one queue per delay: within it, first come is first due,
//! and the consumer takes messages from the front and holds them until they are due (`inbox.rs`).
//!
//! Deliberately absent: expiry and dead-lettering by the broker to bring messages back. Its plain
//! dead-lettering may lose them, and the one that does not (`at-least-once`) takes down all quorum
//! queues of a RabbitMQ 3.10 when a queue is deleted while its worker starts.

use super::{BusError, Consumer};
use gatehouse_contracts::{EVENTS_EXCHANGE, WAKE_EXCHANGE};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use std::time::Duration;

/// Delays of the first, second, ... retry in seconds. The last one is for all further ones.
const RETRY_DELAYS_S: [u32; 4] = [1, 5, 30, 300];

pub(super) fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The queue in which a message waits that has failed `failures` times, this one included.
pub(super) fn retry_queue(queue: &str, failures: u32) -> String {
    named(queue, retry_delay_s(failures))
}

/// All of a consumer's retry queues.
pub(super) fn retry_queues(queue: &str) -> impl Iterator<Item = String> {
    RETRY_DELAYS_S.into_iter().map(move |s| named(queue, s))
}

/// How long a message waits that has failed `failures` times.
pub(super) fn retry_delay(failures: u32) -> Duration {
    Duration::from_secs(retry_delay_s(failures).into())
}

fn named(queue: &str, delay_s: u32) -> String {
    format!("{queue}.retry.{delay_s}s")
}

fn retry_delay_s(failures: u32) -> u32 {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., longest] = RETRY_DELAYS_S;
    RETRY_DELAYS_S.get(index).copied().unwrap_or(longest)
}

pub(super) async fn declare_exchanges(channel: &Channel) -> Result<(), BusError> {
    for (name, kind) in [
        (EVENTS_EXCHANGE, ExchangeKind::Topic),
        (WAKE_EXCHANGE, ExchangeKind::Fanout),
    ] {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel
            .exchange_declare(name.into(), kind, options, FieldTable::default())
            .await?;
    }
    Ok(())
}

pub(super) async fn declare_consumer(
    channel: &Channel,
    consumer: &Consumer,
) -> Result<(), BusError> {
    let queue = consumer.queue;
    let dead = dead_queue(queue);
    declare(channel, &dead, quorum()).await?;
    declare(channel, queue, ending_in(&dead)).await?;
    for retry in retry_queues(queue) {
        declare(channel, &retry, ending_in(&dead)).await?;
    }
    for kind in consumer.kinds {
        channel
            .queue_bind(
                queue.into(),
                EVENTS_EXCHANGE.into(),
                (*kind).into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }
    Ok(())
}

/// How many messages a queue holds.
pub(super) async fn count(channel: &Channel, queue: &str) -> Result<u32, BusError> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let found = channel
        .queue_declare(queue.into(), options, FieldTable::default())
        .await?;
    let count = found.message_count();
    channel.close(200, "counted".into()).await?;
    Ok(count)
}

async fn declare(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), BusError> {
    channel
        .queue_declare(name.into(), QueueDeclareOptions::durable(), arguments)
        .await?;
    Ok(())
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// A quorum queue whose rejected messages go to another one. We reject none, we publish dead letters
/// ourselves. The broker does it where it has a delivery limit (RabbitMQ 4 does) and a message kills
/// its reader again and again.
fn ending_in(dead: &str) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(dead));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::retry_queue;

    #[test]
    fn retries_wait_longer_each_time_and_never_end() {
        for (failures, queue) in [
            (0, "q.retry.1s"),
            (1, "q.retry.1s"),
            (2, "q.retry.5s"),
            (3, "q.retry.30s"),
            (4, "q.retry.300s"),
            (5, "q.retry.300s"),
            (u32::MAX, "q.retry.300s"),
        ] {
            assert_eq!(retry_queue("q", failures), queue);
        }
    }
}
