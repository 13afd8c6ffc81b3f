//! The SQL by which a row of a table finds what it names: a person and a department by code, groups by
//! name.

use gatehouse_domain::{DepartmentId, GroupId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem};
use sea_orm::ConnectionTrait;
use std::collections::HashMap;
use uuid::Uuid;

/// The person with a code.
pub(super) async fn by_code(tx: &TenantTx, code: &str) -> Result<Option<PersonId>, DbError> {
    let statement = "select id from directory.persons where tenant_id = $1 and code = $2";
    Ok(one(tx, statement, code).await?.map(PersonId::from_uuid))
}

/// The department with a code, or a sentence that there is none.
pub(super) async fn department(tx: &TenantTx, code: &str) -> Answer<DepartmentId> {
    let statement = "select id from directory.departments where tenant_id = $1 and code = $2";
    let id = one(tx, statement, code).await?;
    id.map(DepartmentId::from_uuid).ok_or_else(|| {
        Problem::invalid(
            "department_code",
            format!("names {code}, which there is not"),
        )
    })
}

async fn one(tx: &TenantTx, statement: &'static str, key: &str) -> Result<Option<Uuid>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(statement, [tx.tenant_uuid().into(), key.into()]))
        .await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// The groups with these names, or a sentence that names the first that there is not.
pub(super) async fn named_groups(tx: &TenantTx, names: &[String]) -> Answer<Vec<GroupId>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select name, id from directory.groups where tenant_id = $1 and name = any($2::text[])",
            [tx.tenant_uuid().into(), names.to_vec().into()],
        ))
        .await?;
    let known = rows
        .iter()
        .map(|row| row.try_get_many_by_index::<(String, Uuid)>())
        .collect::<Result<HashMap<_, _>, _>>()?;
    names
        .iter()
        .map(|name| {
            let id = known.get(name).copied().map(GroupId::from_uuid);
            id.ok_or_else(|| {
                Problem::invalid("groups", format!("names \"{name}\", which there is not"))
            })
        })
        .collect()
}
