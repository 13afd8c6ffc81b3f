//! Creating a department.

use super::api::DepartmentRequest;
use super::store::{self, Content};
use super::tree;
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::DepartmentId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use serde_json::{Value, json};
use uuid::Uuid;

const NAME_MAX_CHARS: usize = 100;
const CODE_MAX_CHARS: usize = 64;
const REMARK_MAX_CHARS: usize = 500;

/// Reads a request for a department.
pub(super) fn read(request: DepartmentRequest) -> Answer<Content> {
    let DepartmentRequest {
        name,
        code,
        parent_id,
        leader_id,
        remark,
    } = request;
    let mut reading = Reading::begin();
    let content = Content {
        parent_id,
        name: self::name(&mut reading, &name),
        code: code.and_then(|code| self::code(&mut reading, &code)),
        leader_id,
        remark: self::remark(&mut reading, &remark.unwrap_or_default()),
    };
    reading.end()?;
    Ok(content)
}

pub(super) fn name(reading: &mut Reading, text: &str) -> String {
    reading.text("/name", text, NAME_MAX_CHARS)
}

pub(super) fn code(reading: &mut Reading, text: &str) -> Option<String> {
    Some(reading.optional_text("/code", text, CODE_MAX_CHARS)).filter(|code| !code.is_empty())
}

pub(super) fn remark(reading: &mut Reading, text: &str) -> String {
    reading.optional_text("/remark", text, REMARK_MAX_CHARS)
}

/// Stores a department, with its entry in the trail.
pub(super) async fn create(tx: &TenantTx, new: Content, request_id: &str) -> Answer<DepartmentId> {
    tree::hold(tx).await?;
    tree::check_new(tx, new.parent_id).await?;
    let id = DepartmentId::from_uuid(Uuid::now_v7());
    let (code, detail) = (new.code.clone(), json!({"parent_id": new.parent_id}));
    store::insert(tx, id, new)
        .await
        .map_err(|error| refused(error, code.as_deref()))?;
    audit::enter(tx, deed("department.created", id, detail, request_id)).await?;
    Ok(id)
}

/// What a constraint of the row means for the caller.
pub(super) fn refused(error: DbError, code: Option<&str>) -> Problem {
    if error.is_duplicate_of("departments_tenant_id_code_key") {
        let code = code.unwrap_or_default();
        let detail = format!("A department with the code {code} exists; choose another code.");
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/code");
    }
    if matches!(&error, DbError::Dangling { constraint } if constraint.contains("leader_id")) {
        return Problem::invalid("/leader_id", "names a person that there is not");
    }
    error.into()
}

pub(super) fn deed<'a>(
    action: &'a str,
    id: DepartmentId,
    detail: Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "department",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}
