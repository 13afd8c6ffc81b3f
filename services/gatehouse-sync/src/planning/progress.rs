//! The SQL of how far changes have come.

use chrono::{DateTime, Utc};
use gatehouse_domain::DistributionId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A change, planned or not.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) reason: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) planned_at: Option<DateTime<Utc>>,
    pub(super) planned_with: Option<Uuid>,
    pub(super) adds: i64,
    pub(super) updates: i64,
    pub(super) removes: i64,
    /// Whether a terminal has not answered yet.
    pub(super) open: bool,
}

impl Row {
    /// The change whose id the assignments bear.
    pub(super) fn leader(&self) -> Uuid {
        self.planned_with.unwrap_or(self.id)
    }
}

/// A device of a change. `all_open` and `all_failed` are of all devices together.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct DeviceRow {
    pub(super) device_id: Uuid,
    pub(super) device_name: Option<String>,
    pub(super) adds: i64,
    pub(super) updates: i64,
    pub(super) removes: i64,
    pub(super) open: i64,
    pub(super) failed: i64,
    pub(super) online: Option<bool>,
    pub(super) offline_since: Option<DateTime<Utc>>,
    pub(super) all_open: i64,
    pub(super) all_failed: i64,
    pub(super) devices: i64,
}

/// A planned change `d`, and one that waits, `c`, in the same columns.
const PLANNED: &str = "select d.id, d.reason, coalesce(c.created_at, d.planned_at) as created_at, d.planned_at, d.planned_with, \
        d.adds, d.updates, d.removes, \
        exists (select from sync.assignments a where a.tenant_id = d.tenant_id and a.change_id = coalesce(d.planned_with, d.id) \
                   and a.state <> 'applied' and a.state in ('pending', 'sending', 'removing')) as open \
   from sync.distributions d \
   left join directory.access_changes c on c.tenant_id = d.tenant_id and c.id = d.id \
  where d.tenant_id = $1";
const WAITING: &str = "select c.id, c.reason, c.created_at, null::timestamptz as planned_at, null::uuid as planned_with, \
        0::int8 as adds, 0::int8 as updates, 0::int8 as removes, true as open \
   from directory.access_changes c \
  where c.tenant_id = $1 \
    and not exists (select from sync.distributions d where d.tenant_id = c.tenant_id and d.id = c.id)";

pub(super) async fn find(tx: &TenantTx, id: DistributionId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{PLANNED} and d.id = $2 union all {WAITING} and c.id = $2"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Changes, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    below: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "(select * from ({PLANNED} and d.id < $2 order by d.id desc limit $3) p) \
             union all (select * from ({WAITING} and c.id < $2 order by c.id desc limit $3) w) \
             order by id desc limit $3"
        ),
        [
            tx.tenant_uuid().into(),
            below.unwrap_or(Uuid::max()).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// The devices of a change, those first for which most is open.
pub(super) async fn devices(
    tx: &TenantTx,
    leader: Uuid,
    limit: i64,
) -> Result<Vec<DeviceRow>, DbError> {
    let statement = sql(
        "select i.device_id, d.name as device_name, i.adds, i.updates, i.removes, \
                coalesce(o.open, 0) as open, coalesce(o.failed, 0) as failed, \
                case when d.protocol = 'terminal_ws' then t.connected_at is not null and t.disconnected_at is null end as online, \
                case when d.protocol = 'terminal_ws' then t.disconnected_at end as offline_since, \
                coalesce(sum(o.open) over (), 0)::int8 as all_open, coalesce(sum(o.failed) over (), 0)::int8 as all_failed, \
                count(*) over () as devices \
           from sync.distribution_devices i \
           left join (select a.device_id, count(*) filter (where a.state <> 'failed') as open, \
                             count(*) filter (where a.state = 'failed') as failed \
                        from sync.assignments a where a.tenant_id = $1 and a.change_id = $2 and a.state <> 'applied' \
                       group by a.device_id) o on o.device_id = i.device_id \
           left join directory.devices d on d.tenant_id = i.tenant_id and d.id = i.device_id \
           left join hub.terminals t on t.tenant_id = i.tenant_id and t.device_id = i.device_id \
          where i.tenant_id = $1 and i.distribution_id = $2 \
          order by coalesce(o.open, 0) + coalesce(o.failed, 0) desc, i.device_id limit $3",
        [tx.tenant_uuid().into(), leader.into(), limit.into()],
    );
    Ok(DeviceRow::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}
