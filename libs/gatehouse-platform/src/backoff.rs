//! Pauses between attempts: longer each time, and never the same in two processes.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double from a tenth of a second to five.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { failures: 0 }
    }

    /// Whether nothing has failed since the beginning or the last success, for what is logged once.
    pub(crate) const fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) async fn pause(&mut self) {
        let pause = jittered(length(self.failures));
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause).await;
    }
}

fn length(failures: u32) -> Duration {
    FIRST
        .saturating_mul(2_u32.saturating_pow(failures.min(16)))
        .min(LONGEST)
}

/// Between half of it and all of it.
fn jittered(length: Duration) -> Duration {
    length.mul_f64(0.5 + 0.5 * chance())
}

/// A number from 0 to 1. For spreading work, not for secrets.
pub(crate) fn chance() -> f64 {
    let drawn = RandomState::new().hash_one(0_u8);
    let drawn = u32::try_from(drawn >> 32).unwrap_or(u32::MAX);
    f64::from(drawn) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        assert_eq!(length(0), FIRST);
        assert_eq!(length(3), FIRST * 8);
        assert_eq!(length(6), LONGEST);
        assert_eq!(length(u32::MAX), LONGEST);
    }

    #[test]
    fn two_processes_do_not_come_back_together() {
        let mut drawn: Vec<Duration> = (0..20).map(|_| jittered(LONGEST)).collect();
        assert!(drawn.iter().all(|d| *d >= LONGEST / 2 && *d <= LONGEST));
        drawn.sort();
        drawn.dedup();
        assert!(drawn.len() > 10);
    }
}
