//! The end of all sessions of a process: nobody comes in any more, what has begun is stored, and
//! sockets are closed with 1012 over a second, so that the terminals do not all come back at once.

use super::link::Signal;
use crate::hub::Hub;
use std::time::Duration;
use tokio::time::Instant;

/// Over this long the closing is spread.
const SPREAD: Duration = Duration::from_secs(1);
const STEPS: u32 = 20;
/// Beyond what uploads may take, for the goodbyes.
const MARGIN: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Ends all sessions; comes back when they have ended, or have had their time.
pub(crate) async fn drain(hub: &Hub) {
    hub.gate.shut();
    let sockets = hub.registry.sockets();
    tracing::info!(
        sockets = sockets.len(),
        "closing the terminals' connections"
    );
    let allowed = Duration::from_millis(u64::from(hub.settings.drain_within_ms));
    let until = Instant::now() + SPREAD + allowed + MARGIN;
    let steps = usize::try_from(STEPS).unwrap_or(1);
    for part in sockets.chunks(sockets.len().div_ceil(steps).max(1)) {
        for link in part {
            link.signal(Signal::Drain);
        }
        if sockets.len() > steps {
            tokio::time::sleep(SPREAD / STEPS).await;
        }
    }
    while hub.registry.len() > 0 && Instant::now() < until {
        // Who slipped in during the handshake is told as well.
        hub.registry
            .sockets()
            .iter()
            .for_each(|link| link.signal(Signal::Drain));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let left = hub.registry.len();
    if left > 0 {
        tracing::warn!(left, "connections did not close in time");
    }
}
