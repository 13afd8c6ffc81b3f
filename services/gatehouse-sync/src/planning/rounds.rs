//! The task that plans what is noted: it hears of changes, and looks by itself in case a wake-up was
//! lost. Some tenants at a time, each in a transaction of its own.

use super::changes;
use super::plan::{self, Planned};
use crate::sync::Sync;
use chrono::{DateTime, Utc};
use gatehouse_contracts::Wake;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::DbError;
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::TenantScope;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often it is looked for notes.
const TICK: Duration = Duration::from_secs(2);
/// How far back: no transaction of the directory takes longer to commit what it noted.
const RECENT: Duration = Duration::from_secs(180);
/// How often, and at the start, it is looked for all notes that are kept.
const LOOK_AT_ALL: Duration = Duration::from_secs(600);
/// Tenants that are planned at the same time.
const TENANTS_AT_ONCE: usize = 4;
/// How long a tenant waits whose plan failed.
const PAUSE: Duration = Duration::from_secs(5);

/// The task.
pub(super) fn task(sync: &Arc<Sync>) -> Task {
    let sync = Arc::clone(sync);
    Task::new("sync.planning", move |cancel| async move {
        run(&sync, &cancel).await;
    })
}

/// From when on notes are looked for; none: all.
type Since = Option<DateTime<Utc>>;

/// Which tenants wait, are being planned, or rest after a failure.
#[derive(Debug, Default)]
struct Agenda {
    waiting: HashMap<TenantId, Since>,
    under_way: HashSet<TenantId>,
    resting: HashMap<TenantId, Instant>,
}

impl Agenda {
    fn add(&mut self, tenant: TenantId, since: Since) {
        self.waiting
            .entry(tenant)
            .and_modify(|known| *known = (*known).min(since))
            .or_insert(since);
    }

    /// A tenant whose turn it is.
    fn next(&mut self, now: Instant) -> Option<(TenantId, Since)> {
        if self.under_way.len() >= TENANTS_AT_ONCE {
            return None;
        }
        self.resting.retain(|_, until| *until > now);
        let tenant = *self
            .waiting
            .keys()
            .find(|id| !self.under_way.contains(id) && !self.resting.contains_key(id))?;
        let since = self.waiting.remove(&tenant)?;
        self.under_way.insert(tenant);
        Some((tenant, since))
    }

    fn ended(&mut self, tenant: TenantId, failed: bool, now: Instant) {
        self.under_way.remove(&tenant);
        if failed {
            self.resting.insert(tenant, now + PAUSE);
        }
    }
}

fn recently() -> Since {
    Some(Utc::now() - RECENT)
}

async fn run(sync: &Arc<Sync>, cancel: &CancellationToken) {
    let mut wakes = sync.kit.bus.wakes();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut agenda = Agenda::default();
    let mut plans = JoinSet::new();
    let mut looked_at_all: Option<Instant> = None;
    let mut failing = false;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            wake = wakes.recv() => match wake {
                Ok(Wake::Access { tenant_id }) => agenda.add(tenant_id, recently()),
                // The tick finds what was missed.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            Some(ended) = plans.join_next() => if let Ok((tenant, failed)) = ended {
                agenda.ended(tenant, failed, Instant::now());
            },
            _ = tick.tick() => {
                let all = looked_at_all.is_none_or(|at| at.elapsed() > LOOK_AT_ALL);
                match look(sync, if all { None } else { recently() }, &mut agenda).await {
                    Ok(()) => {
                        failing = false;
                        if all {
                            looked_at_all = Some(Instant::now());
                        }
                    }
                    Err(error) => {
                        if !failing {
                            tracing::warn!(%error, "it cannot be looked for changes to plan at the moment");
                        }
                        failing = true;
                    }
                }
            }
        }
        while let Some((tenant, since)) = agenda.next(Instant::now()) {
            let sync = Arc::clone(sync);
            plans.spawn(async move {
                let failed = work_off(&sync, tenant, since).await;
                (tenant, failed)
            });
        }
    }
}

async fn look(sync: &Sync, since: Since, agenda: &mut Agenda) -> Result<(), DbError> {
    let tx = sync.kit.db.system().await?;
    for tenant in changes::tenants_waiting(&tx, since).await? {
        agenda.add(tenant, since);
    }
    tx.commit().await
}

/// Plans all that waits in a tenant; whether that failed.
async fn work_off(sync: &Sync, tenant: TenantId, since: Since) -> bool {
    loop {
        match next(sync, tenant, since).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                if error.is_transient() {
                    tracing::debug!(%error, %tenant, "a plan is made again");
                } else {
                    tracing::warn!(%error, %tenant, "a plan could not be made; it is tried again");
                }
                return true;
            }
        }
    }
}

/// Plans some of what waits in a tenant; whether there was any.
async fn next(sync: &Sync, tenant: TenantId, since: Since) -> Result<bool, DbError> {
    let tx = sync.kit.db.system().await?;
    let scope = changes::waiting(&tx, tenant, since).await?;
    tx.commit().await?;
    let Some(scope) = scope else {
        return Ok(false);
    };
    let began = Instant::now();
    let tx = sync.kit.db.tenant(&scope).await?;
    plan::hold(&tx).await?;
    let noted = changes::take(&tx, since).await?;
    let planned = plan::changes(&tx, Utc::now(), &noted).await?;
    tx.commit().await?;
    if noted.is_empty() {
        // Another process was faster.
        return Ok(true);
    }
    metrics::histogram!("gatehouse_sync_plan_seconds").record(began.elapsed().as_secs_f64());
    tell(sync, &scope, &planned);
    Ok(true)
}

/// Counts what was planned, and wakes whoever offers. Who was offered already may be taken away now, or
/// is told otherwise: the hub reads again, or it would send what waits there in its old order.
pub(super) fn tell(sync: &Sync, scope: &TenantScope, planned: &Planned) {
    for (change, count) in [
        ("add", planned.adds),
        ("update", planned.updates),
        ("remove", planned.removes),
    ] {
        metrics::counter!("gatehouse_sync_planned_total", "change" => change)
            .increment(u64::try_from(count).unwrap_or(0));
    }
    for device in &planned.devices {
        for wake in wakes(planned, scope.tenant(), DeviceId::from_uuid(*device)) {
            sync.kit.bus.wake(wake);
        }
    }
}

fn wakes(
    planned: &Planned,
    tenant_id: TenantId,
    device_id: DeviceId,
) -> impl Iterator<Item = Wake> {
    let offered = (planned.removes > 0 || planned.updates > 0).then_some(Wake::Deliveries {
        tenant_id,
        device_id,
    });
    let due = Wake::Assignments {
        tenant_id,
        device_id,
    };
    offered.into_iter().chain([due])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn who_is_taken_away_overtakes_what_was_offered() {
        let device = DeviceId::from_uuid(Uuid::from_u128(2));
        let of = |adds, updates, removes| {
            let planned = Planned {
                adds,
                updates,
                removes,
                devices: Vec::new(),
            };
            wakes(&planned, tenant(1), device)
                .map(|wake| matches!(wake, Wake::Deliveries { .. }))
                .collect::<Vec<bool>>()
        };
        assert_eq!(of(5, 0, 0), [false]);
        assert_eq!(of(5, 0, 1), [true, false]);
        assert_eq!(of(0, 1, 0), [true, false]);
    }

    fn tenant(id: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(id))
    }

    #[test]
    fn a_tenant_is_planned_once_at_a_time_from_the_earliest_note() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.add(tenant(1), recently());
        agenda.add(tenant(1), None);
        agenda.add(tenant(1), recently());
        assert_eq!(agenda.next(now), Some((tenant(1), None)));
        agenda.add(tenant(1), None);
        assert_eq!(agenda.next(now), None);
        agenda.ended(tenant(1), false, now);
        assert_eq!(agenda.next(now), Some((tenant(1), None)));
    }

    #[test]
    fn a_tenant_rests_after_a_failure_and_holds_up_no_other() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.add(tenant(1), None);
        assert_eq!(agenda.next(now), Some((tenant(1), None)));
        agenda.ended(tenant(1), true, now);
        agenda.add(tenant(1), None);
        agenda.add(tenant(2), None);
        assert_eq!(agenda.next(now), Some((tenant(2), None)));
        assert_eq!(agenda.next(now), None);
        assert_eq!(agenda.next(now + PAUSE), Some((tenant(1), None)));
    }

    #[test]
    fn only_some_tenants_are_planned_at_a_time() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        for id in 0..10 {
            agenda.add(tenant(id), None);
        }
        let begun = std::iter::from_fn(|| agenda.next(now)).count();
        assert_eq!(begun, TENANTS_AT_ONCE);
    }
}
