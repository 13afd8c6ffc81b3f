//! Who is there, told to others the way sockets tell it (`sessions::presence`): a lease in Redis and
//! the device's row in `hub.terminals`, with session 0. Nothing ends such a session but silence.

use super::callers::Caller;
use super::store;
use crate::hub::Hub;
use crate::sessions::lease_key;
use chrono::Utc;
use gatehouse_platform::db::DbError;
use gatehouse_platform::service::Schedule;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Calls within this time of the last note are not written down again.
const WRITTEN_AFTER_MS: i64 = 20_000;
/// Heartbeats closer together than this are one.
const BEAT_AFTER_MS: i64 = 2_000;
const LOOKED_FOR_EVERY: Duration = Duration::from_secs(15);

/// A device called for something.
pub(super) async fn seen(hub: &Hub, caller: &Caller, remote: Option<&str>) {
    note(hub, caller, remote, false, WRITTEN_AFTER_MS).await;
}

/// A device said that it is there.
pub(super) async fn beat(hub: &Hub, caller: &Caller, remote: Option<&str>) {
    note(hub, caller, remote, true, BEAT_AFTER_MS).await;
}

/// Presence is no reason to refuse a call: where a store is away, the next call tells it.
async fn note(hub: &Hub, caller: &Caller, remote: Option<&str>, is_beat: bool, after_ms: i64) {
    let now_ms = Utc::now().timestamp_millis();
    let before_ms = caller.written_ms.load(Ordering::Relaxed);
    if now_ms.saturating_sub(before_ms) < after_ms {
        return;
    }
    caller.written_ms.store(now_ms, Ordering::Relaxed);
    match write(hub, caller, remote, is_beat).await {
        Ok(Some(interval_ms)) => caller.interval_ms.store(interval_ms, Ordering::Relaxed),
        Ok(None) => {}
        Err(error) => {
            caller.written_ms.store(before_ms, Ordering::Relaxed);
            tracing::debug!(%error, device = %caller.device, "a call is not written down");
        }
    }
    let lease = (
        lease_key(caller.tenant(), caller.device),
        format!("{}:0", hub.kit.node),
    );
    if let Err(error) = hub.kit.cache.hold(&[lease], caller.silent_for()).await {
        tracing::debug!(%error, device = %caller.device, "a device's presence could not be told");
    }
}

/// Answers how often the device beats, where that is known.
async fn write(
    hub: &Hub,
    caller: &Caller,
    remote: Option<&str>,
    is_beat: bool,
) -> Result<Option<i64>, DbError> {
    let tx = hub.kit.db.tenant(&caller.scope).await?;
    store::seen(&tx, caller.device, remote, &hub.kit.node).await?;
    let interval_ms = if is_beat {
        store::beat(&tx, caller.device).await?
    } else {
        None
    };
    store::soon(&tx).await?;
    tx.commit().await?;
    Ok(interval_ms)
}

/// Ends the sessions of devices that have been silent for too long.
pub(super) fn silent_devices(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.push.silent", LOOKED_FOR_EVERY, move || {
        let hub = hub.clone();
        async move { end_silent(&hub).await.map_err(|error| error.to_string()) }
    })
}

async fn end_silent(hub: &Hub) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    let ended = store::end_silent(&tx).await?;
    tx.commit().await?;
    if ended > 0 {
        tracing::info!(devices = ended, "push devices fell silent");
    }
    Ok(())
}
