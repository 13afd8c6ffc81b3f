//! How fast messages are read: a debt that each message adds to and time pays off. Whoever owes more
//! than the burst reads again later; nothing is lost, the network holds it back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// One rate, shared by whoever charges it.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When the debt is paid off, on the caller's clock.
    paid_at_ns: AtomicI64,
}

/// A rate and how much of it may be used at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    interval_ns: i64,
    burst_ns: i64,
}

impl Rate {
    /// So many a second, and so many at once.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let interval_ns = 1_000_000_000 / i64::from(per_second.max(1));
        Self {
            interval_ns,
            burst_ns: interval_ns.saturating_mul(i64::from(burst)),
        }
    }
}

impl Pace {
    /// Without debt.
    pub(crate) const fn new() -> Self {
        Self {
            paid_at_ns: AtomicI64::new(0),
        }
    }

    /// Adds one message; how long to wait before the next is read, if at all.
    pub(crate) fn charge(&self, rate: Rate, now_ns: i64) -> Option<Duration> {
        // A lost race charges one message too few: a rate, not a ledger.
        let before = self.paid_at_ns.load(Ordering::Relaxed);
        let after = before.max(now_ns).saturating_add(rate.interval_ns);
        self.paid_at_ns.store(after, Ordering::Relaxed);
        let wait_ns = after - now_ns - rate.burst_ns;
        u64::try_from(wait_ns)
            .ok()
            .filter(|ns| *ns > 0)
            .map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let rate = Rate::new(200, 400);
        let pace = Pace::new();
        for n in 0..400 {
            assert_eq!(pace.charge(rate, 1_000), None, "message {n}");
        }
        assert_eq!(pace.charge(rate, 1_000), Some(Duration::from_millis(5)));
        assert_eq!(pace.charge(rate, 1_000), Some(Duration::from_millis(10)));
        // A second pays off two hundred.
        for n in 0..198 {
            assert_eq!(pace.charge(rate, 1_000_001_000), None, "message {n}");
        }
        assert!(pace.charge(rate, 1_000_001_000).is_some());
    }

    #[test]
    fn time_off_earns_no_more_than_the_burst() {
        let rate = Rate::new(10, 2);
        let pace = Pace::new();
        let much_later = 3_600_000_000_000;
        assert_eq!(pace.charge(rate, much_later), None);
        assert_eq!(pace.charge(rate, much_later), None);
        assert!(pace.charge(rate, much_later).is_some());
    }
}
