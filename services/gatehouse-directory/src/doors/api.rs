//! Routes of doors.

use super::change::{self, Change};
use super::request::{DoorPatch, DoorRequest, NAME_MAX_CHARS};
use super::store::{self, Wanted};
use super::view::{ChangedDoor, Door};
use crate::access_changes;
use crate::authorities::{self, DryRun, Effect};
use crate::directory::Directory;
use crate::reading::Reading;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_domain::{DeviceId, DistributionId, DoorId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageAccess, ReadAccess};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use serde::Deserialize;
use utoipa::IntoParams;

const CREATE: &str = "doors.create";

/// Which doors are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DoorQuery {
    /// A part of the name, in whatever case.
    name: Option<String>,
    /// A device at it.
    #[param(value_type = Option<String>)]
    device_id: Option<DeviceId>,
}

/// Creates a door. Nobody may pass it until an authority names it, or its devices. With `dry_run` it is
/// not created.
#[utoipa::path(
    tag = "doors",
    params(
        DryRun,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless."),
    ),
    request_body = DoorRequest,
    responses(
        (status = 201, description = "The door.", body = Door),
        (status = 200, description = "With `dry_run`: what it would do.", body = Effect),
        Refused, Unfit, Clash
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[post("/v1/doors")]
async fn create_door(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    query: web::Query<DryRun>,
    key: IdempotencyKey,
    body: web::Json<DoorRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if !query.dry_run
        && let Begun::Replay(answer) =
            idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await?
    {
        return Ok(answer);
    }
    let mut reading = Reading::begin();
    let (new, named) = body.into_inner().read(&mut reading);
    named.look_for(&tx, &mut reading).await?;
    reading.end()?;
    if query.dry_run {
        // No authority names it yet: whether it could be created is all there is to find out.
        authorities::before(&tx, &[]).await?;
        change::create(&tx, new, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &[]).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    let id = change::create(&tx, new, caller.request_id()).await?;
    let door = read(&tx, id, None).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &door).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(etag(door.version()))
        .json(door))
}

/// The doors, newest first.
#[utoipa::path(
    tag = "doors",
    params(DoorQuery, PageQuery),
    responses((status = 200, description = "A page of doors.", body = Page<Door>), Refused, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/doors")]
async fn list_doors(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    query: web::Query<DoorQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Door>>> {
    let DoorQuery { name, device_id } = query.into_inner();
    let limit = page.limit()?;
    let mut reading = Reading::begin();
    let wanted = Wanted {
        name: name.map(|name| reading.optional_text("/name", &name, NAME_MAX_CHARS)),
        device: device_id,
        after: page.position()?,
    };
    reading.end()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, wanted, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        |row| Door::new(row, None),
    )))
}

/// One door.
#[utoipa::path(
    tag = "doors",
    params(("id" = String, Path, description = "The door's id.")),
    responses((status = 200, description = "The door.", body = Door), Refused, Missing),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/doors/{id}")]
async fn get_door(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    id: web::Path<DoorId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let door = read(&tx, *id, None).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(door.version()))
        .json(door))
}

/// Changes a door. Where authorities name it, a device that comes to it is told who may pass, and a
/// device that goes from it is told who no longer may. With `dry_run` it stays as it is, and the answer
/// is what the change would do.
#[utoipa::path(
    tag = "doors",
    params(
        ("id" = String, Path, description = "The door's id."),
        DryRun,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DoorPatch,
    responses(
        (status = 200, description = "The door as it is now; with `dry_run` what the change would do.", body = ChangedDoor),
        Refused, Missing, Unfit, Clash, Stale
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[patch("/v1/doors/{id}")]
async fn change_door(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<DoorId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
    body: web::Json<DoorPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let change = Change::read(&tx, *id, body.into_inner(), if_match).await?;
    if query.dry_run {
        let devices = change.devices();
        authorities::before(&tx, &devices).await?;
        change.apply(&tx, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &devices).await?;
        return Ok(HttpResponse::Ok().json(ChangedDoor::Effect(effect)));
    }
    let distribution = change.apply(&tx, caller.request_id()).await?;
    let door = read(&tx, *id, distribution).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok()
        .insert_header(etag(door.version()))
        .json(ChangedDoor::Door(door)))
}

/// Removes a door, from all authorities too. Its devices stay; who could pass them through this door
/// alone is taken from them. With `dry_run` it stays, and the answer is what its removal would do.
#[utoipa::path(
    tag = "doors",
    params(
        ("id" = String, Path, description = "The door's id."),
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
#[delete("/v1/doors/{id}")]
async fn delete_door(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<DoorId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if query.dry_run {
        let devices = change::devices(&tx, *id).await?;
        authorities::before(&tx, &devices).await?;
        change::remove(&tx, *id, if_match, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &devices).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    let distribution = change::remove(&tx, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    let tenant = caller.scope().tenant();
    Ok(access_changes::done(&directory, tenant, distribution))
}

async fn read(tx: &TenantTx, id: DoorId, distribution: Option<DistributionId>) -> Answer<Door> {
    let row = store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("door"))?;
    Ok(Door::new(row, distribution))
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_door)
        .service(list_doors)
        .service(get_door)
        .service(change_door)
        .service(delete_door);
}
