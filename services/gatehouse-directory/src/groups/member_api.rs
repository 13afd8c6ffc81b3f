//! Routes of a group's members.

use super::members::{self, AT_ONCE, MembersChanged, Outcome};
use super::store;
use super::view::GroupMember;
use crate::access_changes;
use crate::directory::Directory;
use actix_web::{HttpResponse, delete, get, post, put, web};
use gatehouse_domain::{GroupId, PersonId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::DIRECTORY;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, Page, PageQuery, Problem, idempotency,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const ADD: &str = "groups.members.add";
const REMOVE: &str = "groups.members.remove";

/// Persons to be taken into a group, or out of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembersRequest {
    /// 1 to 2000 persons.
    #[schema(value_type = Vec<String>, example = json!(["per_0197c4a7b1e87d3c9a54b0c1d2e3f405"]))]
    person_ids: Vec<PersonId>,
}

impl MembersRequest {
    fn check(&self) -> Answer<()> {
        if (1..=AT_ONCE).contains(&self.person_ids.len()) {
            Ok(())
        } else {
            Err(Problem::invalid(
                "/person_ids",
                format!("must name 1 to {AT_ONCE} persons; send more in several requests"),
            ))
        }
    }
}

/// The members of a group, by their ids, which is the order in which they were created.
#[utoipa::path(
    tag = "groups",
    params(("id" = String, Path, description = "The group's id."), PageQuery),
    responses((status = 200, description = "A page of members.", body = Page<GroupMember>), Refused, Missing, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/groups/{id}/members")]
async fn list_group_members(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<GroupMember>>> {
    let limit = page.limit()?;
    let after: Option<Uuid> = page.position()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if store::read(&tx, *id).await?.is_none() {
        return Err(Problem::not_found("group"));
    }
    let rows = store::members(&tx, *id, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        GroupMember::from,
    )))
}

/// Takes a person into a group. Whoever is in it already stays in it.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("person_id" = String, Path, description = "The person's id."),
    ),
    responses(
        (status = 204, description = "The person is in the group.", headers(("Distribution-Id" = String, description = "Where terminals must learn of it: by this id its way there can be followed."))),
        Refused, Missing, Unfit
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[put("/v1/groups/{id}/members/{person_id}")]
async fn add_group_member(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    path: web::Path<(GroupId, PersonId)>,
) -> Answer<HttpResponse> {
    let (group, person) = path.into_inner();
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let changed = members::add(&tx, group, &[person], caller.request_id()).await?;
    single(changed.only())?;
    tx.commit().await?;
    Ok(access_changes::done(
        &directory,
        caller.scope().tenant(),
        changed.distribution_id,
    ))
}

/// Takes a person out of a group. Whoever is not in it stays out of it.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("person_id" = String, Path, description = "The person's id."),
    ),
    responses(
        (status = 204, description = "The person is not in the group.", headers(("Distribution-Id" = String, description = "Where terminals must learn of it: by this id its way there can be followed."))),
        Refused, Missing
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/groups/{id}/members/{person_id}")]
async fn remove_group_member(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    path: web::Path<(GroupId, PersonId)>,
) -> Answer<HttpResponse> {
    let (group, person) = path.into_inner();
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let changed = members::remove(&tx, group, &[person], caller.request_id()).await?;
    single(changed.only())?;
    tx.commit().await?;
    Ok(access_changes::done(
        &directory,
        caller.scope().tenant(),
        changed.distribution_id,
    ))
}

/// What an outcome means where it is the only one.
fn single(outcome: Option<Outcome>) -> Answer<()> {
    match outcome {
        Some(Outcome::Added | Outcome::Already | Outcome::Removed | Outcome::NotMember) => Ok(()),
        Some(Outcome::WrongType) => Err(Problem::invalid(
            "/person_id",
            "names a person of a type that the group does not take: staff groups take staff, visitor groups visitors, blocklist groups anybody",
        )),
        Some(Outcome::NotFound) | None => Err(Problem::not_found("person")),
    }
}

/// Takes many persons into a group. Each has an outcome of its own: `added`, `already`, `wrong_type`
/// or `not_found`; one does not hinder the others.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless."),
    ),
    request_body = MembersRequest,
    responses((status = 200, description = "What came of each.", body = MembersChanged), Refused, Missing, Unfit),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/groups/{id}/members:add")]
async fn add_group_members(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
    key: IdempotencyKey,
    body: web::Json<MembersRequest>,
) -> Answer<HttpResponse> {
    body.check()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let request = (*id, &*body);
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, ADD, &key, &request).await? {
        return Ok(answer);
    }
    let changed = members::add(&tx, *id, &body.person_ids, caller.request_id()).await?;
    idempotency::finish(&tx, DIRECTORY, ADD, &key, 200, &changed).await?;
    tx.commit().await?;
    if changed.distribution_id.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok().json(changed))
}

/// Takes many persons out of a group. Each has an outcome of its own: `removed`, `not_member` or
/// `not_found`; one does not hinder the others.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless."),
    ),
    request_body = MembersRequest,
    responses((status = 200, description = "What came of each.", body = MembersChanged), Refused, Missing, Unfit),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/groups/{id}/members:remove")]
async fn remove_group_members(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
    key: IdempotencyKey,
    body: web::Json<MembersRequest>,
) -> Answer<HttpResponse> {
    body.check()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let request = (*id, &*body);
    if let Begun::Replay(answer) =
        idempotency::begin(&tx, DIRECTORY, REMOVE, &key, &request).await?
    {
        return Ok(answer);
    }
    let changed = members::remove(&tx, *id, &body.person_ids, caller.request_id()).await?;
    idempotency::finish(&tx, DIRECTORY, REMOVE, &key, 200, &changed).await?;
    tx.commit().await?;
    if changed.distribution_id.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok().json(changed))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(list_group_members)
        .service(add_group_member)
        .service(remove_group_member)
        .service(add_group_members)
        .service(remove_group_members);
}
