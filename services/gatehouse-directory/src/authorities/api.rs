//! Routes of authorities.

use super::answer::{Changed, DryRun, foresee};
use super::change::{Change, Done};
use super::effect::Effect;
use super::request::{self, AuthorityPatch, AuthorityRequest};
use super::store::{self, Row, Wanted};
use super::view::Authority;
use crate::access_changes;
use crate::directory::Directory;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_domain::{AuthorityId, DeviceId, DoorId, GroupId, ScheduleId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageAccess, ReadAccess};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use serde::Deserialize;
use utoipa::IntoParams;

const CREATE: &str = "authorities.create";

/// Which authorities are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuthorityQuery {
    /// A device that is reached, by itself or through a door.
    #[param(value_type = Option<String>)]
    device_id: Option<DeviceId>,
    /// A door that it names.
    #[param(value_type = Option<String>)]
    door_id: Option<DoorId>,
    /// A group that it names.
    #[param(value_type = Option<String>)]
    group_id: Option<GroupId>,
    /// The schedule that it goes by.
    #[param(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
}

/// Creates an authority: the terminals are told who may pass. With `dry_run` it is not created, and the
/// answer is what it would do.
#[utoipa::path(
    tag = "authorities",
    params(
        DryRun,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless."),
    ),
    request_body = AuthorityRequest,
    responses(
        (status = 201, description = "The authority.", body = Authority),
        (status = 200, description = "With `dry_run`: what it would do.", body = Effect),
        Refused, Unfit, Clash
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[post("/v1/authorities")]
async fn create_authority(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    query: web::Query<DryRun>,
    key: IdempotencyKey,
    body: web::Json<AuthorityRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if !query.dry_run
        && let Begun::Replay(answer) =
            idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await?
    {
        return Ok(answer);
    }
    let new = request::read(&tx, body.into_inner()).await?;
    let change = Change {
        old: None,
        new: Some(new),
    };
    if query.dry_run {
        let effect = foresee(&directory, tx, &change, caller.request_id()).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    change.hold(&tx).await?;
    let done = change.apply(&tx, caller.request_id()).await?;
    let authority = shown(&tx, done).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &authority).await?;
    tx.commit().await?;
    access_changes::wake(&directory, caller.scope().tenant());
    Ok(HttpResponse::Created()
        .insert_header(etag(authority.version()))
        .json(authority))
}

/// The authorities, newest first.
#[utoipa::path(
    tag = "authorities",
    params(AuthorityQuery, PageQuery),
    responses((status = 200, description = "A page of authorities.", body = Page<Authority>), Refused, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/authorities")]
async fn list_authorities(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    query: web::Query<AuthorityQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Authority>>> {
    let AuthorityQuery {
        device_id,
        door_id,
        group_id,
        schedule_id,
    } = query.into_inner();
    let limit = page.limit()?;
    let wanted = Wanted {
        device: device_id,
        door: door_id,
        group: group_id,
        schedule: schedule_id,
        after: page.position()?,
    };
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, wanted, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        |row| Authority::new(row, None),
    )))
}

/// One authority.
#[utoipa::path(
    tag = "authorities",
    params(("id" = String, Path, description = "The authority's id.")),
    responses((status = 200, description = "The authority.", body = Authority), Refused, Missing),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/authorities/{id}")]
async fn get_authority(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    id: web::Path<AuthorityId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = store::read(&tx, *id).await?.ok_or_else(missing)?;
    let authority = Authority::new(row, None);
    Ok(HttpResponse::Ok()
        .insert_header(etag(authority.version()))
        .json(authority))
}

/// Changes an authority: the terminals are told what differs. With `dry_run` it stays as it is, and the
/// answer is what the change would do.
#[utoipa::path(
    tag = "authorities",
    params(
        ("id" = String, Path, description = "The authority's id."),
        DryRun,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = AuthorityPatch,
    responses(
        (status = 200, description = "The authority as it is now; with `dry_run` what the change would do.", body = Changed),
        Refused, Missing, Unfit, Clash, Stale
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[patch("/v1/authorities/{id}")]
async fn change_authority(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<AuthorityId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
    body: web::Json<AuthorityPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let old = old(&tx, *id, &if_match).await?;
    let new = request::over(&tx, body.into_inner(), &old.content()).await?;
    let change = Change {
        old: Some(old),
        new: Some(new),
    };
    if query.dry_run {
        let effect = foresee(&directory, tx, &change, caller.request_id()).await?;
        return Ok(HttpResponse::Ok().json(Changed::Effect(effect)));
    }
    change.hold(&tx).await?;
    let done = change.apply(&tx, caller.request_id()).await?;
    let authority = shown(&tx, done).await?;
    tx.commit().await?;
    if done.distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok()
        .insert_header(etag(authority.version()))
        .json(Changed::Authority(authority)))
}

/// Removes an authority: who could pass by it alone is taken from the terminals, before anything else is
/// told them. With `dry_run` it stays, and the answer is what its removal would do.
#[utoipa::path(
    tag = "authorities",
    params(
        ("id" = String, Path, description = "The authority's id."),
        DryRun,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204, description = "It is removed.", headers(("Distribution-Id" = String, description = "Where terminals must learn of it: by this id its way there can be followed."))),
        (status = 200, description = "With `dry_run`: what its removal would do.", body = Effect),
        Refused, Missing, Stale
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[delete("/v1/authorities/{id}")]
async fn delete_authority(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<AuthorityId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let change = Change {
        old: Some(old(&tx, *id, &if_match).await?),
        new: None,
    };
    if query.dry_run {
        let effect = foresee(&directory, tx, &change, caller.request_id()).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    change.hold(&tx).await?;
    let done = change.apply(&tx, caller.request_id()).await?;
    tx.commit().await?;
    let tenant = caller.scope().tenant();
    Ok(access_changes::done(&directory, tenant, done.distribution))
}

fn missing() -> Problem {
    Problem::not_found("authority")
}

/// The authority that is to be changed, and is the version that the caller read.
async fn old(tx: &TenantTx, id: AuthorityId, if_match: &IfMatch) -> Answer<Row> {
    let old = store::read_to_change(tx, id).await?.ok_or_else(missing)?;
    if_match.check(old.version)?;
    Ok(old)
}

async fn shown(tx: &TenantTx, done: Done) -> Answer<Authority> {
    let row = store::read(tx, done.id).await?.ok_or_else(missing)?;
    Ok(Authority::new(row, done.distribution))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_authority)
        .service(list_authorities)
        .service(get_authority)
        .service(change_authority)
        .service(delete_authority);
}
