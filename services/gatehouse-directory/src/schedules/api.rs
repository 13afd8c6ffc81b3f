//! Routes of schedules.

use super::change::{self, Change};
use super::request::{NAME_MAX_CHARS, SchedulePatch, ScheduleRequest};
use super::store;
use super::view::{ChangedSchedule, ScheduleView};
use crate::access_changes;
use crate::authorities::{self, DryRun, Effect};
use crate::directory::Directory;
use crate::reading::Reading;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_domain::{DistributionId, ScheduleId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageAccess, ReadAccess};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use serde::Deserialize;
use utoipa::IntoParams;

const CREATE: &str = "schedules.create";

/// Which schedules are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScheduleQuery {
    /// A part of the name, in whatever case.
    name: Option<String>,
}

/// Creates a schedule. It admits nobody until an authority uses it. With `dry_run` it is not created.
#[utoipa::path(
    tag = "schedules",
    params(
        DryRun,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless."),
    ),
    request_body = ScheduleRequest,
    responses(
        (status = 201, description = "The schedule.", body = ScheduleView),
        (status = 200, description = "With `dry_run`: what it would do.", body = Effect),
        Refused, Unfit, Clash
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[post("/v1/schedules")]
async fn create_schedule(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    query: web::Query<DryRun>,
    key: IdempotencyKey,
    body: web::Json<ScheduleRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if !query.dry_run
        && let Begun::Replay(answer) =
            idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await?
    {
        return Ok(answer);
    }
    let mut reading = Reading::begin();
    let new = body.read(&mut reading);
    reading.end()?;
    if query.dry_run {
        // No authority names it yet: whether it could be created is all there is to find out.
        authorities::before(&tx, &[]).await?;
        change::create(&tx, new, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &[]).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    let id = change::create(&tx, new, caller.request_id()).await?;
    let schedule = read(&tx, id, None).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &schedule).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(etag(schedule.version()))
        .json(schedule))
}

/// The schedules, newest first.
#[utoipa::path(
    tag = "schedules",
    params(ScheduleQuery, PageQuery),
    responses((status = 200, description = "A page of schedules.", body = Page<ScheduleView>), Refused, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/schedules")]
async fn list_schedules(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    query: web::Query<ScheduleQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<ScheduleView>>> {
    let limit = page.limit()?;
    let mut reading = Reading::begin();
    let name = query.into_inner().name;
    let name = name.map(|name| reading.optional_text("/name", &name, NAME_MAX_CHARS));
    let after = page.position()?;
    reading.end()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, name, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        |row| ScheduleView::new(&row, None),
    )))
}

/// One schedule.
#[utoipa::path(
    tag = "schedules",
    params(("id" = String, Path, description = "The schedule's id.")),
    responses((status = 200, description = "The schedule.", body = ScheduleView), Refused, Missing),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"]))
)]
#[get("/v1/schedules/{id}")]
async fn get_schedule(
    caller: Caller<ReadAccess>,
    directory: web::Data<Directory>,
    id: web::Path<ScheduleId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let schedule = read(&tx, *id, None).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(schedule.version()))
        .json(schedule))
}

/// Changes a schedule. The terminals of its authorities are told the new times. With `dry_run` it stays
/// as it is, and the answer is what the change would do.
#[utoipa::path(
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's id."),
        DryRun,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = SchedulePatch,
    responses(
        (status = 200, description = "The schedule as it is now; with `dry_run` what the change would do.", body = ChangedSchedule),
        Refused, Missing, Unfit, Clash, Stale
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[patch("/v1/schedules/{id}")]
async fn change_schedule(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<ScheduleId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
    body: web::Json<SchedulePatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let change = Change::read(&tx, *id, body.into_inner(), if_match).await?;
    if query.dry_run {
        let devices = change.devices(&tx).await?;
        authorities::before(&tx, &devices).await?;
        if change.is_of_times() {
            authorities::reschedule(&tx, id.uuid()).await?;
        }
        change.apply(&tx, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &devices).await?;
        return Ok(HttpResponse::Ok().json(ChangedSchedule::Effect(effect)));
    }
    let distribution = change.apply(&tx, caller.request_id()).await?;
    let schedule = read(&tx, *id, distribution).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok()
        .insert_header(etag(schedule.version()))
        .json(ChangedSchedule::Schedule(schedule)))
}

/// Removes a schedule. One that authorities use is kept, with the code `schedule_in_use`. With `dry_run`
/// it stays in any case.
#[utoipa::path(
    tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's id."),
        DryRun,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204, description = "It is removed."),
        (status = 200, description = "With `dry_run`: what its removal would do.", body = Effect),
        Refused, Missing, Clash, Stale
    ),
    security(("api_key" = ["access:write"]), ("user_token" = ["access:write"]))
)]
#[delete("/v1/schedules/{id}")]
async fn delete_schedule(
    caller: Caller<ManageAccess>,
    directory: web::Data<Directory>,
    id: web::Path<ScheduleId>,
    query: web::Query<DryRun>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if query.dry_run {
        // Nobody passes by a schedule that can be removed.
        authorities::before(&tx, &[]).await?;
        change::remove(&tx, *id, if_match, caller.request_id()).await?;
        let effect = authorities::effect(&directory, tx, &[]).await?;
        return Ok(HttpResponse::Ok().json(effect));
    }
    change::remove(&tx, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn read(
    tx: &TenantTx,
    id: ScheduleId,
    distribution: Option<DistributionId>,
) -> Answer<ScheduleView> {
    let row = store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("schedule"))?;
    Ok(ScheduleView::new(&row, distribution))
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_schedule)
        .service(list_schedules)
        .service(get_schedule)
        .service(change_schedule)
        .service(delete_schedule);
}
