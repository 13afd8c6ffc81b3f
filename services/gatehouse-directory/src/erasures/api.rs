//! Routes of erasing persons and of the receipts.

use super::store::{self, PlaceRow, Receipt};
use super::{erase, pictures};
use crate::access_changes;
use crate::directory::Directory;
use actix_web::{HttpResponse, delete, get, web};
use chrono::{DateTime, Utc};
use gatehouse_contracts::RecordsFate;
use gatehouse_domain::{DeviceId, ErasureId, PersonId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::refusals::{Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{Answer, IfMatch, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What becomes of the records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ErasureQuery {
    /// `pseudonymise` (the default): records stay without name, number, card and pictures.
    /// `delete`: they go.
    #[param(example = "pseudonymise")]
    records: Option<String>,
}

/// The receipt of an erased person. It completes itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erasure {
    #[schema(value_type = String, example = "era_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: ErasureId,
    #[schema(value_type = String)]
    person_id: PersonId,
    /// The number by which terminals knew the person.
    person_number: String,
    /// `pseudonymise` or `delete`.
    records: String,
    requested_at: DateTime<Utc>,
    /// Null while a place is pending.
    completed_at: Option<DateTime<Utc>>,
    /// Each place that held something of the person. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<Vec<ErasurePlace>>,
}

/// A place that held something of an erased person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasurePlace {
    /// `directory`, `photos`, `job_files`, `records`, `punches`, `terminals` or `terminal`.
    place: String,
    /// The terminal, where the place is one.
    #[schema(value_type = Option<String>)]
    device_id: Option<DeviceId>,
    device_name: Option<String>,
    /// `pending` or `done`.
    state: String,
    /// What was done, or what is waited for, in a sentence.
    detail: String,
    updated_at: DateTime<Utc>,
}

impl From<PlaceRow> for ErasurePlace {
    fn from(row: PlaceRow) -> Self {
        let PlaceRow {
            place,
            device_id,
            device_name,
            state,
            detail,
            updated_at,
            offline_since,
        } = row;
        let detail = match offline_since {
            Some(since) if state == "pending" && device_id.is_some() => format!(
                "The terminal is offline since {}.",
                since.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            Some(_) | None => detail,
        };
        Self {
            place,
            device_id: device_id.map(DeviceId::from_uuid),
            device_name,
            state,
            detail,
            updated_at,
        }
    }
}

impl Erasure {
    fn new(row: Receipt, places: Option<Vec<PlaceRow>>) -> Self {
        let Receipt {
            id,
            person_id,
            person_number,
            records,
            requested_at,
            completed_at,
        } = row;
        Self {
            id: ErasureId::from_uuid(id),
            person_id: PersonId::from_uuid(person_id),
            person_number: person_number.to_string(),
            records,
            requested_at,
            completed_at,
            places: places.map(|places| places.into_iter().map(ErasurePlace::from).collect()),
        }
    }
}

/// Erases a person: profile, photos, cards, memberships and visits at once, and the person from every
/// terminal. The receipt says which places have confirmed.
#[utoipa::path(
    tag = "persons",
    params(
        ("id" = String, Path, description = "The person's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ErasureQuery,
    ),
    responses((status = 202, description = "The receipt as it stands.", body = Erasure), Refused, Missing, Stale, Unfit),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/persons/{id}")]
async fn erase_person(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<PersonId>,
    query: web::Query<ErasureQuery>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let records = fate(query.records.as_deref())?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let erasure = erase::erase(&tx, *id, records, if_match, caller.request_id()).await?;
    tx.commit().await?;
    access_changes::wake(&directory, caller.scope().tenant());
    if let Err(error) = pictures::delete(&directory, caller.scope(), erasure).await {
        tracing::warn!(%erasure, %error, "pictures of an erased person stay for the moment; they are tried again");
    }
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let receipt = whole(&tx, erasure).await?;
    Ok(HttpResponse::Accepted()
        .insert_header(("Location", format!("/v1/erasures/{erasure}")))
        .json(receipt))
}

fn fate(word: Option<&str>) -> Answer<RecordsFate> {
    match word {
        None | Some("pseudonymise") => Ok(RecordsFate::Pseudonymise),
        Some("delete") => Ok(RecordsFate::Delete),
        Some(_) => Err(Problem::invalid(
            "/records",
            "must be \"pseudonymise\" or \"delete\"",
        )),
    }
}

async fn whole(tx: &TenantTx, erasure: ErasureId) -> Answer<Erasure> {
    let receipt = store::read(tx, erasure)
        .await?
        .ok_or_else(|| Problem::not_found("erasure"))?;
    Ok(Erasure::new(
        receipt,
        Some(store::places(tx, erasure).await?),
    ))
}

/// The receipts of erased persons, newest first.
#[utoipa::path(
    tag = "persons",
    params(PageQuery),
    responses((status = 200, description = "A page of receipts.", body = Page<Erasure>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/erasures")]
async fn list_erasures(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Erasure>>> {
    let limit = page.limit()?;
    let after: Option<Uuid> = page.position()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        |row| Erasure::new(row, None),
    )))
}

/// One receipt, with its places.
#[utoipa::path(
    tag = "persons",
    params(("id" = String, Path, description = "The receipt's id.")),
    responses((status = 200, description = "The receipt.", body = Erasure), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/erasures/{id}")]
async fn get_erasure(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<ErasureId>,
) -> Answer<web::Json<Erasure>> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    Ok(web::Json(whole(&tx, *id).await?))
}

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(erase_person);
    cfg.service(list_erasures);
    cfg.service(get_erasure);
}
