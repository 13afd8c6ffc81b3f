//! What a consumer is to handle next: fresh messages, and those that failed before, when they are due.
//!
//! A message that waits is held unacknowledged, at most as many per retry queue as the consumer may
//! hold at all; those are the first to be due. If the process ends meanwhile, the broker gives them
//! to another, which holds them for the rest of the time.

use super::{Bus, BusError, topology};
use chrono::Utc;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, FuturesUnordered, SelectAll, StreamExt};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::time::Duration;

/// How often a message has failed.
const ATTEMPT: &str = "x-attempt";
/// When it is due, in milliseconds since 1970.
const DUE_AT: &str = "x-due-at";

type Deliveries = BoxStream<'static, Result<Delivery, BusError>>;

pub(super) struct Inbox {
    fresh: Deliveries,
    returning: SelectAll<Deliveries>,
    waiting: FuturesUnordered<BoxFuture<'static, Delivery>>,
    tags: Vec<ShortString>,
}

impl Inbox {
    /// Begins to consume a queue and its retry queues.
    pub(super) async fn open(bus: &Bus, channel: &Channel, queue: &str) -> Result<Self, BusError> {
        // Of each of the consumers that follow, not of the channel.
        channel
            .basic_qos(bus.prefetch(), BasicQosOptions::default())
            .await?;
        let mut tags = Vec::new();
        let mut returning = SelectAll::new();
        for retry in topology::retry_queues(queue) {
            returning.push(consume(channel, &retry, &mut tags).await?);
        }
        Ok(Self {
            fresh: consume(channel, queue, &mut tags).await?,
            returning,
            waiting: FuturesUnordered::new(),
            tags,
        })
    }

    /// The next message to handle. Those that were promised for a time go first.
    pub(super) async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            tokio::select! {
                biased;
                Some(due) = self.waiting.next() => return Ok(due),
                Some(early) = self.returning.next() => {
                    let early = early?;
                    self.waiting.push(Box::pin(async move {
                        tokio::time::sleep(time_to_wait(&early)).await;
                        early
                    }));
                }
                fresh = self.fresh.next() => return fresh.unwrap_or(Err(BusError::Away)),
            }
        }
    }

    /// The consumers, to be cancelled.
    pub(super) fn tags(&self) -> &[ShortString] {
        &self.tags
    }
}

async fn consume(
    channel: &Channel,
    queue: &str,
    tags: &mut Vec<ShortString>,
) -> Result<Deliveries, BusError> {
    let options = BasicConsumeOptions::default();
    let deliveries = channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await?;
    tags.push(deliveries.tag());
    let deliveries = deliveries.map(|delivery| delivery.map_err(BusError::from));
    // The broker ends a consumer whose queue was deleted; one of several would not be missed.
    let ended = stream::once(async { Err(BusError::Away) });
    Ok(deliveries.chain(ended).boxed())
}

/// The headers of a message that goes to the retry queue.
pub(super) fn retry_headers(failures: u32) -> [(&'static str, AMQPValue); 2] {
    let delay_ms = i64::try_from(topology::retry_delay(failures).as_millis()).unwrap_or(i64::MAX);
    let due_at_ms = Utc::now().timestamp_millis().saturating_add(delay_ms);
    let attempt = i32::try_from(failures).unwrap_or(i32::MAX);
    [
        (ATTEMPT, AMQPValue::LongInt(attempt)),
        (DUE_AT, AMQPValue::LongLongInt(due_at_ms)),
    ]
}

/// How often this message has failed before.
pub(super) fn failures_before(delivery: &Delivery) -> u32 {
    number(delivery, ATTEMPT)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0)
}

/// Never more than the delay: the clock of whoever sent it may be another.
fn time_to_wait(delivery: &Delivery) -> Duration {
    let delay = topology::retry_delay(failures_before(delivery));
    let due_at_ms = number(delivery, DUE_AT).unwrap_or(0);
    let left_ms = due_at_ms.saturating_sub(Utc::now().timestamp_millis());
    Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(delay)
}

fn number(delivery: &Delivery, header: &str) -> Option<i64> {
    let headers = delivery.properties.headers().as_ref()?;
    let value = headers.inner().get(header)?;
    // The broker may hand a number on in another width.
    let narrow = value.as_long_int().map(i64::from);
    narrow.or_else(|| value.as_long_long_int())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lapin::BasicProperties;

    fn delivery(headers: &[(&str, AMQPValue)]) -> Delivery {
        let mut delivery = Delivery::mock(1, "".into(), "".into(), false, Vec::new());
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert((*name).into(), value.clone());
        }
        delivery.properties = BasicProperties::default().with_headers(table);
        delivery
    }

    #[test]
    fn a_message_waits_for_what_is_left_of_its_delay() {
        let fresh = delivery(&retry_headers(3));
        assert_eq!(failures_before(&fresh), 3);
        let left = time_to_wait(&fresh);
        assert!(left > Duration::from_secs(29) && left <= Duration::from_secs(30));
    }

    #[test]
    fn a_clock_that_is_wrong_neither_holds_a_message_for_ever_nor_breaks_it() {
        let far = AMQPValue::LongLongInt(i64::MAX);
        let far = delivery(&[(ATTEMPT, AMQPValue::LongInt(1)), (DUE_AT, far)]);
        assert_eq!(time_to_wait(&far), Duration::from_secs(1));
        let past = AMQPValue::LongLongInt(i64::MIN);
        let past = delivery(&[(ATTEMPT, AMQPValue::LongInt(1)), (DUE_AT, past)]);
        assert_eq!(time_to_wait(&past), Duration::ZERO);
        assert_eq!(time_to_wait(&delivery(&[])), Duration::ZERO);
        assert_eq!(failures_before(&delivery(&[])), 0);
    }
}
