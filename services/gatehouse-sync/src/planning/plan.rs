//! Planning for one tenant, in one transaction: from a scope to the assignments that follow from the
//! authorities of this moment. One plan of a tenant at a time, whichever process makes it.

use super::changes::{Change, Scope};
use super::{rows, weeks};
use chrono::{DateTime, Utc};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// Devices that are woken after a plan; the others are found by whoever looks.
const WOKEN_DEVICES: i64 = 200;

/// What a plan changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromQueryResult)]
pub(super) struct Planned {
    /// Persons that devices should hold from now on.
    pub(super) adds: i64,
    /// Persons that devices should hold otherwise.
    pub(super) updates: i64,
    /// Persons that devices should hold no longer.
    pub(super) removes: i64,
    /// Some of the devices for which something changed, first those from which somebody is taken away.
    pub(super) devices: Vec<Uuid>,
}

impl Planned {
    /// Whether anything changed.
    pub(super) const fn is_empty(&self) -> bool {
        self.adds == 0 && self.updates == 0 && self.removes == 0
    }
}

/// Waits for whoever plans for the tenant, and keeps others waiting until the transaction ends.
pub(super) async fn hold(tx: &TenantTx) -> Result<(), DbError> {
    let name = format!("sync.planning/{}", tx.tenant_uuid());
    tx.conn()
        .execute_raw(sql(
            "select pg_advisory_xact_lock(hashtextextended($1, 0))",
            [name.into()],
        ))
        .await?;
    Ok(())
}

/// Plans what notes of the directory ask for. The tenant is held.
pub(super) async fn changes(
    tx: &TenantTx,
    now: DateTime<Utc>,
    changes: &[Change],
) -> Result<Planned, DbError> {
    let Some(last) = changes.last() else {
        return Ok(Planned::default());
    };
    let planned = assign(tx, now, Scope::of(changes), last.id).await?;
    for change in changes {
        let with = (change.id != last.id).then_some(last.id);
        enter(tx, change.id, &change.reason, with, &planned).await?;
    }
    itemise(tx, last.id).await?;
    Ok(planned)
}

/// Plans a scope that no note names, for a reason of ours; it is entered as a distribution only where
/// it changed something. The tenant is held.
pub(super) async fn scope(
    tx: &TenantTx,
    now: DateTime<Utc>,
    scope: Scope,
    reason: &str,
) -> Result<Planned, DbError> {
    let id = Uuid::now_v7();
    let planned = assign(tx, now, scope, id).await?;
    if !planned.is_empty() {
        enter(tx, id, reason, None, &planned).await?;
        itemise(tx, id).await?;
    }
    Ok(planned)
}

async fn assign(
    tx: &TenantTx,
    now: DateTime<Utc>,
    mut scope: Scope,
    id: Uuid,
) -> Result<Planned, DbError> {
    // Set operations over up to millions of rows: memory for sorting, and plans for the sizes at hand.
    tx.conn()
        .execute_unprepared(
            "select set_config('work_mem', '64MB', true), set_config('plan_cache_mode', 'force_custom_plan', true)",
        )
        .await?;
    let widened = weeks::refresh(tx, now, scope.has_devices()).await?;
    scope.widen(widened.devices, widened.persons);
    rows::prepare(tx).await?;
    if !scope.is_empty() {
        let laid_out = rows::lay_out(tx, &scope).await?;
        weeks::complete(tx, now).await?;
        rows::withdraw(tx, id, laid_out).await?;
        rows::change(tx, id, laid_out).await?;
        rows::add(tx, id, laid_out).await?;
        rows::join_by_hash(tx, false).await?;
    }
    let statement = sql(
        "select coalesce(sum(adds), 0)::int8 as adds, coalesce(sum(updates), 0)::int8 as updates, \
                coalesce(sum(removes), 0)::int8 as removes, \
                array(select device_id from pg_temp.tally group by device_id \
                      order by sum(removes) = 0, device_id limit $1) as devices \
           from pg_temp.tally",
        [WOKEN_DEVICES.into()],
    );
    let planned = Planned::find_by_statement(statement).one(tx.conn()).await?;
    Ok(planned.unwrap_or_default())
}

async fn enter(
    tx: &TenantTx,
    id: Uuid,
    reason: &str,
    with: Option<Uuid>,
    planned: &Planned,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into sync.distributions (tenant_id, id, reason, planned_with, adds, updates, removes) \
             values ($1, $2, $3, $4, $5, $6, $7)",
            [
                tx.tenant_uuid().into(),
                id.into(),
                reason.into(),
                with.into(),
                planned.adds.into(),
                planned.updates.into(),
                planned.removes.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Enters what was tallied per device.
async fn itemise(tx: &TenantTx, id: Uuid) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into sync.distribution_devices (tenant_id, distribution_id, device_id, adds, updates, removes) \
             select $1, $2, device_id, sum(adds), sum(updates), sum(removes) from pg_temp.tally group by device_id",
            [tx.tenant_uuid().into(), id.into()],
        ))
        .await?;
    Ok(())
}
