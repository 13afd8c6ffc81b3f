//! One socket as the rest of the process sees it: who is at the other end, when it was last heard,
//! and signals to the task that serves it. Everything here is shared between threads and small: a
//! process holds tens of thousands.

use super::pace::Pace;
use super::terminal::Terminal;
use gatehouse_domain::{TenantId, TerminalTokenId};
use gatehouse_proto_terminal::Position;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;

/// By what a connection came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// By a tenant's token in the path.
    Token {
        /// Whose.
        tenant: TenantId,
        /// Which.
        token: TerminalTokenId,
    },
    /// By any other path: only serial numbers that are bound to a tenant may enter.
    AnyPath,
}

impl Entrance {
    /// The tenant, where the entrance tells it.
    pub(crate) const fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Token { tenant, .. } => Some(tenant),
            Self::AnyPath => None,
        }
    }

    /// The token, where it was one.
    pub(crate) const fn token(self) -> Option<TerminalTokenId> {
        match self {
            Self::Token { token, .. } => Some(token),
            Self::AnyPath => None,
        }
    }
}

/// What the task that serves a socket is told. Signals of one kind that come together are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Commands may wait.
    Nudge,
    /// Persons are offered.
    Offers,
    /// Look at the clock.
    Tick,
    /// Store what has begun, then close.
    Drain,
    /// The same terminal registered elsewhere.
    Replaced,
    /// The token it came in by admits nobody any more.
    TokenRevoked,
    /// The device is gone.
    DeviceRemoved,
    /// The tenant is disabled.
    TenantDisabled,
    /// A message was begun too long ago.
    TooSlow,
}

impl Signal {
    const fn bit(self) -> u32 {
        match self {
            Self::Nudge => 1,
            Self::Tick => 1 << 1,
            Self::Drain => 1 << 2,
            Self::Replaced => 1 << 3,
            Self::TokenRevoked => 1 << 4,
            Self::DeviceRemoved => 1 << 5,
            Self::TenantDisabled => 1 << 6,
            Self::TooSlow => 1 << 7,
            Self::Offers => 1 << 8,
        }
    }
}

/// Signals that came together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signals(u32);

impl Signals {
    /// Whether one is among them.
    pub(crate) const fn has(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }
}

/// One socket.
#[derive(Debug)]
pub(crate) struct Link {
    /// A number drawn at random; it names the session everywhere.
    pub(crate) session: i64,
    /// By what it came in.
    pub(crate) entrance: Entrance,
    /// Where it comes from.
    pub(crate) remote: Option<IpAddr>,
    signals: AtomicU32,
    notify: Notify,
    terminal: OnceLock<Arc<Terminal>>,
    /// In whose count of connections it stands.
    pub(super) counted: OnceLock<TenantId>,
    /// When the session wants to look at the clock; `i64::MAX` for never.
    pub(super) look_at_ms: AtomicI64,
    /// Since when a message is under way; 0 for none.
    pub(super) unfinished_since_ms: AtomicI64,
    /// When anything was last heard.
    pub(super) seen_ms: AtomicI64,
    /// What of that stands in the database.
    pub(super) seen_written_ms: AtomicI64,
    /// When its presence was last written to Redis; 0 for never.
    pub(super) leased_ms: AtomicI64,
    /// Messages of an unknown type, not yet written down.
    pub(super) unknown_messages: AtomicU32,
    /// Frames that were no message, not yet written down.
    pub(super) malformed_messages: AtomicU32,
    position: Mutex<Option<Position>>,
    pub(super) pace: Pace,
}

impl Link {
    /// A socket that was just accepted.
    pub(crate) fn new(session: i64, entrance: Entrance, remote: Option<IpAddr>) -> Self {
        Self {
            session,
            entrance,
            remote,
            signals: AtomicU32::new(0),
            notify: Notify::new(),
            terminal: OnceLock::new(),
            counted: OnceLock::new(),
            look_at_ms: AtomicI64::new(i64::MAX),
            unfinished_since_ms: AtomicI64::new(0),
            seen_ms: AtomicI64::new(0),
            seen_written_ms: AtomicI64::new(0),
            leased_ms: AtomicI64::new(0),
            unknown_messages: AtomicU32::new(0),
            malformed_messages: AtomicU32::new(0),
            position: Mutex::new(None),
            pace: Pace::new(),
        }
    }

    /// Tells the task that serves it.
    pub(crate) fn signal(&self, signal: Signal) {
        self.signals.fetch_or(signal.bit(), Ordering::AcqRel);
        self.notify.notify_one();
    }

    /// Waits for signals and takes them.
    pub(super) async fn signalled(&self) -> Signals {
        loop {
            let signals = self.signals.swap(0, Ordering::AcqRel);
            if signals != 0 {
                return Signals(signals);
            }
            self.notify.notified().await;
        }
    }

    /// The terminal, once it is admitted.
    pub(crate) fn terminal(&self) -> Option<&Arc<Terminal>> {
        self.terminal.get()
    }

    /// Notes who was admitted. A socket serves one terminal in its life.
    pub(super) fn admit(&self, terminal: Arc<Terminal>) {
        if self.terminal.set(terminal).is_err() {
            tracing::error!(session = self.session, "a session was admitted twice");
        }
    }

    /// Notes that something was heard.
    pub(super) fn seen(&self, now_ms: i64) {
        self.seen_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Notes where the terminal says it is.
    pub(super) fn place(&self, position: Position) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = Some(position);
    }

    /// The position that was told and not yet written down.
    pub(super) fn take_position(&self) -> Option<Position> {
        self.position
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn signals_that_come_together_are_taken_together_and_once() {
        let link = Link::new(1, Entrance::AnyPath, None);
        link.signal(Signal::Nudge);
        link.signal(Signal::Nudge);
        link.signal(Signal::Drain);
        let taken = link.signalled().await;
        assert!(taken.has(Signal::Nudge) && taken.has(Signal::Drain));
        assert!(!taken.has(Signal::Replaced));
        let again = tokio::time::timeout(std::time::Duration::from_millis(20), link.signalled());
        assert!(again.await.is_err());
        link.signal(Signal::Tick);
        assert!(link.signalled().await.has(Signal::Tick));
    }
}
