//! Routes of the thresholds for photos.

use super::criteria::{self, Chosen};
use crate::audit;
use crate::directory::Directory;
use actix_web::{HttpResponse, get, put, web};
use chrono::{DateTime, Utc};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageTenant, ReadPersons};
use gatehouse_platform::http::refusals::{Refused, Stale, Unfit};
use gatehouse_platform::http::{Answer, IfMatch, etag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What photos are to be held against.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhotoCriteriaRequest {
    /// 1 (low), 3 (high, the default) or 4 (thresholds of one's own); Hongtu's levels.
    #[schema(example = 3)]
    level: Option<u8>,
    /// Thresholds in place of level 4's; those that are not named stay as level 4 has them.
    #[schema(value_type = Option<Object>, example = json!({"yaw_max_deg": 30}))]
    thresholds: Option<Map<String, Value>>,
}

/// What photos are held against.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhotoCriteria {
    /// 1 (low), 3 (high, the default) or 4 (thresholds of one's own); Hongtu's levels.
    level: u8,
    /// All thresholds, whatever the level.
    #[schema(value_type = Object)]
    thresholds: Value,
    /// Null where nothing was ever chosen.
    updated_at: Option<DateTime<Utc>>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl From<Chosen> for PhotoCriteria {
    fn from(chosen: Chosen) -> Self {
        let Chosen {
            level,
            thresholds,
            version,
            updated_at,
        } = chosen;
        Self {
            level,
            thresholds: serde_json::to_value(thresholds).unwrap_or_default(),
            updated_at,
            version,
        }
    }
}

/// What photos are held against.
#[utoipa::path(
    tag = "photos",
    responses((status = 200, description = "The criteria.", body = PhotoCriteria), Refused),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/photo-criteria")]
async fn get_criteria(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let chosen = criteria::read(&tx).await?;
    Ok(shown(chosen))
}

/// Chooses what photos are held against from now on. Photos that were taken before stay.
#[utoipa::path(
    tag = "photos",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = PhotoCriteriaRequest,
    responses((status = 200, description = "The criteria as they are now.", body = PhotoCriteria), Refused, Unfit, Stale),
    security(("api_key" = ["tenant:write"]), ("user_token" = ["tenant:write"]))
)]
#[put("/v1/photo-criteria")]
async fn choose_criteria(
    caller: Caller<ManageTenant>,
    directory: web::Data<Directory>,
    if_match: IfMatch,
    body: web::Json<PhotoCriteriaRequest>,
) -> Answer<HttpResponse> {
    let PhotoCriteriaRequest { level, thresholds } = body.into_inner();
    let (level, own) = criteria::choose(level, thresholds)?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if_match.check(criteria::read(&tx).await?.version)?;
    criteria::write(&tx, level, own.as_ref()).await?;
    let chosen = criteria::read(&tx).await?;
    let deed = Deed {
        action: "photo_criteria.chosen",
        subject_kind: "tenant",
        subject_id: caller.scope().tenant().to_string(),
        detail: json!({"level": level, "thresholds": own}),
        request_id: Some(caller.request_id()),
    };
    audit::enter(&tx, deed).await?;
    tx.commit().await?;
    Ok(shown(chosen))
}

fn shown(chosen: Chosen) -> HttpResponse {
    let version = chosen.version;
    HttpResponse::Ok()
        .insert_header(etag(version))
        .json(PhotoCriteria::from(chosen))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(get_criteria).service(choose_criteria);
}
