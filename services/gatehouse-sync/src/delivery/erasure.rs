//! Erased persons: which terminals may still hold them, and word to the receipt when each no longer
//! does. How somebody is taken away is the same as for everybody (`planning`, `offers`); here it is
//! only followed. A place is done when the assignment is gone, by whatever way it went.

use crate::sync::Sync;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gatehouse_contracts::{ErasureProgressed, Event, PersonErased, RawEnvelope};
use gatehouse_domain::{DeviceId, ErasureId, TenantId};
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{Database, DbError, SYNC, TenantTx, sql};
use gatehouse_platform::outbox;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked which terminals are done.
const EVERY: Duration = Duration::from_secs(2);
/// Tenants of a look.
const TENANTS: i64 = 100;

/// Where all terminals together are one place of a receipt.
const ALL_TERMINALS: &str = "terminals";
const TERMINAL: &str = "terminal";

/// Reads erasures.
pub(super) fn consumer(_: &Arc<Sync>) -> Consumer {
    Consumer {
        queue: "sync.erasures",
        kinds: &[PersonErased::KIND],
        handler: Arc::new(Erasures),
    }
}

struct Erasures;

#[async_trait]
impl Handler for Erasures {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let event = message.read::<PersonErased>()?.data;
        Ok(follow(tx, event.erasure_id, &event.person_number).await?)
    }
}

#[derive(Debug, FromQueryResult)]
struct Holding {
    device_id: Uuid,
    protocol: Option<String>,
    connected_at: Option<DateTime<Utc>>,
    disconnected_at: Option<DateTime<Utc>>,
}

impl Holding {
    fn detail(&self) -> String {
        match (
            self.protocol.as_deref(),
            self.connected_at,
            self.disconnected_at,
        ) {
            (Some("http_push"), ..) => "Waits for the device to fetch the removal.".to_owned(),
            (_, _, Some(since)) => format!(
                "Waits for the terminal, which is offline since {}.",
                since.format("%Y-%m-%d %H:%M UTC")
            ),
            (_, Some(_), None) => "The removal is on its way to the terminal.".to_owned(),
            (_, None, None) => "Waits for the terminal, which was never online.".to_owned(),
        }
    }
}

/// Begins to follow an erased person: every terminal that has a row of them, and every one that the
/// receipt waits for.
///
/// # Errors
/// The database's.
pub(super) async fn follow(tx: &TenantTx, erasure: ErasureId, number: &str) -> Result<(), DbError> {
    let statement = sql(
        "with held as ( \
           select device_id from sync.assignments where tenant_id = $1 and number = $3 \
             and device_id in (select id from directory.devices where tenant_id = $1) \
           union \
           select device_id from directory.erasure_places \
            where tenant_id = $1 and erasure_id = $2 and place = 'terminal' and state = 'pending'), \
         noted as ( \
           insert into sync.erasing (tenant_id, erasure_id, device_id, number, sn) \
           select $1, $2, h.device_id, $3, d.sn from held h \
             left join directory.devices d on d.tenant_id = $1 and d.id = h.device_id on conflict do nothing) \
         select h.device_id, d.protocol, t.connected_at, t.disconnected_at from held h \
           left join directory.devices d on d.tenant_id = $1 and d.id = h.device_id \
           left join hub.terminals t on t.tenant_id = $1 and t.device_id = h.device_id",
        [
            tx.tenant_uuid().into(),
            erasure.uuid().into(),
            number.into(),
        ],
    );
    let holding = Holding::find_by_statement(statement).all(tx.conn()).await?;
    for one in &holding {
        let detail = one.detail();
        tell(tx, erasure, TERMINAL, Some(one.device_id), false, detail).await?;
    }
    if holding.is_empty() {
        let detail = "No terminal holds the person.".to_owned();
        tell(tx, erasure, ALL_TERMINALS, None, true, detail).await?;
    }
    Ok(())
}

async fn tell(
    tx: &TenantTx,
    erasure_id: ErasureId,
    place: &str,
    device: Option<Uuid>,
    done: bool,
    detail: String,
) -> Result<(), DbError> {
    let event = ErasureProgressed {
        erasure_id,
        place: place.to_owned(),
        device_id: device.map(DeviceId::from_uuid),
        done,
        detail,
    };
    outbox::publish(tx, SYNC, event).await?;
    Ok(())
}

/// The schedule.
pub(super) fn schedule(sync: &Arc<Sync>) -> Schedule {
    let sync = Arc::clone(sync);
    Schedule::new("sync.erasures", EVERY, move || {
        let db = sync.kit.db.clone();
        async move { look(&db).await.map_err(|e| e.to_string()) }
    })
}

/// Which terminals are done since the last look.
async fn look(db: &Database) -> Result<(), DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct e.tenant_id from sync.erasing e \
              where not exists (select from sync.assignments a where a.tenant_id = e.tenant_id \
                and a.device_id = e.device_id and a.number = e.number) limit $1",
            [TENANTS.into()],
        ))
        .await?;
    let scopes = rows
        .iter()
        .map(|row| {
            let tenant = TenantId::from_uuid(row.try_get("", "tenant_id")?);
            Ok(tx.scope(tenant, Actor::System))
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    tx.commit().await?;
    let mut last = Ok(());
    for scope in scopes {
        // One tenant's failure is no other's.
        if let Err(error) = finish_in(db, &scope).await {
            tracing::warn!(%error, tenant = %scope.tenant(), "receipts do not learn yet which terminals are done");
            last = Err(error);
        }
    }
    last
}

async fn finish_in(db: &Database, scope: &TenantScope) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    finish(&tx).await?;
    tx.commit().await
}

#[derive(Debug, FromQueryResult)]
struct Finished {
    erasure_id: Uuid,
    device_id: Uuid,
    /// Of the terminal that held the person.
    sn: Option<String>,
    /// Of the one that stands there now.
    sn_now: Option<String>,
}

impl Finished {
    /// A terminal that was taken out of reach proved nothing.
    fn detail(&self) -> String {
        match (&self.sn, &self.sn_now) {
            (_, None) => "The device was removed, and the platform no longer reaches it; it may hold the person still. Wipe it.".to_owned(),
            (Some(sn), Some(now)) if sn != now => format!(
                "The terminal {sn} was replaced, and the platform no longer reaches it; it may hold the person still. Wipe it."
            ),
            (_, Some(_)) => "The terminal holds nothing of the person.".to_owned(),
        }
    }
}

/// Tells the receipts which terminals are done, and those for which no terminal is left.
///
/// # Errors
/// The database's.
pub(super) async fn finish(tx: &TenantTx) -> Result<(), DbError> {
    let statement = sql(
        "delete from sync.erasing e where e.tenant_id = $1 \
            and not exists (select from sync.assignments a where a.tenant_id = e.tenant_id \
              and a.device_id = e.device_id and a.number = e.number) \
         returning e.erasure_id, e.device_id, e.sn, \
           (select d.sn from directory.devices d where d.tenant_id = e.tenant_id and d.id = e.device_id) as sn_now",
        [tx.tenant_uuid().into()],
    );
    let finished = Finished::find_by_statement(statement)
        .all(tx.conn())
        .await?;
    for one in &finished {
        let erasure = ErasureId::from_uuid(one.erasure_id);
        tell(
            tx,
            erasure,
            TERMINAL,
            Some(one.device_id),
            true,
            one.detail(),
        )
        .await?;
    }
    let mut erasures: Vec<Uuid> = finished.iter().map(|one| one.erasure_id).collect();
    erasures.sort_unstable();
    erasures.dedup();
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select f.erasure_id from unnest($2::uuid[]) f (erasure_id) \
              where not exists (select from sync.erasing e where e.tenant_id = $1 and e.erasure_id = f.erasure_id)",
            [tx.tenant_uuid().into(), erasures.into()],
        ))
        .await?;
    for row in rows {
        let erasure = ErasureId::from_uuid(row.try_get("", "erasure_id")?);
        let detail = "No terminal within reach holds the person any more.".to_owned();
        tell(tx, erasure, ALL_TERMINALS, None, true, detail).await?;
    }
    Ok(())
}
