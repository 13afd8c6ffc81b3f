//! Routes of visits.

use super::list::{self, Position, Wanted};
use super::request::{VisitPatch, VisitRequest};
use super::view::{State, Visit};
use super::{cancel, change, create, store};
use crate::access_changes;
use crate::directory::Directory;
use crate::reading::Reading;
use crate::tenants;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{DistributionId, PersonId, VisitId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
    within_calendar,
};
use serde::Deserialize;
use utoipa::IntoParams;

const CREATE: &str = "visits.create";

/// Which visits are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VisitQuery {
    /// Who comes.
    person_id: Option<String>,
    /// Whom they visit.
    host_id: Option<String>,
    /// `expected`, `current`, `ended` or `cancelled`. The current ones come by their end.
    #[param(example = "current")]
    state: Option<String>,
    /// Beginning at this instant or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    from: Option<DateTime<Utc>>,
    /// Beginning before this instant.
    to: Option<DateTime<Utc>>,
}

impl VisitQuery {
    fn read(self, after: Option<Position>) -> Answer<Wanted> {
        let Self {
            person_id,
            host_id,
            state,
            from,
            to,
        } = self;
        within_calendar("/cursor", after.map(|position| position.at))?;
        let mut reading = Reading::begin();
        let wanted = Wanted {
            person: person_id.and_then(|id| person(&mut reading, "/person_id", &id)),
            host: host_id.and_then(|id| person(&mut reading, "/host_id", &id)),
            state: state.map(|word| reading.word("/state", Some(&word), State::Expected)),
            from: within_calendar("/from", from)?,
            to: within_calendar("/to", to)?,
            after,
        };
        reading.end()?;
        Ok(wanted)
    }
}

fn person(reading: &mut Reading, pointer: &str, text: &str) -> Option<PersonId> {
    let id = text.parse().ok();
    if id.is_none() {
        reading.fault(pointer, "must be a person's id");
    }
    id
}

/// Expects somebody: a visitor who is known, or somebody new, who becomes a person of type `visitor`.
///
/// The visit's window becomes the person's validity, so that terminals admit the person from its
/// beginning and no longer than its end. Where a person has several visits, this is so for the first
/// one that is still to end. Two visits of a person cannot meet in time.
#[utoipa::path(
    tag = "visits",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = VisitRequest,
    responses((status = 201, description = "The visit.", body = Visit), Refused, Unfit, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/visits")]
async fn create_visit(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<VisitRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let now = Utc::now();
    let new = create::read(body.into_inner(), tenants::zone(&tx).await?, now)?;
    let secrets = &directory.kit.secrets;
    let (id, distribution) = create::create(&tx, secrets, new, caller.request_id(), now).await?;
    let visit = read(&tx, id, distribution).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &visit).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Created()
        .insert_header(etag(visit.version()))
        .json(visit))
}

/// The visits, those that begin last first.
#[utoipa::path(
    tag = "visits",
    params(VisitQuery, PageQuery),
    responses((status = 200, description = "A page of visits.", body = Page<Visit>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/visits")]
async fn list_visits(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    query: web::Query<VisitQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Visit>>> {
    let limit = page.limit()?;
    let wanted = query.into_inner().read(page.position()?)?;
    let now = Utc::now();
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = list::list(&tx, &wanted, now, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| wanted.position(row),
        |row| Visit::new(row, None, now),
    )))
}

/// One visit.
#[utoipa::path(
    tag = "visits",
    params(("id" = String, Path, description = "The visit's id.")),
    responses((status = 200, description = "The visit.", body = Visit), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/visits/{id}")]
async fn get_visit(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<VisitId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let visit = read(&tx, *id, None).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(visit.version()))
        .json(visit))
}

/// Changes or moves a visit that has not ended. A code that was shown before ends when it said it
/// would: where the visit is prolonged, fetch it again.
#[utoipa::path(
    tag = "visits",
    params(
        ("id" = String, Path, description = "The visit's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = VisitPatch,
    responses((status = 200, description = "The visit as it is now.", body = Visit), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[patch("/v1/visits/{id}")]
async fn change_visit(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<VisitId>,
    if_match: IfMatch,
    body: web::Json<VisitPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let (secrets, patch) = (&directory.kit.secrets, body.into_inner());
    let distribution =
        change::change(&tx, secrets, *id, patch, if_match, caller.request_id()).await?;
    let visit = read(&tx, *id, distribution).await?;
    tx.commit().await?;
    if distribution.is_some() {
        access_changes::wake(&directory, caller.scope().tenant());
    }
    Ok(HttpResponse::Ok()
        .insert_header(etag(visit.version()))
        .json(visit))
}

/// Cancels a visit: it admits nobody from now on, and its code is dead. It stays in the list.
#[utoipa::path(
    tag = "visits",
    params(
        ("id" = String, Path, description = "The visit's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204, description = "It is cancelled.", headers(("Distribution-Id" = String, description = "Where terminals must learn of it: by this id its way there can be followed."))),
        Refused, Missing, Clash, Stale
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/visits/{id}")]
async fn cancel_visit(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<VisitId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let secrets = &directory.kit.secrets;
    let distribution = cancel::cancel(&tx, secrets, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    Ok(access_changes::done(
        &directory,
        caller.scope().tenant(),
        distribution,
    ))
}

async fn read(tx: &TenantTx, id: VisitId, distribution: Option<DistributionId>) -> Answer<Visit> {
    let row = store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("visit"))?;
    Ok(Visit::new(row, distribution, Utc::now()))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_visit)
        .service(list_visits)
        .service(get_visit)
        .service(change_visit)
        .service(cancel_visit);
}
