//! Who is here, told to others: leases in Redis, one pipeline a second for the whole process, and
//! what is written down about sessions. The same second's walk over all sockets is their only timer.

use super::close::Close;
use super::link::{Link, Signal};
use super::terminal::Terminal;
use crate::hub::Hub;
use crate::terminals::{self, Sighting};
use chrono::{DateTime, Utc};
use gatehouse_domain::device::Presence;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::DbError;
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::TenantScope;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// The walk over all sockets.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Terminals that come within this time are told to others together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long a lease holds.
const LEASE: Duration = Duration::from_secs(120);
/// A lease older than this is renewed.
const RENEWED_AFTER_MS: i64 = 30_000;
/// Leases of one pipeline.
const PIPELINE: usize = 5_000;
/// What is written down about living sessions is this old at most.
const SEEN_WRITTEN_AFTER_MS: i64 = 30_000;
/// Sightings of one statement.
const BATCH: usize = 1_000;
/// Ends of sessions that wait to be written while the database is away; each row then still ends as
/// abandoned.
const WAITING: usize = 100_000;

/// What is to be written down about sessions that ended.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    ended: Mutex<Vec<Sighting>>,
    released: Mutex<Vec<(String, String)>>,
    /// Somebody came: their lease is taken soon, and not only at the next second.
    came: Notify,
}

impl Notes {
    /// A session began.
    pub(super) fn began(&self) {
        self.came.notify_one();
    }

    /// A session ended. Where it still spoke for its terminal, its lease ends with it.
    pub(super) fn ended(
        &self,
        node: &str,
        link: &Link,
        terminal: &Terminal,
        close: Close,
        spoke: bool,
    ) {
        if spoke {
            self.released
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(lease(node, link, terminal));
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() < WAITING {
            ended.push(sighting(link, terminal, Some(close.reason())));
        }
    }
}

fn sighting(link: &Link, terminal: &Terminal, ended: Option<&'static str>) -> Sighting {
    Sighting {
        tenant: terminal.tenant(),
        device: terminal.device,
        session: link.session,
        seen_at: DateTime::from_timestamp_millis(link.seen_ms.load(Ordering::Relaxed))
            .unwrap_or_default(),
        unknown_messages: link.unknown_messages.swap(0, Ordering::Relaxed),
        malformed_messages: link.malformed_messages.swap(0, Ordering::Relaxed),
        position: link.take_position(),
        ended,
    }
}

/// Under this key stands which process and session speaks for a device.
pub(crate) fn lease_key(tenant: TenantId, device: DeviceId) -> String {
    format!(
        "presence:{}:{}",
        tenant.uuid().as_simple(),
        device.uuid().as_simple()
    )
}

/// A session's lease: the key, and who holds it.
fn lease(node: &str, link: &Link, terminal: &Terminal) -> (String, String) {
    let holder = format!("{node}:{}", link.session);
    (lease_key(terminal.tenant(), terminal.device), holder)
}

impl Hub {
    /// Whether a device is connected, to this process or another.
    pub(crate) async fn is_online(&self, scope: &TenantScope, device: DeviceId) -> bool {
        self.presence(scope, &[device])
            .await
            .contains(&Presence::Online)
    }

    /// Which of these devices are connected, to this process or another. Where Redis is away, what was
    /// last written down about them has to do.
    pub(crate) async fn presence(
        &self,
        scope: &TenantScope,
        devices: &[DeviceId],
    ) -> Vec<Presence> {
        let tenant = scope.tenant();
        let here: Vec<bool> = devices
            .iter()
            .map(|device| self.registry.of(tenant, *device).is_some())
            .collect();
        let others: Vec<DeviceId> = devices
            .iter()
            .zip(&here)
            .filter_map(|(device, here)| (!here).then_some(*device))
            .collect();
        let mut elsewhere = self.elsewhere(scope, &others).await.into_iter();
        here.into_iter()
            .map(|here| {
                if here || elsewhere.next().unwrap_or(false) {
                    Presence::Online
                } else {
                    Presence::Offline
                }
            })
            .collect()
    }

    async fn elsewhere(&self, scope: &TenantScope, devices: &[DeviceId]) -> Vec<bool> {
        let keys: Vec<String> = devices
            .iter()
            .map(|device| lease_key(scope.tenant(), *device))
            .collect();
        match self.kit.cache.held(&keys).await {
            Ok(held) => held.iter().map(Option::is_some).collect(),
            Err(error) => {
                tracing::debug!(%error, "presence is read from the database");
                let written = self
                    .written_presence(scope, devices)
                    .await
                    .unwrap_or_default();
                devices
                    .iter()
                    .map(|device| written.contains(device))
                    .collect()
            }
        }
    }

    async fn written_presence(
        &self,
        scope: &TenantScope,
        devices: &[DeviceId],
    ) -> Result<Vec<DeviceId>, DbError> {
        let tx = self.kit.db.tenant(scope).await?;
        let silent_for_ms =
            i64::from(self.settings.dead_after_ms).saturating_add(SEEN_WRITTEN_AFTER_MS);
        terminals::connected(&tx, devices, silent_for_ms).await
    }
}

/// The walk over all sockets.
pub(super) fn sweep_task(hub: &Arc<Hub>) -> Task {
    let hub = hub.clone();
    Task::new("hub.sweep", move |cancel| async move {
        let mut second = tokio::time::interval(SWEEP_EVERY);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                _ = second.tick() => sweep(&hub),
                // Who comes in the same moment shares a round trip.
                () = hub.notes.came.notified() => tokio::time::sleep(TOGETHER).await,
            }
            renew(&hub).await;
        }
        release(&hub).await;
    })
}

/// Wakes the sessions that have something to look at.
fn sweep(hub: &Hub) {
    let now_ms = Utc::now().timestamp_millis();
    let message_within_ms = i64::from(hub.settings.message_within_ms);
    let sockets = hub.registry.sockets();
    metrics::gauge!("gatehouse_terminal_sockets").set(count(sockets.len()));
    for link in sockets {
        if link.look_at_ms.load(Ordering::Relaxed) <= now_ms {
            link.signal(Signal::Tick);
        }
        let since_ms = link.unfinished_since_ms.load(Ordering::Relaxed);
        if since_ms != 0 && now_ms.saturating_sub(since_ms) > message_within_ms {
            link.signal(Signal::TooSlow);
        }
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// Renews leases that grow old, ends those of sessions that ended.
async fn renew(hub: &Hub) {
    release(hub).await;
    let now_ms = Utc::now().timestamp_millis();
    let terminals = hub.registry.terminals();
    metrics::gauge!("gatehouse_terminal_sessions").set(count(terminals.len()));
    let due: Vec<(Arc<Link>, (String, String))> = terminals
        .into_iter()
        .filter(|link| {
            now_ms.saturating_sub(link.leased_ms.load(Ordering::Relaxed)) >= RENEWED_AFTER_MS
        })
        .filter_map(|link| {
            let terminal = link.terminal()?;
            let lease = lease(&hub.kit.node, &link, terminal);
            Some((link, lease))
        })
        .collect();
    for part in due.chunks(PIPELINE) {
        let leases: Vec<(String, String)> = part.iter().map(|(_, lease)| lease.clone()).collect();
        match hub.kit.cache.hold(&leases, LEASE).await {
            Ok(()) => part
                .iter()
                .for_each(|(link, _)| link.leased_ms.store(now_ms, Ordering::Relaxed)),
            Err(error) => {
                // They stay due; the next second tries again.
                tracing::debug!(%error, "presence could not be renewed");
                return;
            }
        }
    }
}

async fn release(hub: &Hub) {
    let released = std::mem::take(
        &mut *hub
            .notes
            .released
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    if !released.is_empty() {
        hub.kit.cache.release(&released).await;
    }
}

/// Writes down what happened to sessions.
pub(super) fn notes_task(hub: &Arc<Hub>) -> Task {
    let hub = hub.clone();
    Task::new("hub.notes", move |cancel: CancellationToken| async move {
        let mut second = tokio::time::interval(SWEEP_EVERY);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while cancel.run_until_cancelled(second.tick()).await.is_some() {
            write(&hub).await;
        }
        write(&hub).await;
    })
}

async fn write(hub: &Hub) {
    let ended = std::mem::take(
        &mut *hub
            .notes
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    if let Err((error, mut unwritten)) = write_all(hub, ended).await {
        tracing::warn!(%error, sessions = unwritten.len(), "the ends of sessions could not be written down yet");
        let mut ended = hub
            .notes
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unwritten.append(&mut ended);
        unwritten.truncate(WAITING);
        *ended = unwritten;
        return;
    }
    let now_ms = Utc::now().timestamp_millis();
    let seen: Vec<Sighting> = hub
        .registry
        .terminals()
        .iter()
        .filter_map(|link| {
            let terminal = link.terminal()?;
            let seen_ms = link.seen_ms.load(Ordering::Relaxed);
            let written_ms = link.seen_written_ms.load(Ordering::Relaxed);
            let due =
                seen_ms > written_ms && now_ms.saturating_sub(written_ms) >= SEEN_WRITTEN_AFTER_MS;
            due.then(|| {
                link.seen_written_ms.store(now_ms, Ordering::Relaxed);
                sighting(link, terminal, None)
            })
        })
        .collect();
    if let Err((error, unwritten)) = write_all(hub, seen).await {
        // What was seen is seen again; only counts are lost.
        tracing::debug!(%error, sessions = unwritten.len(), "sessions could not be written down");
    }
}

async fn write_all(hub: &Hub, sightings: Vec<Sighting>) -> Result<(), (DbError, Vec<Sighting>)> {
    let mut rest = sightings;
    // The same order everywhere, so that two processes do not wait for each other.
    rest.sort_unstable_by_key(|s| (s.tenant, s.device, s.session));
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(BATCH));
        if let Err(error) = write_part(hub, &rest).await {
            rest.extend(later);
            return Err((error, rest));
        }
        rest = later;
    }
    Ok(())
}

async fn write_part(hub: &Hub, part: &[Sighting]) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    terminals::note(&tx, part).await?;
    tx.commit_soon().await
}
