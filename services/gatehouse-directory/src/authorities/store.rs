//! Rows of `directory.authorities` and of what they join.

use super::request::Content;
use chrono::{DateTime, Utc};
use gatehouse_domain::{AuthorityId, DeviceId, DoorId, GroupId, ScheduleId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// An authority with all that it joins.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) schedule_id: Option<Uuid>,
    pub(super) device_ids: Vec<Uuid>,
    pub(super) door_ids: Vec<Uuid>,
    pub(super) group_ids: Vec<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl Row {
    /// What a request could say.
    pub(super) fn content(&self) -> Content {
        Content {
            name: self.name.clone(),
            devices: self.device_ids.clone(),
            doors: self.door_ids.clone(),
            groups: self.group_ids.clone(),
            schedule: self.schedule_id,
        }
    }
}

const SELECT: &str = "
  select a.id, a.number, a.name, a.schedule_id, a.created_at, a.updated_at, a.version,
         array(select x.device_id from directory.authority_devices x
                where x.tenant_id = a.tenant_id and x.authority_id = a.id order by x.device_id) as device_ids,
         array(select x.door_id from directory.authority_doors x
                where x.tenant_id = a.tenant_id and x.authority_id = a.id order by x.door_id) as door_ids,
         array(select x.group_id from directory.authority_groups x
                where x.tenant_id = a.tenant_id and x.authority_id = a.id order by x.group_id) as group_ids
    from directory.authorities a
   where a.tenant_id = $1";

pub(super) async fn read(tx: &TenantTx, id: AuthorityId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("{SELECT} and a.id = $2"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Reads an authority and keeps others from changing it until the transaction ends. The lock comes
/// first, so that what is read is of after it.
pub(super) async fn read_to_change(tx: &TenantTx, id: AuthorityId) -> Result<Option<Row>, DbError> {
    tx.conn()
        .execute_raw(sql(
            "select from directory.authorities where tenant_id = $1 and id = $2 for update",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    read(tx, id).await
}

/// Which authorities are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// A device that is reached, by itself or through a door.
    pub(super) device: Option<DeviceId>,
    pub(super) door: Option<DoorId>,
    pub(super) group: Option<GroupId>,
    pub(super) schedule: Option<ScheduleId>,
    /// The last authority that was read before.
    pub(super) after: Option<Uuid>,
}

/// Authorities, newest first.
pub(super) async fn list(tx: &TenantTx, wanted: Wanted, limit: u64) -> Result<Vec<Row>, DbError> {
    let Wanted {
        device,
        door,
        group,
        schedule,
        after,
    } = wanted;
    let statement = sql(
        &format!(
            "{SELECT}
               and ($2::uuid is null or a.id < $2)
               and ($3::uuid is null or a.id in (
                     select x.authority_id from directory.authority_devices x where x.tenant_id = $1 and x.device_id = $3
                      union all
                     select x.authority_id from directory.door_devices d
                       join directory.authority_doors x on x.tenant_id = $1 and x.door_id = d.door_id
                      where d.tenant_id = $1 and d.device_id = $3))
               and ($4::uuid is null or a.id in (
                     select x.authority_id from directory.authority_doors x where x.tenant_id = $1 and x.door_id = $4))
               and ($5::uuid is null or a.id in (
                     select x.authority_id from directory.authority_groups x where x.tenant_id = $1 and x.group_id = $5))
               and ($6::uuid is null or a.schedule_id = $6)
             order by a.id desc limit $7"
        ),
        [
            tx.tenant_uuid().into(),
            after.into(),
            device.map(DeviceId::uuid).into(),
            door.map(DoorId::uuid).into(),
            group.map(GroupId::uuid).into(),
            schedule.map(ScheduleId::uuid).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// Keeps what authorities join as it is until the transaction ends: whoever changes a group, a door or
/// a schedule at the same time either is seen by what is noted here, or sees it. Members may still come
/// and go.
pub(super) async fn hold(
    tx: &TenantTx,
    groups: Vec<Uuid>,
    doors: Vec<Uuid>,
    schedules: Vec<Uuid>,
) -> Result<(), DbError> {
    for (table, ids) in [
        ("groups", groups),
        ("doors", doors),
        ("schedules", schedules),
    ] {
        if ids.is_empty() {
            continue;
        }
        tx.conn()
            .execute_raw(sql(
                &format!(
                    "select from directory.{table} where tenant_id = $1 and id = any($2) order by id for share"
                ),
                [tx.tenant_uuid().into(), ids.into()],
            ))
            .await?;
    }
    Ok(())
}

pub(super) async fn insert(tx: &TenantTx, id: AuthorityId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.authorities (tenant_id, id, name, schedule_id) values ($1, $2, $3, $4)",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                new.schedule.into(),
            ],
        ))
        .await?;
    join(tx, id, new).await
}

/// Writes what an authority becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: AuthorityId, new: &Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.authorities set name = $3, schedule_id = $4, updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                new.name.clone().into(),
                new.schedule.into(),
            ],
        ))
        .await?;
    join(tx, id, new).await
}

/// Joins all this and nothing else.
async fn join(tx: &TenantTx, id: AuthorityId, new: &Content) -> Result<(), DbError> {
    for (table, column, ids) in [
        ("authority_devices", "device_id", &new.devices),
        ("authority_doors", "door_id", &new.doors),
        ("authority_groups", "group_id", &new.groups),
    ] {
        for statement in [
            format!(
                "delete from directory.{table} where tenant_id = $1 and authority_id = $2 and not {column} = any($3)"
            ),
            format!(
                "insert into directory.{table} (tenant_id, authority_id, {column})
                 select $1, $2, x from unnest($3::uuid[]) x order by x on conflict do nothing"
            ),
        ] {
            let values = [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                ids.clone().into(),
            ];
            tx.conn().execute_raw(sql(&statement, values)).await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: AuthorityId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.authorities where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// The devices that an authority of this content reaches, by themselves or through doors; in order.
pub(super) async fn devices(tx: &TenantTx, content: &Content) -> Result<Vec<Uuid>, DbError> {
    #[derive(FromQueryResult)]
    struct Device {
        id: Uuid,
    }
    let statement = sql(
        "select id from directory.devices where tenant_id = $1 and id = any($2)
          union
         select device_id from directory.door_devices where tenant_id = $1 and door_id = any($3)
          order by id",
        [
            tx.tenant_uuid().into(),
            content.devices.clone().into(),
            content.doors.clone().into(),
        ],
    );
    let rows = Device::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
