//! Rows of `directory.departments`, and of the persons in them.

use chrono::{DateTime, Utc};
use gatehouse_domain::{DepartmentId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// A department.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) parent_id: Option<Uuid>,
    pub(super) name: String,
    pub(super) code: Option<String>,
    pub(super) leader_id: Option<Uuid>,
    pub(super) remark: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

const COLUMNS: &str =
    "id, number, parent_id, name, code, leader_id, remark, created_at, updated_at, version";

pub(super) async fn read(tx: &TenantTx, id: DepartmentId) -> Result<Option<Row>, DbError> {
    one(tx, id, "").await
}

/// Reads a department and keeps others from changing it until the transaction ends.
pub(super) async fn read_to_change(
    tx: &TenantTx,
    id: DepartmentId,
) -> Result<Option<Row>, DbError> {
    one(tx, id, "for update").await
}

async fn one(tx: &TenantTx, id: DepartmentId, lock: &str) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!(
            "select {COLUMNS} from directory.departments where tenant_id = $1 and id = $2 {lock}"
        ),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// Which departments a list shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// All of them.
    All,
    /// Those at the top.
    Top,
    /// Those directly below this one.
    Below(DepartmentId),
}

/// Departments by their ids.
pub(super) async fn list(
    tx: &TenantTx,
    wanted: Wanted,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Row>, DbError> {
    let mut values: Vec<sea_orm::Value> = vec![
        tx.tenant_uuid().into(),
        after.unwrap_or(Uuid::nil()).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let condition = match wanted {
        Wanted::All => "",
        Wanted::Top => "and parent_id is null",
        Wanted::Below(parent) => {
            values.push(parent.uuid().into());
            "and parent_id = $4"
        }
    };
    let statement = sql(
        &format!(
            "select {COLUMNS} from directory.departments
              where tenant_id = $1 and id > $2 {condition} order by id limit $3"
        ),
        values,
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// Every department, by name; of how many there can be, see [`super::tree`].
pub(super) async fn all(tx: &TenantTx) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "select {COLUMNS} from directory.departments where tenant_id = $1 order by name, id"
        ),
        [tx.tenant_uuid().into()],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// A department that is to be, or what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) parent_id: Option<DepartmentId>,
    pub(super) name: String,
    pub(super) code: Option<String>,
    pub(super) leader_id: Option<PersonId>,
    pub(super) remark: String,
}

impl Content {
    fn values(self, tx: &TenantTx, id: DepartmentId) -> [sea_orm::Value; 7] {
        let Self {
            parent_id,
            name,
            code,
            leader_id,
            remark,
        } = self;
        [
            tx.tenant_uuid().into(),
            id.uuid().into(),
            parent_id.map(DepartmentId::uuid).into(),
            name.into(),
            code.into(),
            leader_id.map(PersonId::uuid).into(),
            remark.into(),
        ]
    }
}

pub(super) async fn insert(tx: &TenantTx, id: DepartmentId, new: Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into directory.departments (tenant_id, id, parent_id, name, code, leader_id, remark)
             values ($1, $2, $3, $4, $5, $6, $7)",
            new.values(tx, id),
        ))
        .await?;
    Ok(())
}

/// Writes what a department becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: DepartmentId, new: Content) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.departments
                set parent_id = $3, name = $4, code = $5, leader_id = $6, remark = $7,
                    updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            new.values(tx, id),
        ))
        .await?;
    Ok(())
}

pub(super) async fn delete(tx: &TenantTx, id: DepartmentId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from directory.departments where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// What stands in the way of removing a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub(super) struct Held {
    pub(super) persons: bool,
    pub(super) departments: bool,
}

pub(super) async fn held(tx: &TenantTx, id: DepartmentId) -> Result<Held, DbError> {
    let statement = sql(
        "select exists (select from directory.persons where tenant_id = $1 and department_id = $2) as persons,
                exists (select from directory.departments where tenant_id = $1 and parent_id = $2) as departments",
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    let row = Held::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.unwrap_or(Held {
        persons: false,
        departments: false,
    }))
}

/// A person of a department.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct PersonRow {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) code: Option<String>,
    pub(super) position: Option<String>,
    pub(super) department_id: Uuid,
}

/// The persons of these departments, by their ids. Each department gives one part of its index, no
/// longer than the page.
pub(super) async fn persons(
    tx: &TenantTx,
    departments: Vec<Uuid>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<PersonRow>, DbError> {
    let statement = sql(
        "select p.id, p.number, p.name, p.type as kind, p.code, p.position, p.department_id
           from unnest($2::uuid[]) d (id)
          cross join lateral (
            select * from directory.persons p
             where p.tenant_id = $1 and p.department_id = d.id and p.id > $3
             order by p.id limit $4) p
          order by p.id limit $4",
        [
            tx.tenant_uuid().into(),
            departments.into(),
            after.unwrap_or(Uuid::nil()).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(PersonRow::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}
