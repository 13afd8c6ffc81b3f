//! `/v1/devices/{id}/persons/readback`, `/v1/devices/{id}/readbacks`, `/v1/readbacks/{id}`.

use super::store;
use super::view::ReadbackView;
use crate::assignments;
use crate::body::Optional;
use crate::sync::Sync;
use actix_web::{HttpResponse, get, post, web};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DeviceId, ReadbackId};
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{OperateDevices, ReadAccess};
use gatehouse_platform::db::SYNC;
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, Page, PageQuery, Problem, ProblemCode, idempotency,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

const OPERATION: &str = "readbacks.create";

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_back)
        .service(list_readbacks)
        .service(get_readback);
}

/// How thoroughly to look.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadbackRequest {
    /// Read every person; otherwise count first, and read only where the count differs. `true` where
    /// absent.
    #[serde(default = "yes")]
    full: bool,
}

const fn yes() -> bool {
    true
}

impl Default for ReadbackRequest {
    fn default() -> Self {
        Self { full: yes() }
    }
}

/// Read back what a terminal holds
///
/// The terminal is asked for its register; what it tells is compared with what it confirmed, and what
/// differs is mended. Where one is under way for this terminal, that one is answered. A terminal that
/// is offline is waited for, up to an hour. The body may be absent.
#[utoipa::path(
    tag = "distribution",
    operation_id = "read_back",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key is carried out once."),
    ),
    request_body = Option<ReadbackRequest>,
    responses(
        (status = 202, description = "The read-back, under way.", body = ReadbackView,
            headers(("Location" = String, description = "The read-back."))),
        Refused, Missing, Clash, Unfit,
    ),
    security(("api_key" = ["devices:operate"]), ("user_token" = ["devices:operate"])),
)]
#[post("/v1/devices/{id}/persons/readback")]
pub(crate) async fn read_back(
    caller: Caller<OperateDevices>,
    sync: web::Data<Sync>,
    device: web::Path<DeviceId>,
    key: IdempotencyKey,
    body: Optional<ReadbackRequest>,
) -> Answer<HttpResponse> {
    let (device, request) = (*device, body.0);
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    match assignments::protocol_of(&tx, device).await? {
        None => return Err(Problem::not_found("device")),
        Some(DeviceProtocol::TerminalWs) => {}
        Some(DeviceProtocol::HttpPush) => {
            return Err(Problem::new(
                ProblemCode::Conflict,
                "This device calls the platform by itself and cannot be asked what it holds; what it confirmed stands under /v1/devices/{id}/persons.",
            ));
        }
    }
    match idempotency::begin(&tx, SYNC, OPERATION, &key, &(device, &request)).await? {
        Begun::Replay(answer) => return Ok(answer),
        Begun::Fresh => {}
    }
    let (row, is_new) = store::begin(&tx, device, request.full).await?;
    let id = ReadbackId::from_uuid(row.id);
    let view = ReadbackView::whole(row);
    if is_new {
        let deed = Deed {
            action: "readback.started",
            subject_kind: "device",
            subject_id: device.to_string(),
            detail: json!({ "readback_id": id, "full": request.full }),
            request_id: Some(caller.request_id()),
        };
        audit::publish(&tx, SYNC, deed).await?;
    }
    idempotency::finish(&tx, SYNC, OPERATION, &key, 202, &view).await?;
    tx.commit().await?;
    Ok(HttpResponse::Accepted()
        .insert_header(("Location", format!("/v1/readbacks/{id}")))
        .json(view))
}

/// The read-backs of a terminal
///
/// Newest first. Every terminal that is online is also read back by itself, once a night.
#[utoipa::path(
    tag = "distribution",
    operation_id = "list_readbacks",
    params(("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"), PageQuery),
    responses((status = 200, description = "A page of read-backs.", body = Page<ReadbackView>), Refused, Missing, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/devices/{id}/readbacks")]
pub(crate) async fn list_readbacks(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    device: web::Path<DeviceId>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<ReadbackView>>> {
    let (limit, below) = (page.limit()?, page.position::<Uuid>()?);
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    if assignments::protocol_of(&tx, *device).await?.is_none() {
        return Err(Problem::not_found("device"));
    }
    let rows = store::list(&tx, *device, below, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        ReadbackView::short,
    )))
}

/// One read-back
#[utoipa::path(
    tag = "distribution",
    operation_id = "get_readback",
    params(("id" = String, Path, description = "The read-back.", example = "rbk_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "The read-back.", body = ReadbackView), Refused, Missing),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/readbacks/{id}")]
pub(crate) async fn get_readback(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    id: web::Path<ReadbackId>,
) -> Answer<web::Json<ReadbackView>> {
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    let row = store::find(&tx, *id).await?;
    let row = row.ok_or_else(|| Problem::not_found("read-back"))?;
    Ok(web::Json(ReadbackView::whole(row)))
}
