//! What becomes of a device's assignments when the device itself changes: they go with it, a terminal
//! that was swapped for another confirmed nothing (what it brings along is read), and a device in
//! another zone has other weeks. Each is
//! judged by the rows of this moment, so that order and repeats of events do not matter.

use super::changes::Scope;
use super::{plan, rounds};
use crate::sync::Sync;
use async_trait::async_trait;
use chrono::Utc;
use gatehouse_contracts::{DeviceChanged, Event, RawEnvelope};
use gatehouse_domain::DeviceId;
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, Value};
use std::sync::Arc;

const REASON: &str = "device.changed";

/// Reads changes of devices.
pub(super) fn consumer(sync: &Arc<Sync>) -> Consumer {
    Consumer {
        queue: "sync.devices",
        kinds: &[DeviceChanged::KIND],
        handler: Arc::new(Devices(Arc::clone(sync))),
    }
}

struct Devices(Arc<Sync>);

#[async_trait]
impl Handler for Devices {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let device = message.read::<DeviceChanged>()?.data.device_id;
        let planned = follow(tx, device).await?;
        // Before the commit: whoever looks too early looks again.
        rounds::tell(&self.0, tx.scope(), &planned);
        Ok(())
    }
}

fn values(tx: &TenantTx, device: DeviceId) -> [Value; 2] {
    [tx.tenant_uuid().into(), device.uuid().into()]
}

/// Brings the assignments of a device in line with the device.
pub(super) async fn follow(tx: &TenantTx, device: DeviceId) -> Result<plan::Planned, DbError> {
    // After a plan that may still write rows of the device.
    plan::hold(tx).await?;
    let found = tx
        .conn()
        .query_one_raw(sql(
            "select d.sn, s.sn as known_sn from directory.devices d \
               left join sync.devices s on s.tenant_id = d.tenant_id and s.device_id = d.id \
              where d.tenant_id = $1 and d.id = $2",
            values(tx, device),
        ))
        .await?;
    let Some(row) = found else {
        forget(tx, device).await?;
        return Ok(plan::Planned::default());
    };
    let sn: String = row.try_get("", "sn")?;
    let known: Option<String> = row.try_get("", "known_sn")?;
    let swapped = known.as_ref().is_some_and(|known| *known != sn);
    if known.as_ref() != Some(&sn) {
        let [tenant, device] = values(tx, device);
        tx.conn()
            .execute_raw(sql(
                "insert into sync.devices (tenant_id, device_id, sn) values ($1, $2, $3) \
                 on conflict (tenant_id, device_id) do update set sn = excluded.sn, session = null, \
                   read_back_on = null, full_read_due_at = now()",
                [tenant, device, sn.into()],
            ))
            .await?;
    }
    if swapped {
        swap(tx, device).await?;
    }
    if in_another_zone(tx, device).await? {
        let scope = Scope::device(device.uuid());
        return plan::scope(tx, Utc::now(), scope, REASON).await;
    }
    Ok(plan::Planned::default())
}

/// The device is gone.
async fn forget(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    for statement in [
        "delete from sync.assignments where tenant_id = $1 and device_id = $2",
        "delete from sync.devices where tenant_id = $1 and device_id = $2",
    ] {
        tx.conn()
            .execute_raw(sql(statement, values(tx, device)))
            .await?;
    }
    Ok(())
}

/// Another terminal stands there: nothing is known of what it holds, nothing is on its way to it, and
/// what the other one was asked is no answer.
async fn swap(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    for statement in [
        "update sync.readbacks set state = 'failed', finished_at = now(), removed_meanwhile = '{}', \
                error = 'The terminal was replaced by another. Nothing was changed.' \
          where tenant_id = $1 and device_id = $2 and state in ('counting', 'reading', 'comparing')",
        "delete from sync.assignments where tenant_id = $1 and device_id = $2 and desired is null",
        "update sync.assignments set applied = null, applied_at = null, proved_at = null, maybe_held = false, \
                offer = null, offered = null, offered_session = null, sent_at = null, attempts = 0, urgency = 1, \
                state = case when error_code = 'no_photo' then 'failed' else 'pending' end, \
                due_at = case when error_code = 'no_photo' then null else now() end, \
                error_code = case when error_code = 'no_photo' then error_code end, \
                error_message = case when error_code = 'no_photo' then error_message end \
          where tenant_id = $1 and device_id = $2",
    ] {
        tx.conn()
            .execute_raw(sql(statement, values(tx, device)))
            .await?;
    }
    Ok(())
}

/// Whether persons of the device are told a week of another zone.
async fn in_another_zone(tx: &TenantTx, device: DeviceId) -> Result<bool, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from sync.assignments a \
               join directory.devices d on d.tenant_id = a.tenant_id and d.id = a.device_id \
               join sync.weeks k on k.tenant_id = a.tenant_id and k.id = a.week_id \
              where a.tenant_id = $1 and a.device_id = $2 and k.zone <> d.timezone limit 1",
            values(tx, device),
        ))
        .await?;
    Ok(row.is_some())
}
