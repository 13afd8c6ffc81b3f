//! Figures of many terminals together: counters and a histogram of acknowledgement times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::DoorCause;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Since the run began.
    pub elapsed: Duration,
    /// Terminals started.
    pub started: u64,
    /// Terminals with an open WebSocket.
    pub connected: u64,
    /// Terminals that are registered now.
    pub registered: u64,
    /// Registrations answered with another code than 100.
    pub refused: u64,
    /// Connects and handshakes that failed, and connections that were lost.
    pub connection_faults: u64,
    /// People who passed; each is one record.
    pub passes_sent: u64,
    /// Records sent again.
    pub resent: u64,
    /// Records answered 100.
    pub acknowledged: u64,
    /// Records answered with another code.
    pub rejected: u64,
    /// Doors opened, for whatever cause.
    pub doors_opened: u64,
    /// Of these, opened by the cloud.
    pub doors_opened_by_cloud: u64,
    /// Half of the acknowledgements came within this time, milliseconds; 0 before the first.
    pub ack_p50_ms: f64,
    /// 99 % of the acknowledgements came within this time, milliseconds.
    pub ack_p99_ms: f64,
    /// The last thing that went wrong; empty when nothing did.
    pub last_fault: String,
}

#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connected: Gauge,
    pub(crate) registered: Gauge,
    pub(crate) refused: Counter,
    pub(crate) connection_faults: Counter,
    pub(crate) passes_sent: Counter,
    pub(crate) resent: Counter,
    pub(crate) acknowledged: Counter,
    pub(crate) rejected: Counter,
    doors_opened: Counter,
    doors_opened_by_cloud: Counter,
    pub(crate) acknowledgement: Histogram,
    last_fault: Mutex<String>,
}

impl Stats {
    pub(crate) fn door_opened(&self, cause: DoorCause) {
        self.doors_opened.add();
        match cause {
            DoorCause::Command | DoorCause::Record => self.doors_opened_by_cloud.add(),
            DoorCause::Itself => {}
        }
    }

    pub(crate) fn fault(&self, text: String) {
        *self
            .last_fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = text;
    }

    pub(crate) fn summary(&self, elapsed: Duration, started: u64) -> Summary {
        Summary {
            elapsed,
            started,
            connected: self.connected.get(),
            registered: self.registered.get(),
            refused: self.refused.get(),
            connection_faults: self.connection_faults.get(),
            passes_sent: self.passes_sent.get(),
            resent: self.resent.get(),
            acknowledged: self.acknowledged.get(),
            rejected: self.rejected.get(),
            doors_opened: self.doors_opened.get(),
            doors_opened_by_cloud: self.doors_opened_by_cloud.get(),
            ack_p50_ms: self.acknowledgement.quantile_ms(0.5),
            ack_p99_ms: self.acknowledgement.quantile_ms(0.99),
            last_fault: self
                .last_fault
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Steps per doubling: a bucket is at most an eighth wider than its lower edge.
const STEPS: u32 = 8;
/// From a microsecond to beyond an hour.
const BUCKETS: usize = 8 * 34;

/// Durations by microseconds in logarithmic buckets.
#[derive(Debug)]
pub(crate) struct Histogram(Vec<AtomicU64>);

impl Default for Histogram {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket_of(micros).min(BUCKETS - 1);
        if let Some(count) = self.0.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        let counts: Vec<u64> = self
            .0
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let total: u64 = counts.iter().sum();
        // Counted in parts per 1 000, to stay with whole numbers.
        let below = (0..=1_000_u64).find(|part| f64::from(to_u32(*part)) >= quantile * 1_000.0);
        let rank = total.saturating_mul(below.unwrap_or(1_000)).div_ceil(1_000);
        let mut seen = 0;
        for (bucket, count) in counts.iter().enumerate() {
            seen += count;
            if rank > 0 && seen >= rank {
                return f64::from(to_u32(upper_edge(bucket))) / 1_000.0;
            }
        }
        0.0
    }
}

fn to_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Below 8 one bucket each, then eight per doubling.
fn bucket_of(micros: u64) -> usize {
    let exponent = micros.max(1).ilog2();
    let bucket = if exponent < 3 {
        micros
    } else {
        let step = (micros >> (exponent - 3)) & 7;
        u64::from((exponent - 2) * STEPS) + step
    };
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

fn upper_edge(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    let (group, step) = (bucket / 8, bucket % 8);
    if group == 0 {
        step
    } else {
        ((8 + step + 1) << (group - 1)) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_duration_without_gap() {
        let mut last = 0;
        for micros in 0..100_000 {
            let bucket = bucket_of(micros);
            assert!(bucket == last || bucket == last + 1, "{micros}");
            assert!(upper_edge(bucket) >= micros, "{micros} in {bucket}");
            assert!(
                bucket == 0 || upper_edge(bucket - 1) < micros,
                "{micros} in {bucket}"
            );
            last = bucket;
        }
    }

    #[test]
    fn quantiles_are_within_a_bucket() {
        let histogram = Histogram::default();
        assert!(histogram.quantile_ms(0.5).abs() < f64::EPSILON);
        for ms in 1..=1_000 {
            histogram.record(Duration::from_millis(ms));
        }
        let (p50, p99) = (histogram.quantile_ms(0.5), histogram.quantile_ms(0.99));
        assert!((500.0..570.0).contains(&p50), "{p50}");
        assert!((990.0..1_120.0).contains(&p99), "{p99}");
    }
}
