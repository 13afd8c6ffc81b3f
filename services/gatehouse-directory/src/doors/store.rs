//! Rows of `directory.doors` and `directory.door_devices`.

use super::request::Content;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, DoorId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// A door with its devices.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) location: String,
    pub(super) switch_address: Option<String>,
    pub(super) device_ids: Vec<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl Row {
    /// What a request could say.
    pub(super) fn content(&self) -> Content {
        Content {
            name: self.name.clone(),
            location: self.location.clone(),
            switch_address: self.switch_address.clone(),
            devices: self.device_ids.clone(),
        }
    }
}

const SELECT: &str = "
  select d.id, d.number, d.name, d.location, d.switch_address, d.created_at, d.updated_at, d.version,
         array(select x.device_id from directory.door_devices x
                where x.tenant_id = d.tenant_id and x.door_id = d.id order by x.device_id) as device_ids
    from directory.doors d
   where d.tenant_id = $1";

pub(super) async fn read(tx: &TenantTx, id: DoorId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and d.id = $2"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Reads a door and keeps others from changing it, and authorities from beginning to use it, until the
/// transaction ends. The lock comes first, so that what is read is of after it.
pub(super) async fn read_to_change(tx: &TenantTx, id: DoorId) -> Result<Option<Row>, DbError> {
    tx.conn()
        .execute_raw(sql(
            "select from directory.doors where tenant_id = $1 and id = $2 for update",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    read(tx, id).await
}

/// Which doors are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// A part of the name, in whatever case.
    pub(super) name: Option<String>,
    /// A device at it.
    pub(super) device: Option<DeviceId>,
    /// The last door that was read before.
    pub(super) after: Option<Uuid>,
}

/// Doors, newest first.
pub(super) async fn list(tx: &TenantTx, wanted: Wanted, limit: u64) -> Result<Vec<Row>, DbError> {
    let Wanted {
        name,
        device,
        after,
    } = wanted;
    let statement = sql(
        &format!(
            "{SELECT}
               and ($2::uuid is null or d.id < $2)
               and ($3::text is null or position(lower($3) in lower(d.name)) > 0)
               and ($4::uuid is null or d.id in (
                     select x.door_id from directory.door_devices x where x.tenant_id = $1 and x.device_id = $4))
             order by d.id desc limit $5"
        ),
        [
            tx.tenant_uuid().into(),
            after.into(),
            name.into(),
            device.map(DeviceId::uuid).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

pub(super) async fn insert(tx: &TenantTx, id: DoorId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.doors (tenant_id, id, name, location, switch_address) values ($1, $2, $3, $4, $5)",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                new.location.clone().into(),
                new.switch_address.clone().into(),
            ],
        ))
        .await?;
    put_devices(tx, id, &new.devices).await
}

/// Writes what a door becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: DoorId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.doors set name = $3, location = $4, switch_address = $5, updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                new.location.clone().into(),
                new.switch_address.clone().into(),
            ],
        ))
        .await?;
    put_devices(tx, id, &new.devices).await
}

/// Puts these devices at a door, and no others.
async fn put_devices(tx: &TenantTx, id: DoorId, devices: &[Uuid]) -> Result<(), DbError> {
    for statement in [
        "delete from directory.door_devices where tenant_id = $1 and door_id = $2 and not device_id = any($3)",
        "insert into directory.door_devices (tenant_id, door_id, device_id)
         select $1, $2, x from unnest($3::uuid[]) x order by x on conflict do nothing",
    ] {
        let values = [
            tx.tenant_uuid().into(),
            id.uuid().into(),
            devices.to_vec().into(),
        ];
        tx.conn().execute_raw(sql(statement, values)).await?;
    }
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: DoorId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.doors where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// Whether an authority names the door.
pub(super) async fn is_used(tx: &TenantTx, id: DoorId) -> Result<bool, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from directory.authority_doors where tenant_id = $1 and door_id = $2 limit 1",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(row.is_some())
}
