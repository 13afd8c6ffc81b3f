//! What a change would do, found by doing it: who is reached on the devices is laid down before, and
//! compared after. Whoever calls lets the transaction go.
//!
//! Who is reached is the view `directory.reach`, by which sync plans too.

use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// What a change does on one device, and to how many persons altogether.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct OnDevice {
    pub(super) device_id: Uuid,
    pub(super) adds: i64,
    pub(super) removes: i64,
    pub(super) updates: i64,
    pub(super) capacity: Option<i32>,
    /// Persons who would be sent there; those without a picture are not.
    pub(super) would_hold: i64,
    pub(super) persons_added: i64,
    pub(super) persons_removed: i64,
    pub(super) persons_updated: i64,
    /// Of those who are added.
    pub(super) without_photo: i64,
}

/// Longer, nobody waits for a preview.
const WITHIN: &str = "set local statement_timeout = '60s'";
/// A million pairs are compared: in memory, so far as that is fair.
const IN_MEMORY: &str = "set local work_mem = '64MB'";

const LAY_DOWN: &str = "insert into reach_before (device_id, person_id, admittance, schedules)
  select device_id, person_id, admittance, schedules from directory.reach
   where tenant_id = $1 and device_id = any($2)";

/// Lays down who is reached on the devices.
///
/// # Errors
/// The database's.
pub(crate) async fn begin(tx: &TenantTx, devices: &[Uuid]) -> Result<(), DbError> {
    for statement in [
        WITHIN,
        IN_MEMORY,
        "create temporary table reach_before (
           device_id uuid not null, person_id uuid not null, admittance text not null, schedules uuid[] not null
         ) on commit drop",
    ] {
        tx.conn().execute_unprepared(statement).await?;
    }
    tx.conn()
        .execute_raw(sql(
            LAY_DOWN,
            [tx.tenant_uuid().into(), devices.to_vec().into()],
        ))
        .await?;
    tx.conn().execute_unprepared("analyze reach_before").await?;
    Ok(())
}

/// The times of a schedule change: whoever passes by it is told others, though it is the same schedule.
///
/// # Errors
/// The database's.
pub(crate) async fn reschedule(tx: &TenantTx, schedule: Uuid) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update reach_before set schedules = array_remove(schedules, $1) where $1 = any(schedules)",
            [schedule.into()],
        ))
        .await?;
    Ok(())
}

const COMPARE: &str = "
  with reached as materialized (
    select device_id, person_id, admittance, schedules, photo_count > 0 as has_photo from directory.reach
     where tenant_id = $1 and device_id = any($2)),
  differing as materialized (
    select coalesce(a.device_id, b.device_id) as device_id, coalesce(a.person_id, b.person_id) as person_id,
           b.device_id is null as added, a.device_id is null as removed, not coalesce(a.has_photo, true) as no_photo
      from reached a
      full join reach_before b on b.device_id = a.device_id and b.person_id = a.person_id
     where a.device_id is null or b.device_id is null or a.admittance <> b.admittance
        or a.admittance = 'scheduled' and a.schedules <> b.schedules),
  persons as (
    select bool_or(added) as added, bool_or(removed) as removed, bool_or(not added and not removed) as updated,
           bool_or(added and no_photo) as without_photo
      from differing group by person_id),
  altogether as (
    select count(*) filter (where added) as persons_added, count(*) filter (where removed) as persons_removed,
           count(*) filter (where updated) as persons_updated, count(*) filter (where without_photo) as without_photo
      from persons),
  devices as (
    select device_id, count(*) filter (where added) as adds, count(*) filter (where removed) as removes,
           count(*) filter (where not added and not removed) as updates
      from differing group by device_id),
  held as (select device_id, count(*) filter (where has_photo) as would_hold from reached group by device_id)
  select x.device_id, x.adds, x.removes, x.updates, d.person_capacity as capacity, coalesce(h.would_hold, 0) as would_hold,
         p.persons_added, p.persons_removed, p.persons_updated, p.without_photo
    from devices x
    join directory.devices d on d.tenant_id = $1 and d.id = x.device_id
    left join held h on h.device_id = x.device_id
   cross join altogether p
   order by x.device_id";

/// Compares who is reached on the devices now with what was laid down: a row for each device on which
/// that differs.
pub(super) async fn compare(tx: &TenantTx, devices: &[Uuid]) -> Result<Vec<OnDevice>, DbError> {
    let statement = sql(COMPARE, [tx.tenant_uuid().into(), devices.to_vec().into()]);
    Ok(OnDevice::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}
