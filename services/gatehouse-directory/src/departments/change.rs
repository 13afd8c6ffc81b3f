//! Changing, moving and removing a department.

use super::api::DepartmentPatch;
use super::create::{self, deed, refused};
use super::store::{self, Content, Held, Row};
use super::tree;
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::{DepartmentId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use serde_json::json;

/// The code that Hongtu's clients know this refusal by.
const HONGTU_NOT_EMPTY: i64 = 650;

/// Changes a department, with its entry in the trail; below another parent it goes with all below it.
pub(super) async fn change(
    tx: &TenantTx,
    id: DepartmentId,
    patch: DepartmentPatch,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    if patch.parent_id.is_some() {
        tree::hold(tx).await?;
    }
    let row = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("department"))?;
    if_match.check(row.version)?;
    let old = content(row);
    let new = read(patch, &old)?;
    let changed: Vec<&str> = [
        ("parent_id", old.parent_id != new.parent_id),
        ("name", old.name != new.name),
        ("code", old.code != new.code),
        ("leader_id", old.leader_id != new.leader_id),
        ("remark", old.remark != new.remark),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect();
    if changed.is_empty() {
        return Ok(());
    }
    if changed.contains(&"parent_id") {
        tree::check_move(tx, id, new.parent_id).await?;
    }
    let (code, detail) = (
        new.code.clone(),
        json!({"changed": changed, "parent_id": new.parent_id, "leader_id": new.leader_id}),
    );
    store::update(tx, id, new)
        .await
        .map_err(|error| refused(error, code.as_deref()))?;
    audit::enter(tx, deed("department.updated", id, detail, request_id)).await?;
    Ok(())
}

fn content(row: Row) -> Content {
    Content {
        parent_id: row.parent_id.map(DepartmentId::from_uuid),
        name: row.name,
        code: row.code,
        leader_id: row.leader_id.map(PersonId::from_uuid),
        remark: row.remark,
    }
}

fn read(patch: DepartmentPatch, old: &Content) -> Answer<Content> {
    let DepartmentPatch {
        name,
        code,
        parent_id,
        leader_id,
        remark,
    } = patch;
    let mut reading = Reading::begin();
    let mut new = old.clone();
    if let Some(name) = name {
        new.name = create::name(&mut reading, &name);
    }
    if let Some(code) = code {
        new.code = code.and_then(|code| create::code(&mut reading, &code));
    }
    if let Some(parent_id) = parent_id {
        new.parent_id = parent_id;
    }
    if let Some(leader_id) = leader_id {
        new.leader_id = leader_id;
    }
    if let Some(remark) = remark {
        new.remark = create::remark(&mut reading, &remark.unwrap_or_default());
    }
    reading.end()?;
    Ok(new)
}

/// Removes a department that nobody is in and nothing is below of.
pub(super) async fn remove(
    tx: &TenantTx,
    id: DepartmentId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("department"))?;
    if_match.check(old.version)?;
    match store::held(tx, id).await? {
        Held {
            persons: false,
            departments: false,
        } => {}
        held => return Err(not_empty(held)),
    }
    store::delete(tx, id).await.map_err(|error| match error {
        // Somebody came in since we looked.
        DbError::Dangling { constraint } => not_empty(Held {
            persons: constraint.starts_with("persons"),
            departments: constraint.starts_with("departments"),
        }),
        other @ (DbError::Unavailable(_) | DbError::Duplicate { .. } | DbError::Refused(_)) => {
            other.into()
        }
    })?;
    audit::enter(tx, deed("department.deleted", id, json!({}), request_id)).await?;
    Ok(())
}

fn not_empty(held: Held) -> Problem {
    let what = match (held.persons, held.departments) {
        (true, true) => "persons in it and departments below it; move both",
        (true, false) => "persons in it; move them to another department",
        (false, _) => "departments below it; move or remove them",
    };
    Problem::new(
        ProblemCode::DepartmentNotEmpty,
        format!("The department is not empty: there are {what} first."),
    )
    .with_vendor_code("hongtu", HONGTU_NOT_EMPTY)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::Value;

    fn patched(body: Value) -> Answer<Content> {
        let old = Content {
            parent_id: Some(DepartmentId::from_uuid(uuid::Uuid::from_u128(7))),
            name: "Assembly".into(),
            code: Some("A1".into()),
            leader_id: None,
            remark: String::new(),
        };
        read(serde_json::from_value(body).unwrap(), &old)
    }

    #[test]
    fn absent_fields_stay_and_null_clears() {
        let same = patched(json!({})).unwrap();
        assert!(same.parent_id.is_some() && same.code.is_some());
        let cleared = patched(json!({"parent_id": null, "code": null})).unwrap();
        assert!(cleared.parent_id.is_none() && cleared.code.is_none());
        assert_eq!(patched(json!({"code": " "})).unwrap().code, None);
        assert!(patched(json!({"name": ""})).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_in_the_way() {
        let held = |persons, departments| {
            not_empty(Held {
                persons,
                departments,
            })
        };
        assert!(held(true, false).detail().contains("persons in it;"));
        assert!(held(false, true).detail().contains("departments below it;"));
        assert!(held(true, true).detail().contains("move both"));
        assert_eq!(held(true, true).code(), ProblemCode::DepartmentNotEmpty);
    }
}
