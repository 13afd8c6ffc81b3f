//! Once a day every terminal that is online is counted, at an hour of its night, and read where the
//! count is not what it should be. The devices of a zone are spread over the night, so that they do
//! not all tell at once.
//!
//! A terminal that is new, or that replaced another, is read in full as soon as a session has lasted a
//! minute: it may hold persons of whom the platform knows nothing.

use super::store;
use crate::sync::Sync;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{Database, DbError, SystemTx, TenantTx, sql};
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(60);
/// Devices of one run: a few hundred a minute are enough for a night.
const DEVICES: i64 = 300;
/// How long a session lasts before the whole register is read.
const SETTLED_AFTER_S: i64 = 60;
/// How long it takes until a full read that came to nothing is begun again.
const READ_AGAIN_AFTER_S: i64 = 3_600;
/// A command waits an hour, and a long list takes its time; this much later nobody will tell.
const GIVEN_UP_AFTER_S: i64 = 4 * 3_600;

/// The schedule.
pub(super) fn schedule(sync: &Arc<Sync>) -> Schedule {
    let sync = Arc::clone(sync);
    Schedule::new("sync.readbacks", EVERY, move || {
        let db = sync.kit.db.clone();
        async move { run(&db).await.map_err(|e| e.to_string()) }
    })
}

#[derive(Debug, FromQueryResult)]
pub(super) struct Due {
    tenant_id: Uuid,
    pub(super) device_id: Uuid,
}

async fn run(db: &Database) -> Result<(), DbError> {
    let tx = db.system().await?;
    let due = by_tenant(&tx, due(&tx).await?);
    let unread = by_tenant(&tx, unread(&tx, SETTLED_AFTER_S, DEVICES).await?);
    let stale = by_tenant(&tx, stale(&tx).await?);
    tx.commit().await?;
    let mut last = Ok(());
    let all = [(Step::Full, unread), (Step::Count, due), (Step::End, stale)];
    for (step, of_tenant) in all {
        for (scope, devices) in of_tenant {
            // One tenant's failure is no other's.
            if let Err(error) = take(db, &scope, step, &devices).await {
                tracing::warn!(%error, tenant = %scope.tenant(), "terminals of a tenant are not read back yet");
                last = Err(error);
            }
        }
    }
    last
}

/// What is done with devices of a tenant.
#[derive(Debug, Clone, Copy)]
enum Step {
    Full,
    Count,
    End,
}

async fn take(
    db: &Database,
    scope: &TenantScope,
    step: Step,
    devices: &[Uuid],
) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    match step {
        Step::Full => begin_full(&tx, devices).await?,
        Step::Count => begin(&tx, devices).await?,
        Step::End => {
            let why = "Nothing was heard of it for hours. Nothing was changed; ask again.";
            store::give_up(&tx, GIVEN_UP_AFTER_S, why).await?;
        }
    }
    tx.commit().await
}

fn by_tenant(tx: &SystemTx, rows: Vec<Due>) -> Vec<(TenantScope, Vec<Uuid>)> {
    let mut of_tenant: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for row in rows {
        of_tenant
            .entry(row.tenant_id)
            .or_default()
            .push(row.device_id);
    }
    of_tenant
        .into_iter()
        .map(|(tenant, devices)| {
            (
                tx.scope(TenantId::from_uuid(tenant), Actor::System),
                devices,
            )
        })
        .collect()
}

/// Terminals that are online in their night, whose minute has come, and who were not read today.
async fn due(tx: &SystemTx) -> Result<Vec<Due>, DbError> {
    let statement = sql(
        "select s.tenant_id, s.device_id from sync.devices s \
           join directory.devices d on d.tenant_id = s.tenant_id and d.id = s.device_id and d.protocol = 'terminal_ws' \
           join hub.terminals t on t.tenant_id = s.tenant_id and t.device_id = s.device_id \
            and t.connected_at is not null and t.disconnected_at is null \
          where s.read_back_on is distinct from (now() at time zone d.timezone)::date \
            and (now() at time zone d.timezone)::time >= time '01:00' + abs(hashtext(s.device_id::text) % 240) * interval '1 minute' \
            and (now() at time zone d.timezone)::time < time '06:00' \
          limit $1",
        [DEVICES.into()],
    );
    Ok(Due::find_by_statement(statement).all(tx.conn()).await?)
}

/// Terminals that are online for a while and whose whole register is to be read.
pub(super) async fn unread(
    tx: &SystemTx,
    settled_after_s: i64,
    devices: i64,
) -> Result<Vec<Due>, DbError> {
    let statement = sql(
        "select s.tenant_id, s.device_id from sync.devices s \
           join directory.devices d on d.tenant_id = s.tenant_id and d.id = s.device_id and d.protocol = 'terminal_ws' \
           join hub.terminals t on t.tenant_id = s.tenant_id and t.device_id = s.device_id \
            and t.connected_at <= now() - make_interval(secs => $1::float8) and t.disconnected_at is null \
          where s.full_read_due_at <= now() order by s.full_read_due_at limit $2",
        [settled_after_s.into(), devices.into()],
    );
    Ok(Due::find_by_statement(statement).all(tx.conn()).await?)
}

/// Begins to read whole registers; of two processes one.
///
/// # Errors
/// The database's.
pub(super) async fn begin_full(tx: &TenantTx, devices: &[Uuid]) -> Result<(), DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "update sync.devices set full_read_due_at = now() + make_interval(secs => $3::float8) \
              where tenant_id = $1 and device_id = any($2) and full_read_due_at <= now() returning device_id",
            [
                tx.tenant_uuid().into(),
                devices.to_vec().into(),
                READ_AGAIN_AFTER_S.into(),
            ],
        ))
        .await?;
    for row in rows {
        let device = DeviceId::from_uuid(row.try_get("", "device_id")?);
        store::begin(tx, device, true).await?;
    }
    Ok(())
}

async fn stale(tx: &SystemTx) -> Result<Vec<Due>, DbError> {
    let statement = sql(
        "select tenant_id, device_id from sync.readbacks \
          where state in ('counting', 'reading', 'comparing') and asked_at < now() - make_interval(secs => $1::float8)",
        [GIVEN_UP_AFTER_S.into()],
    );
    Ok(Due::find_by_statement(statement).all(tx.conn()).await?)
}

/// Notes that today is done, and begins; of two processes one.
///
/// # Errors
/// The database's.
pub(super) async fn begin(tx: &TenantTx, devices: &[Uuid]) -> Result<(), DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "update sync.devices s set read_back_on = (now() at time zone d.timezone)::date from directory.devices d \
              where s.tenant_id = $1 and s.device_id = any($2) and d.tenant_id = s.tenant_id and d.id = s.device_id \
                and s.read_back_on is distinct from (now() at time zone d.timezone)::date \
             returning s.device_id",
            [tx.tenant_uuid().into(), devices.to_vec().into()],
        ))
        .await?;
    for row in rows {
        let device = DeviceId::from_uuid(row.try_get("", "device_id")?);
        store::begin(tx, device, false).await?;
    }
    Ok(())
}
