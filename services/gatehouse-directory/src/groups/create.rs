//! Creating a group.

use super::api::GroupRequest;
use super::store::{self, Content};
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::GroupId;
use gatehouse_domain::person::PersonType;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const NAME_MAX_CHARS: usize = 100;
pub(super) const REMARK_MAX_CHARS: usize = 500;

/// Reads a request for a group.
pub(super) fn read(request: GroupRequest) -> Answer<Content> {
    let GroupRequest { name, kind, remark } = request;
    let mut reading = Reading::begin();
    let content = Content {
        name: reading.text("/name", &name, NAME_MAX_CHARS),
        kind: reading.word("/type", kind.as_deref(), PersonType::Staff),
        remark: reading.optional_text("/remark", &remark.unwrap_or_default(), REMARK_MAX_CHARS),
    };
    reading.end()?;
    Ok(content)
}

/// Stores a group, with its entry in the trail.
pub(super) async fn create(tx: &TenantTx, new: Content, request_id: &str) -> Answer<GroupId> {
    let id = GroupId::from_uuid(Uuid::now_v7());
    let (kind, name) = (new.kind, new.name.clone());
    store::insert(tx, id, new)
        .await
        .map_err(|error| taken(error, &name))?;
    let detail = json!({"type": kind});
    audit::enter(tx, deed("group.created", id, detail, Some(request_id))).await?;
    Ok(id)
}

/// A name that another group has.
pub(super) fn taken(error: DbError, name: &str) -> Problem {
    if error.is_duplicate_of("groups_tenant_id_name_key") {
        let detail = format!("A group named {name} exists; choose another name.");
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/name");
    }
    error.into()
}

pub(super) fn deed<'a>(
    action: &'a str,
    id: GroupId,
    detail: Value,
    request_id: Option<&'a str>,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "group",
        subject_id: id.to_string(),
        detail,
        request_id,
    }
}
