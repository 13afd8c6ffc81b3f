//! `GET /v1/discovered-devices` and `DELETE /v1/discovered-devices/{id}`.

use super::store;
use crate::hub::Hub;
use actix_web::{HttpResponse, delete, get, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::DiscoveredDeviceId;
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageDevices, ReadDevices};
use gatehouse_platform::db::HUB;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem};
use gatehouse_schema::entities::hub::discovered_devices;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_discovered_devices)
        .service(delete_discovered_device);
}

/// A serial number that knocked and is not claimed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DiscoveredDeviceView {
    /// Its id in this list.
    #[schema(value_type = String, example = "dsc_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: DiscoveredDeviceId,
    /// The serial number; a device of this number claims it.
    sn: String,
    /// How it talks: terminal_ws or http_push.
    protocol: String,
    /// When it first knocked.
    first_seen_at: DateTime<Utc>,
    /// When it last knocked.
    last_seen_at: DateTime<Utc>,
    /// How often it knocked.
    attempts: i64,
    /// Where it last came from.
    remote_address: Option<String>,
    /// Its hardware, as it says.
    hardware_version: Option<String>,
    /// Its software, as it says.
    software_version: Option<String>,
    /// Its algorithms, as it says.
    algorithm_version: Option<String>,
}

impl From<discovered_devices::Model> for DiscoveredDeviceView {
    fn from(row: discovered_devices::Model) -> Self {
        let discovered_devices::Model {
            tenant_id: _,
            id,
            sn,
            protocol,
            first_seen_at,
            last_seen_at,
            attempts,
            remote_address,
            hardware_version,
            software_version,
            algorithm_version,
        } = row;
        Self {
            id: DiscoveredDeviceId::from_uuid(id),
            sn,
            protocol,
            first_seen_at,
            last_seen_at,
            attempts,
            remote_address,
            hardware_version,
            software_version,
            algorithm_version,
        }
    }
}

/// List discovered devices
///
/// Serial numbers that knocked at the tenant's terminal URL and belong to no device, newest first.
/// They are refused until a device of that number is created, which claims them.
#[utoipa::path(
    tag = "devices",
    operation_id = "list_discovered_devices",
    params(PageQuery),
    responses((status = 200, description = "The discovered devices.", body = Page<DiscoveredDeviceView>), Refused, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/discovered-devices")]
pub(crate) async fn list_discovered_devices(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<DiscoveredDeviceView>>> {
    let (limit, below) = (page.limit()?, page.position::<Uuid>()?);
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, below, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        DiscoveredDeviceView::from,
    )))
}

/// Forget a discovered device
///
/// It is listed again when it next knocks.
#[utoipa::path(
    tag = "devices",
    operation_id = "delete_discovered_device",
    params(("id" = String, Path, description = "The discovered device.", example = "dsc_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 204, description = "Forgotten."), Refused, Missing),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"])),
)]
#[delete("/v1/discovered-devices/{id}")]
pub(crate) async fn delete_discovered_device(
    caller: Caller<ManageDevices>,
    hub: web::Data<Hub>,
    id: web::Path<DiscoveredDeviceId>,
) -> Answer<HttpResponse> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    if !store::forget(&tx, *id).await? {
        return Err(Problem::not_found("discovered device"));
    }
    let deed = Deed {
        request_id: Some(caller.request_id()),
        action: "discovered_device.deleted",
        subject_kind: "discovered_device",
        subject_id: id.to_string(),
        detail: serde_json::json!({}),
    };
    audit::publish(&tx, HUB, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
