//! How much is let in at once: connections that have not registered, messages, and bytes that are
//! held for all of them together. Everything here holds back; nothing here loses anything.

use super::entrance::{Entrances, NotNow};
use super::link::Entrance;
use super::pace::{Pace, Rate};
use crate::hub::Hub;
use crate::settings::HubSettings;
use gatehouse_domain::TenantId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a handshake waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// Sessions of this process that use the database for commands at the same time. The rest of the
/// connections is for records and the API.
const CHORES_AT_ONCE: usize = 6;

/// The gate of one process.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Tokens that were looked up a moment ago.
    pub(super) entrances: Entrances,
    knocks: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
    knocks_per_address: usize,
    paces: Mutex<HashMap<TenantId, Arc<Pace>>>,
    /// The rate of one terminal.
    terminal_rate: Rate,
    tenant_rate: Rate,
    held_bytes: AtomicUsize,
    most_held_bytes: usize,
    /// Turns for commands' use of the database.
    pub(super) chores: Semaphore,
    draining: AtomicBool,
    begun: Instant,
}

/// Nobody of this address may come in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoTurn;

impl Gate {
    /// From the settings.
    pub(crate) fn new(settings: &HubSettings) -> Self {
        let per_second = settings.messages_per_second;
        let of_tenant = settings.tenant_messages_per_second;
        Self {
            entrances: Entrances::default(),
            knocks: Mutex::default(),
            knocks_per_address: settings.knocks_per_address.clamp(1, Semaphore::MAX_PERMITS),
            paces: Mutex::default(),
            terminal_rate: Rate::new(per_second, per_second.saturating_mul(2)),
            tenant_rate: Rate::new(of_tenant, of_tenant),
            held_bytes: AtomicUsize::new(0),
            most_held_bytes: settings.buffer_bytes,
            chores: Semaphore::new(CHORES_AT_ONCE),
            draining: AtomicBool::new(false),
            begun: Instant::now(),
        }
    }

    /// Nobody comes in any more.
    pub(super) fn shut(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the process stops.
    pub(super) fn is_shut(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Waits for a turn among the unregistered connections of one address.
    pub(super) async fn turn(&self, address: Option<IpAddr>) -> Result<Option<Knock>, NoTurn> {
        let Some(address) = address else {
            return Ok(None);
        };
        let turns = self.turns(address);
        match tokio::time::timeout(TURN_WITHIN, turns.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Some(Knock { _permit: permit })),
            Ok(Err(_)) | Err(_) => Err(NoTurn),
        }
    }

    fn turns(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut knocks = lock(&self.knocks);
        if knocks.len() > 1024 {
            // Those that nobody holds or waits for.
            knocks.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        knocks
            .entry(address)
            .or_insert_with(|| Arc::new(Semaphore::new(self.knocks_per_address)))
            .clone()
    }

    /// Whose token stands in an address, for devices that call over HTTP; `None` where nobody's.
    pub(crate) async fn admit_token(
        &self,
        hub: &Hub,
        token: &str,
    ) -> Result<Option<Entrance>, NotNow> {
        self.entrances.find(hub, token).await
    }

    /// A message was read: how long to wait before the next is.
    pub(crate) fn charge(&self, terminal: &Pace, tenant: Option<&Pace>) -> Option<Duration> {
        let now_ns = i64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let own = terminal.charge(self.terminal_rate, now_ns);
        let all = tenant.and_then(|tenant| tenant.charge(self.tenant_rate, now_ns));
        own.max(all)
    }

    /// The pace of a tenant.
    pub(crate) fn pace_of(&self, tenant: TenantId) -> Arc<Pace> {
        let mut paces = lock(&self.paces);
        if paces.len() > 4096 {
            paces.retain(|_, pace| Arc::strong_count(pace) > 1);
        }
        paces
            .entry(tenant)
            .or_insert_with(|| Arc::new(Pace::new()))
            .clone()
    }

    /// Whether more bytes are held than there may be.
    pub(crate) fn is_overfull(&self) -> bool {
        self.held_bytes.load(Ordering::Relaxed) > self.most_held_bytes
    }
}

/// A turn among the unregistered connections of an address; given back when dropped.
#[derive(Debug)]
pub(super) struct Knock {
    _permit: OwnedSemaphorePermit,
}

/// Bytes that are held for one connection, counted for the process.
#[derive(Debug)]
pub(crate) struct Held {
    hub: Arc<crate::hub::Hub>,
    bytes: usize,
}

impl Held {
    /// Counts some bytes.
    pub(crate) fn new(hub: Arc<crate::hub::Hub>, bytes: usize) -> Self {
        hub.gate.held_bytes.fetch_add(bytes, Ordering::Relaxed);
        Self { hub, bytes }
    }

    /// Another number of them.
    pub(crate) fn set(&mut self, bytes: usize) {
        let held = &self.hub.gate.held_bytes;
        if bytes >= self.bytes {
            held.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
