//! Offering: what differs on a device is handed to the hub, a few at a time, most urgent first.
//!
//! One task per process. It hears that something is due (wakes), that answers were settled (refills),
//! and looks by itself once a second, so that a lost wake-up costs a second. Several processes may do
//! this at once: a device is held by a lock on its row while offers are made for it.
//!
//! Deliberately absent: what is told about a person (the hub builds it at the moment of sending).

use super::offer_store::{self, Busy, Waiting};
use crate::sync::Sync;
use gatehouse_contracts::Wake;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{Database, DbError, SystemTx};
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::{Actor, TenantScope};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often devices with something due are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Devices of one tenant in a round.
const DEVICES_PER_TENANT: i64 = 64;
/// Devices whose answers were settled, in a transaction.
const DEVICES_PER_TRANSACTION: usize = 64;
/// Devices of a round.
const DEVICES_PER_ROUND: i64 = 512;
/// Rounds of a tick: then wakes and refills are heard first.
const ROUNDS: usize = 16;

/// Answers of a device were settled in a transaction that may not have ended yet.
#[derive(Debug, Clone)]
struct Refill {
    scope: TenantScope,
    device_id: DeviceId,
}

/// Devices whose answers were settled in this process.
#[derive(Debug, Default)]
pub(crate) struct Refills {
    waiting: Mutex<HashMap<(TenantId, DeviceId), Refill>>,
    pushed: Notify,
}

impl Refills {
    /// What is settled for a device in a transaction that is about to end: what follows from it is
    /// offered when it has ended.
    pub(crate) fn push(&self, scope: TenantScope, device_id: DeviceId) {
        let refill = Refill { scope, device_id };
        let key = (refill.scope.tenant(), refill.device_id);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(key, refill);
        drop(waiting);
        self.pushed.notify_one();
    }

    fn take(&self) -> Vec<Refill> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_values().collect()
    }
}

/// The task.
pub(super) fn task(sync: &Arc<Sync>) -> Task {
    let sync = Arc::clone(sync);
    Task::new("sync.offers", move |cancel| async move {
        cancel.run_until_cancelled(run(&sync, &cancel)).await;
    })
}

/// What is to be looked at.
#[derive(Debug, Default)]
struct Agenda {
    refills: bool,
    woken: HashSet<Waiting>,
    everything: bool,
}

async fn run(sync: &Sync, cancel: &CancellationToken) {
    let mut wakes = sync.kit.bus.wakes();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let offers = i64::from(sync.settings.offers_per_device.max(1));
    let mut failing = false;
    while !cancel.is_cancelled() {
        let mut agenda = Agenda::default();
        tokio::select! {
            () = sync.refills.pushed.notified() => agenda.refills = true,
            wake = wakes.recv() => match wake {
                Ok(wake) => agenda.woken.extend(concerns(&wake)),
                Err(RecvError::Lagged(_)) => agenda.everything = true,
                Err(RecvError::Closed) => return,
            },
            _ = tick.tick() => agenda.everything = true,
        }
        loop {
            match wakes.try_recv() {
                Ok(wake) => agenda.woken.extend(concerns(&wake)),
                Err(TryRecvError::Lagged(_)) => agenda.everything = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        match work_off(sync, agenda, offers).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "nothing can be offered at the moment");
                }
                failing = true;
            }
        }
    }
}

/// The device that a wake-up is about, where it is one for us.
fn concerns(wake: &Wake) -> Option<Waiting> {
    match wake {
        Wake::Assignments {
            tenant_id,
            device_id,
        }
        | Wake::SessionBegan {
            tenant_id,
            device_id,
            ..
        } => Some(Waiting {
            tenant_id: tenant_id.uuid(),
            device_id: device_id.uuid(),
        }),
        Wake::Commands { .. }
        | Wake::CommandFinished { .. }
        | Wake::Device { .. }
        | Wake::TerminalToken { .. }
        | Wake::Deliveries { .. }
        | Wake::Access { .. }
        | Wake::Job => None,
    }
}

async fn work_off(sync: &Sync, agenda: Agenda, offers: i64) -> Result<(), DbError> {
    if agenda.refills || agenda.everything {
        refill(sync, offers).await?;
    }
    if agenda.everything {
        set_back(sync).await?;
        for _ in 0..ROUNDS {
            if round(sync, None, offers).await? == 0 {
                break;
            }
            refill(sync, offers).await?;
        }
    } else if !agenda.woken.is_empty() {
        let woken: Vec<Waiting> = agenda.woken.into_iter().collect();
        round(sync, Some(&woken), offers).await?;
    }
    Ok(())
}

/// Offers to devices whose answers were settled. Their rows are held by the transactions that settle
/// until those end, so this begins when the answers count.
async fn refill(sync: &Sync, offers: i64) -> Result<(), DbError> {
    let mut of_tenant: BTreeMap<TenantId, (TenantScope, Vec<Uuid>)> = BTreeMap::new();
    for Refill { scope, device_id } in sync.refills.take() {
        let (_, devices) = of_tenant
            .entry(scope.tenant())
            .or_insert_with(|| (scope, Vec::new()));
        devices.push(device_id.uuid());
    }
    for (scope, devices) in of_tenant.into_values() {
        for some in devices.chunks(DEVICES_PER_TRANSACTION) {
            // What is not offered now is found by the look.
            if let Err(error) = offer(sync, &scope, some, Busy::Await, offers).await {
                not_now(&error, &scope);
            }
        }
    }
    Ok(())
}

/// One look, and offers to what it finds; how many were made.
async fn round(sync: &Sync, among: Option<&[Waiting]>, offers: i64) -> Result<usize, DbError> {
    let tx = sync.kit.db.system().await?;
    let found =
        offer_store::waiting(&tx, among, offers, DEVICES_PER_TENANT, DEVICES_PER_ROUND).await?;
    let of_tenant = by_tenant(&tx, found);
    tx.commit().await?;
    let mut made = 0_usize;
    for (scope, devices) in of_tenant {
        match offer(sync, &scope, &devices, Busy::Skip, offers).await {
            Ok(offered) => made = made.saturating_add(offered),
            Err(error) => not_now(&error, &scope),
        }
    }
    Ok(made)
}

/// What terminals that have gone were offered waits again.
async fn set_back(sync: &Sync) -> Result<(), DbError> {
    let tx = sync.kit.db.system().await?;
    let gone = offer_store::gone(&tx, DEVICES_PER_ROUND).await?;
    let of_tenant = by_tenant(&tx, gone);
    tx.commit().await?;
    for (scope, devices) in of_tenant {
        if let Err(error) = set_back_in(&sync.kit.db, &scope, &devices).await {
            not_now(&error, &scope);
        }
    }
    Ok(())
}

async fn set_back_in(db: &Database, scope: &TenantScope, devices: &[Uuid]) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    offer_store::set_back(&tx, devices).await?;
    tx.commit().await
}

/// One tenant's failure is no other's.
fn not_now(error: &DbError, scope: &TenantScope) {
    if error.is_transient() {
        tracing::debug!(%error, tenant = %scope.tenant(), "nothing is offered in a tenant this time");
    } else {
        tracing::warn!(%error, tenant = %scope.tenant(), "nothing can be offered in a tenant at the moment");
    }
}

fn by_tenant(tx: &SystemTx, found: Vec<Waiting>) -> Vec<(TenantScope, Vec<Uuid>)> {
    let mut of_tenant: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for one in found {
        let devices = of_tenant.entry(one.tenant_id).or_default();
        devices.push(one.device_id);
    }
    let scope = |tenant| tx.scope(TenantId::from_uuid(tenant), Actor::System);
    of_tenant
        .into_iter()
        .map(|(tenant, devices)| (scope(tenant), devices))
        .collect()
}

async fn offer(
    sync: &Sync,
    scope: &TenantScope,
    devices: &[Uuid],
    busy: Busy,
    offers: i64,
) -> Result<usize, DbError> {
    let offered = offer_to(&sync.kit.db, scope, devices, busy, offers).await?;
    let made = offered.len();
    metrics::counter!("gatehouse_sync_offers_total").increment(u64::try_from(made).unwrap_or(0));
    let told: HashSet<Uuid> = offered.into_iter().collect();
    for device in told {
        sync.kit.bus.wake(Wake::Deliveries {
            tenant_id: scope.tenant(),
            device_id: DeviceId::from_uuid(device),
        });
    }
    Ok(made)
}

/// Makes offers to devices of one tenant, in one transaction; the device of each.
///
/// # Errors
/// The database's.
pub(super) async fn offer_to(
    db: &Database,
    scope: &TenantScope,
    devices: &[Uuid],
    busy: Busy,
    offers: i64,
) -> Result<Vec<Uuid>, DbError> {
    let tx = db.tenant(scope).await?;
    let held = offer_store::hold(&tx, devices, busy).await?;
    if held.is_empty() {
        tx.commit().await?;
        return Ok(Vec::new());
    }
    offer_store::renew(&tx, &held).await?;
    let offered = offer_store::offer(&tx, &held, offers).await?;
    tx.commit().await?;
    Ok(offered)
}
