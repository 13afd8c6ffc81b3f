//! Arrivals at a fixed rate, whatever becomes of those before: latency counts from the scheduled
//! instant, so that a server that stalls cannot hide it.

use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Scheduled instants, each handed out when it has come. A thread of its own keeps the time:
/// the runtime's timers are a millisecond coarse, which is a tenth of what is measured.
pub(crate) fn arrivals(per_second: f64, count: u32) -> UnboundedReceiver<Instant> {
    let (due, arriving) = unbounded_channel();
    std::thread::spawn(move || {
        let begun = Instant::now() + Duration::from_millis(20);
        for number in 0..count {
            let at = begun + Duration::from_secs_f64(f64::from(number) / per_second);
            #[expect(clippy::disallowed_methods, reason = "a thread that does nothing else")]
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if due.send(at).is_err() {
                return;
            }
        }
    });
    arriving
}
