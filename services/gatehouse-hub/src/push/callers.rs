//! Who calls: the device of a serial number, remembered for a moment, because a device calls for
//! several things in a row.

use super::{call::Refusal, store};
use crate::discovered;
use crate::hub::Hub;
use crate::sessions::Pace;
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::tenant::{Actor, TenantScope};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a device is remembered. Whether there is one is asked each time.
const HOLDS: Duration = Duration::from_secs(10);
/// Most devices that are remembered.
const MOST: usize = 50_000;

/// A device that calls.
#[derive(Debug)]
pub(super) struct Caller {
    /// Its tenant, acting as this device.
    pub(super) scope: TenantScope,
    /// The device.
    pub(super) device: DeviceId,
    /// How fast it is served.
    pub(super) pace: Arc<Pace>,
    /// How often it calls, where that is known; 0 where not.
    pub(super) interval_ms: AtomicI64,
    /// When its presence was last written down by this process.
    pub(super) written_ms: Arc<AtomicI64>,
    until: Instant,
}

impl Caller {
    /// Its tenant.
    pub(super) const fn tenant(&self) -> TenantId {
        self.scope.tenant()
    }
}

/// What a serial number stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// A push device of the tenant.
    Device(Arc<Caller>),
    /// No device of the tenant.
    Unclaimed,
    /// A device of another protocol.
    OtherProtocol,
}

/// The devices that called a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    known: Mutex<HashMap<(TenantId, String), Arc<Caller>>>,
}

impl Callers {
    /// Finds a device; one that nobody has claimed is listed as discovered.
    pub(super) async fn find(
        &self,
        hub: &Hub,
        tenant: TenantId,
        sn: &str,
        remote: Option<&str>,
    ) -> Result<Found, Refusal> {
        let key = (tenant, sn.to_owned());
        let known = self.lock().get(&key).cloned();
        if let Some(caller) = known
            .as_ref()
            .filter(|caller| caller.until > Instant::now())
        {
            return Ok(Found::Device(caller.clone()));
        }
        let tx = hub.kit.db.system().await?;
        let Some(row) = store::find_device(&tx, tenant, sn).await? else {
            self.lock().remove(&key);
            discovered::note_caller(&tx, tenant, sn, remote).await?;
            tx.commit_soon().await?;
            return Ok(Found::Unclaimed);
        };
        if row.protocol != DeviceProtocol::HttpPush.as_str() {
            self.lock().remove(&key);
            return Ok(Found::OtherProtocol);
        }
        let device = DeviceId::from_uuid(row.id);
        let caller = Arc::new(Caller {
            scope: tx.scope(tenant, Actor::Terminal(device)),
            device,
            pace: known
                .as_ref()
                .map_or_else(|| Arc::new(Pace::new()), |c| c.pace.clone()),
            interval_ms: AtomicI64::new(row.interval_ms.unwrap_or(0)),
            written_ms: known
                .filter(|known| known.device == device)
                .map_or_else(Arc::default, |known| known.written_ms.clone()),
            until: Instant::now() + HOLDS,
        });
        self.remember(key, caller.clone());
        Ok(Found::Device(caller))
    }

    fn remember(&self, key: (TenantId, String), caller: Arc<Caller>) {
        let mut known = self.lock();
        if known.len() >= MOST {
            let now = Instant::now();
            known.retain(|_, caller| caller.until > now);
        }
        if known.len() < MOST {
            known.insert(key, caller);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, String), Arc<Caller>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// How long it may be silent before it counts as gone: three times the time between its
    /// heartbeats, at least 90 s.
    pub(super) fn silent_for(&self) -> Duration {
        let interval_ms = self.interval_ms.load(Ordering::Relaxed);
        let ms = interval_ms.saturating_mul(3).max(store::SILENT_AT_LEAST_MS);
        Duration::from_millis(ms.try_into().unwrap_or_default())
    }
}
