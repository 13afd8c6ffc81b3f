//! Rows of `directory.devices`, read together with the hub's row about the terminal.

use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_schema::entities::directory::devices::{ActiveModel, Entity, Model};
use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, QuerySelect, Set, Unchanged};
use uuid::Uuid;

/// A device, and what is known of it from its sessions.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) sn: String,
    pub(super) name: String,
    pub(super) protocol: String,
    pub(super) location: String,
    pub(super) direction: Option<String>,
    pub(super) timezone: String,
    pub(super) sign_check: String,
    pub(super) door_decision: String,
    pub(super) person_capacity: Option<i32>,
    pub(super) deny_above_celsius: Option<f32>,
    pub(super) deny_without_mask: bool,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
    pub(super) connected_at: Option<DateTime<Utc>>,
    pub(super) disconnected_at: Option<DateTime<Utc>>,
    pub(super) last_seen_at: Option<DateTime<Utc>>,
    pub(super) close_reason: Option<String>,
    pub(super) remote_address: Option<String>,
    pub(super) protocol_version: Option<String>,
    pub(super) hardware_version: Option<String>,
    pub(super) software_version: Option<String>,
    pub(super) algorithm_version: Option<String>,
    pub(super) sign_verdict: Option<String>,
    pub(super) clock_offset_ms: Option<i64>,
    pub(super) clock_measured_at: Option<DateTime<Utc>>,
    pub(super) longitude: Option<f64>,
    pub(super) latitude: Option<f64>,
    pub(super) unknown_messages: i64,
    pub(super) malformed_messages: i64,
}

const SELECT: &str = "
  select d.id, d.number, d.sn, d.name, d.protocol, d.location, d.direction, d.timezone, d.sign_check,
         d.door_decision, d.person_capacity, d.deny_above_celsius, d.deny_without_mask, d.created_at, d.updated_at, d.version,
         t.connected_at, t.disconnected_at, t.last_seen_at, t.close_reason, t.remote_address,
         t.protocol_version, t.hardware_version, t.software_version, t.algorithm_version, t.sign_verdict,
         t.clock_offset_ms, t.clock_measured_at, t.longitude, t.latitude,
         coalesce(t.unknown_messages, 0) as unknown_messages,
         coalesce(t.malformed_messages, 0) as malformed_messages
    from directory.devices d
    left join hub.terminals t on t.tenant_id = d.tenant_id and t.device_id = d.id
   where d.tenant_id = $1";

pub(super) async fn read(tx: &TenantTx, id: DeviceId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and d.id = $2"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// The device of a serial number.
pub(super) async fn by_sn(tx: &TenantTx, sn: &str) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and d.sn = $2"),
        [tx.tenant_uuid().into(), sn.into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Those of the devices that there are.
pub(super) async fn of(tx: &TenantTx, ids: Vec<Uuid>) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and d.id = any($2)"),
        [tx.tenant_uuid().into(), ids.into()],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// Which devices are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) sn: Option<String>,
    /// A part of the name, in whatever case.
    pub(super) name: Option<String>,
    pub(super) protocol: Option<DeviceProtocol>,
    /// Only those that may have a live session, by the hub's rows.
    pub(super) connected: bool,
    /// The last device that was read before.
    pub(super) after: Option<Uuid>,
}

/// Devices, newest first.
pub(super) async fn list(tx: &TenantTx, wanted: &Wanted, limit: u64) -> Result<Vec<Row>, DbError> {
    let Wanted {
        sn,
        name,
        protocol,
        connected,
        after,
    } = wanted;
    let statement = sql(
        &format!(
            "{SELECT}
               and ($2::uuid is null or d.id < $2)
               and ($3::text is null or d.sn = $3)
               and ($4::text is null or position(lower($4) in lower(d.name)) > 0)
               and ($5::text is null or d.protocol = $5)
               and (not $6::boolean or t.connected_at > coalesce(t.disconnected_at, '-infinity'))
             order by d.id desc limit $7"
        ),
        [
            tx.tenant_uuid().into(),
            (*after).into(),
            sn.clone().into(),
            name.clone().into(),
            protocol.map(|p| p.to_string()).into(),
            (*connected).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

pub(super) async fn insert(tx: &TenantTx, row: ActiveModel) -> Result<Model, DbError> {
    Ok(row.insert(tx.conn()).await?)
}

/// Reads a device and keeps others from changing it until the transaction ends.
pub(super) async fn read_to_change(tx: &TenantTx, id: DeviceId) -> Result<Option<Model>, DbError> {
    Ok(Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

/// Writes what was changed, with the next version.
pub(super) async fn update(
    tx: &TenantTx,
    old: &Model,
    mut change: ActiveModel,
) -> Result<(), DbError> {
    change.tenant_id = Unchanged(old.tenant_id);
    change.id = Unchanged(old.id);
    change.updated_at = Set(Utc::now());
    change.version = Set(old.version.saturating_add(1));
    change.update(tx.conn()).await?;
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: DeviceId) -> Result<(), DbError> {
    Entity::delete_by_id((tx.tenant_uuid(), id.uuid()))
        .exec(tx.conn())
        .await?;
    Ok(())
}

#[cfg(test)]
impl Row {
    /// A device that was never seen.
    pub(super) fn sample() -> Self {
        Self {
            id: Uuid::from_u128(2),
            number: 1,
            sn: "SN-1".into(),
            name: "North gate".into(),
            protocol: "terminal_ws".into(),
            location: String::new(),
            direction: None,
            timezone: "UTC".into(),
            sign_check: "warn".into(),
            door_decision: "terminal".into(),
            person_capacity: None,
            deny_above_celsius: None,
            deny_without_mask: false,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
            connected_at: None,
            disconnected_at: None,
            last_seen_at: None,
            close_reason: None,
            remote_address: None,
            protocol_version: None,
            hardware_version: None,
            software_version: None,
            algorithm_version: None,
            sign_verdict: None,
            clock_offset_ms: None,
            clock_measured_at: None,
            longitude: None,
            latitude: None,
            unknown_messages: 0,
            malformed_messages: 0,
        }
    }
}
