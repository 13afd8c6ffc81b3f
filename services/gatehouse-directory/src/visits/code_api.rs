//! Routes of the code of a visit: as text, as a picture, and what it is worth when somebody shows it.

use super::change::refuse_over;
use super::code::{Code, TOKEN_MAX_CHARS};
use super::picture::{self, SIDE_PX, USUAL_SIDE_PX};
use super::store::{self, Row};
use super::verdict::{self, Known, Reason};
use super::view::Visit;
use crate::directory::Directory;
use crate::schemas;
use crate::tenants;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{TenantId, VisitId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadPersons;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::tenant::TenantScope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Whoever has it is let in: no cache keeps it.
const KEPT_NOWHERE: HeaderValue = HeaderValue::from_static("no-store");

/// The code of a visit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VisitCode {
    /// What stands in the picture: 54 characters.
    token: String,
    /// The end that the visit has now. The code is dead from then on, and before where the visit is
    /// cancelled or ends.
    expires_at: DateTime<Utc>,
}

/// How the picture shall be.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PictureQuery {
    /// Its side in pixels, 120 to 1000; 300 where absent.
    #[param(minimum = 120, maximum = 1000)]
    size: Option<u32>,
}

/// A code that somebody shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// As it was read from the picture; at most 128 characters.
    token: String,
}

/// What a code is worth now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VisitVerdict {
    /// Whether the visitor may come in now.
    admits: bool,
    #[schema(schema_with = schemas::visit_reason)]
    reason: Reason,
    /// The reason for whoever stands at the door, with times in the tenant's zone.
    sentence: String,
    /// Null where the code is unknown.
    visit: Option<Visit>,
}

/// The code of a visit that is neither over nor cancelled, as text.
#[utoipa::path(
    tag = "visits",
    params(("id" = String, Path, description = "The visit's id.")),
    responses((status = 200, description = "The code.", body = VisitCode), Refused, Missing, Clash),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/visits/{id}/qr")]
async fn get_visit_code(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<VisitId>,
) -> Answer<HttpResponse> {
    let code = code(&directory, caller.scope(), *id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, KEPT_NOWHERE))
        .json(code))
}

/// The code of a visit that is neither over nor cancelled, as a picture for the visitor's telephone.
#[utoipa::path(
    tag = "visits",
    params(("id" = String, Path, description = "The visit's id."), PictureQuery),
    responses(
        (status = 200, description = "A PNG of the QR code.", body = Vec<u8>, content_type = "image/png"),
        Refused, Missing, Unfit, Clash
    ),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/visits/{id}/qr.png")]
async fn get_visit_picture(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<VisitId>,
    query: web::Query<PictureQuery>,
) -> Answer<HttpResponse> {
    let side = query.size.unwrap_or(USUAL_SIDE_PX);
    if !SIDE_PX.contains(&side) {
        let detail = format!("must be between {} and {}", SIDE_PX.start(), SIDE_PX.end());
        return Err(Problem::invalid("/size", detail));
    }
    let code = code(&directory, caller.scope(), *id).await?;
    let drawn = web::block(move || picture::png(&code.token, side)).await;
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a visit's code could not be drawn");
        let detail = "An internal error; it is logged under this request's id.";
        Problem::new(ProblemCode::Internal, detail)
    };
    let png = drawn
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("image/png")
        .insert_header((CACHE_CONTROL, KEPT_NOWHERE))
        .body(png))
}

async fn code(directory: &Directory, scope: &TenantScope, id: VisitId) -> Answer<VisitCode> {
    let row = {
        let tx = directory.kit.db.tenant(scope).await?;
        store::read(&tx, id)
            .await?
            .ok_or_else(|| Problem::not_found("visit"))?
    };
    refuse_over(row.state(Utc::now()))?;
    let code = Code {
        visit: id,
        expires_at: row.ends_at,
    };
    Ok(VisitCode {
        token: code.token(&directory.kit.secrets, scope.tenant()),
        expires_at: code.expires_at,
    })
}

/// Says whether a code that somebody shows admits them now, and why. Nothing is changed by it.
#[utoipa::path(
    tag = "visits",
    request_body = VerifyRequest,
    responses((status = 200, description = "What the code is worth.", body = VisitVerdict), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[post("/v1/visits:verify")]
async fn verify_visit(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    body: web::Json<VerifyRequest>,
) -> Answer<web::Json<VisitVerdict>> {
    if body.token.len() > TOKEN_MAX_CHARS {
        let detail = format!("must have at most {TOKEN_MAX_CHARS} characters");
        return Err(Problem::invalid("/token", detail));
    }
    let now = Utc::now();
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let found = find(&directory, &tx, caller.scope().tenant(), &body.token).await?;
    let known = found.as_ref().map(|(known, _)| *known);
    let (reason, sentence) = verdict::decide(known, now, tenants::zone(&tx).await?);
    Ok(web::Json(VisitVerdict {
        admits: reason == Reason::Admitted,
        reason,
        sentence,
        visit: found.map(|(_, row)| Visit::new(row, None, now)),
    }))
}

async fn find(
    directory: &Directory,
    tx: &TenantTx,
    tenant: TenantId,
    token: &str,
) -> Answer<Option<(Known, Row)>> {
    let Some(code) = Code::read(&directory.kit.secrets, tenant, token) else {
        return Ok(None);
    };
    let Some(row) = store::read(tx, code.visit).await? else {
        return Ok(None);
    };
    let Some(standing) = store::standing(tx, row.person_id).await? else {
        return Ok(None);
    };
    let known = Known {
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        cancelled: row.cancelled_at.is_some(),
        disabled: standing.disabled,
        blocklisted: standing.blocklisted,
        code_expires_at: code.expires_at,
    };
    Ok(Some((known, row)))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(verify_visit)
        .service(get_visit_code)
        .service(get_visit_picture);
}
