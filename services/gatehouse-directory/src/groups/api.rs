//! Routes of groups.

use super::change;
use super::create::{NAME_MAX_CHARS, create, read as read_request};
use super::store::{self, Position, Wanted};
use super::view::{COUNTED_UP_TO, Group};
use crate::access_changes;
use crate::directory::Directory;
use crate::reading::{Reading, present};
use crate::schemas;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_domain::GroupId;
use gatehouse_domain::person::PersonType;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const CREATE: &str = "groups.create";

/// A group to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupRequest {
    /// 1 to 100 characters, unique within the tenant.
    #[schema(example = "Engineering")]
    pub(super) name: String,
    /// Who may be in it: staff in staff groups, visitors in visitor groups, anybody in blocklist
    /// groups. `staff` where absent.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type, required = false)]
    pub(super) kind: Option<String>,
    /// At most 500 characters.
    pub(super) remark: Option<String>,
}

/// What to change of a group; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupPatch {
    /// 1 to 100 characters, unique within the tenant.
    pub(super) name: Option<String>,
    /// Only while the group has no members.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type, required = false)]
    pub(super) kind: Option<String>,
    /// At most 500 characters. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) remark: Option<Option<String>>,
}

/// Which groups are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct GroupQuery {
    /// `staff`, `visitor` or `blocklist`.
    #[serde(rename = "type")]
    #[param(example = "staff")]
    kind: Option<String>,
    /// What the name begins with, in whatever case.
    name: Option<String>,
}

/// Creates a group.
#[utoipa::path(
    tag = "groups",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = GroupRequest,
    responses((status = 201, description = "The group.", body = Group), Refused, Unfit, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/groups")]
async fn create_group(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<GroupRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let new = read_request(body.into_inner())?;
    let id = create(&tx, new, caller.request_id()).await?;
    let group = read(&tx, id).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &group).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(etag(group.version()))
        .json(group))
}

/// The groups, by their names. Members are not counted here.
#[utoipa::path(
    tag = "groups",
    params(GroupQuery, PageQuery),
    responses((status = 200, description = "A page of groups.", body = Page<Group>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/groups")]
async fn list_groups(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    query: web::Query<GroupQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Group>>> {
    let GroupQuery { kind, name } = query.into_inner();
    let limit = page.limit()?;
    let mut reading = Reading::begin();
    let wanted = Wanted {
        kind: kind.map(|word| reading.word("/type", Some(&word), PersonType::Staff)),
        name_prefix: name
            .map(|name| reading.optional_text("/name", &name, NAME_MAX_CHARS))
            .filter(|name| !name.is_empty()),
        after: page.position()?,
    };
    reading.end()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, &wanted, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| Position {
            name_folded: row.name_folded.clone(),
            id: row.id,
        },
        |row| Group::new(row, None),
    )))
}

/// One group, with the number of its members.
#[utoipa::path(
    tag = "groups",
    params(("id" = String, Path, description = "The group's id.")),
    responses((status = 200, description = "The group.", body = Group), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/groups/{id}")]
async fn get_group(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let group = read(&tx, *id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(group.version()))
        .json(group))
}

/// Changes a group. Its type can change only while it has no members.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = GroupPatch,
    responses((status = 200, description = "The group as it is now.", body = Group), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[patch("/v1/groups/{id}")]
async fn change_group(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
    if_match: IfMatch,
    body: web::Json<GroupPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    change::change(&tx, *id, body.into_inner(), if_match, caller.request_id()).await?;
    let group = read(&tx, *id).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(group.version()))
        .json(group))
}

/// Removes a group from all authorities, with its memberships. The persons stay; those who could pass
/// somewhere by this group alone are taken from the terminals there.
#[utoipa::path(
    tag = "groups",
    params(
        ("id" = String, Path, description = "The group's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204, description = "It is removed.", headers(("Distribution-Id" = String, description = "Where terminals must learn of it: by this id its way there can be followed."))),
        Refused, Missing, Stale
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/groups/{id}")]
async fn delete_group(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<GroupId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let distribution = change::remove(&tx, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    Ok(access_changes::done(
        &directory,
        caller.scope().tenant(),
        distribution,
    ))
}

async fn read(tx: &TenantTx, id: GroupId) -> Answer<Group> {
    let row = store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("group"))?;
    let counted = store::count_members(tx, id, COUNTED_UP_TO.saturating_add(1)).await?;
    Ok(Group::new(row, Some(counted)))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_group)
        .service(list_groups)
        .service(get_group)
        .service(change_group)
        .service(delete_group);
}
