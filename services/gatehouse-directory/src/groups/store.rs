//! Rows of `directory.groups`, and the members as lists show them.

use chrono::{DateTime, Utc};
use gatehouse_domain::person::PersonType;
use gatehouse_domain::{DeviceId, GroupId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A group.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) name_folded: String,
    pub(super) kind: String,
    pub(super) remark: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

const COLUMNS: &str =
    "id, number, name, name_folded, type as kind, remark, created_at, updated_at, version";

pub(super) async fn read(tx: &TenantTx, id: GroupId) -> Result<Option<Row>, DbError> {
    one(tx, id, "").await
}

/// Reads a group and keeps others from changing it, and from adding members, until the transaction
/// ends.
pub(super) async fn read_to_change(tx: &TenantTx, id: GroupId) -> Result<Option<Row>, DbError> {
    one(tx, id, "for update").await
}

/// Reads a group and keeps others from changing it until the transaction ends, but not from adding
/// members at the same time.
pub(super) async fn read_to_add(tx: &TenantTx, id: GroupId) -> Result<Option<Row>, DbError> {
    one(tx, id, "for share").await
}

async fn one(tx: &TenantTx, id: GroupId, lock: &str) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("select {COLUMNS} from directory.groups where tenant_id = $1 and id = $2 {lock}"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Where a page of groups begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) name_folded: String,
    pub(super) id: Uuid,
}

/// Which groups are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) kind: Option<PersonType>,
    /// What the name begins with, in whatever case.
    pub(super) name_prefix: Option<String>,
    /// The last group that was read before.
    pub(super) after: Option<Position>,
}

/// Groups by their names.
pub(super) async fn list(tx: &TenantTx, wanted: &Wanted, limit: u64) -> Result<Vec<Row>, DbError> {
    let Wanted {
        kind,
        name_prefix,
        after,
    } = wanted;
    // Only what is asked for stands in the statement, so that each has the index that fits it.
    let (mut conditions, mut values) = (String::new(), Vec::<sea_orm::Value>::new());
    values.push(tx.tenant_uuid().into());
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    if let Some(kind) = kind {
        values.push(kind.to_string().into());
        conditions.push_str(&format!(" and type = ${}", values.len()));
    }
    if let Some(prefix) = name_prefix {
        // The database folds what is looked for as it folded what is found. No character is greater
        // than U+10FFFF: all that begins so lies before it.
        values.push(prefix.clone().into());
        let n = values.len();
        conditions.push_str(&format!(
            r" and name_folded >= lower(${n}) and name_folded < lower(${n}) || U&'\+10FFFF'"
        ));
    }
    if let Some(Position { name_folded, id }) = after {
        values.push(name_folded.clone().into());
        values.push((*id).into());
        let n = values.len();
        conditions.push_str(&format!(
            " and (name_folded, id) > (${}, ${n})",
            n.saturating_sub(1)
        ));
    }
    let statement = sql(
        &format!(
            "select {COLUMNS} from directory.groups where tenant_id = $1{conditions} order by name_folded, id limit $2"
        ),
        values,
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// A group that is to be, or what it becomes.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) kind: PersonType,
    pub(super) remark: String,
}

pub(super) async fn insert(tx: &TenantTx, id: GroupId, new: Content) -> Result<(), DbError> {
    let Content { name, kind, remark } = new;
    tx.conn()
        .execute_raw(sql(
            "insert into directory.groups (tenant_id, id, name, type, remark) values ($1, $2, $3, $4, $5)",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                name.into(),
                kind.to_string().into(),
                remark.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Writes what a group becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: GroupId, new: Content) -> Result<(), DbError> {
    let Content { name, kind, remark } = new;
    tx.conn()
        .execute_raw(sql(
            "update directory.groups set name = $3, type = $4, remark = $5, updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                name.into(),
                kind.to_string().into(),
                remark.into(),
            ],
        ))
        .await?;
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: GroupId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.groups where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// How many members a group has; no more than `most` are counted.
pub(super) async fn count_members(tx: &TenantTx, id: GroupId, most: i64) -> Result<i64, DbError> {
    let statement = sql(
        "select count(*) as count from (
           select from directory.group_members where tenant_id = $1 and group_id = $2 limit $3) m",
        [tx.tenant_uuid().into(), id.uuid().into(), most.into()],
    );
    let row = Count::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.map_or(0, |row| row.count))
}

#[derive(FromQueryResult)]
struct Device {
    id: Uuid,
}

/// The devices that a group may pass by some authority.
pub(super) async fn devices(tx: &TenantTx, id: GroupId) -> Result<Vec<DeviceId>, DbError> {
    let statement = sql(
        "select distinct device_id as id from directory.permits where tenant_id = $1 and group_id = $2",
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    let rows = Device::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| DeviceId::from_uuid(row.id))
        .collect())
}

/// A member as lists show it.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct MemberRow {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) code: Option<String>,
    pub(super) added_at: DateTime<Utc>,
}

/// The members of a group, by their ids.
pub(super) async fn members(
    tx: &TenantTx,
    id: GroupId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<MemberRow>, DbError> {
    let statement = sql(
        "select p.id, p.number, p.name, p.type as kind, p.code, m.added_at
           from (select person_id, added_at from directory.group_members
                  where tenant_id = $1 and group_id = $2 and person_id > $3
                  order by person_id limit $4) m
           join directory.persons p on p.tenant_id = $1 and p.id = m.person_id
          order by p.id",
        [
            tx.tenant_uuid().into(),
            id.uuid().into(),
            after.unwrap_or(Uuid::nil()).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(MemberRow::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}
