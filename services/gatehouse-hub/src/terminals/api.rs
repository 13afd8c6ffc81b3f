//! `GET /v1/devices/{id}/connection` and `/unknown-messages`.

use super::store;
use crate::hub::Hub;
use actix_web::{get, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadDevices;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem};
use gatehouse_schema::entities::hub::{terminals, unknown_messages};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_connection).service(list_unknown_messages);
}

/// What is known of a terminal from its connections. Null where it never told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    /// Whether it is connected at this moment.
    online: bool,
    /// When its latest connection began.
    connected_at: Option<DateTime<Utc>>,
    /// When that ended; null while it lasts.
    disconnected_at: Option<DateTime<Utc>>,
    /// Why it ended.
    close_reason: Option<String>,
    /// When anything was last heard of it; up to half a minute late.
    last_seen_at: Option<DateTime<Utc>>,
    /// Where it connected from.
    remote_address: Option<String>,
    /// The protocol's version that it speaks.
    protocol_version: Option<String>,
    /// Its hardware.
    hardware_version: Option<String>,
    /// Its software.
    software_version: Option<String>,
    /// Its algorithms.
    algorithm_version: Option<String>,
    /// Whether its registration was signed as the document has it: valid, wrong or missing.
    sign_verdict: Option<String>,
    /// By how much its clock was ahead (positive) or behind when it registered, in milliseconds. It
    /// sets its clock then.
    clock_offset_ms: Option<i64>,
    /// When that was measured.
    clock_measured_at: Option<DateTime<Utc>>,
    /// Degrees east.
    longitude: Option<f64>,
    /// Degrees north.
    latitude: Option<f64>,
    /// Messages of a type that the platform does not know.
    unknown_messages: i64,
    /// Frames that were no message.
    malformed_messages: i64,
}

impl ConnectionView {
    fn new(online: bool, row: Option<terminals::Model>) -> Self {
        let known = row.is_some();
        let row = row.as_ref();
        let text = |of: fn(&terminals::Model) -> &Option<String>| row.and_then(|r| of(r).clone());
        Self {
            online,
            connected_at: row.and_then(|r| r.connected_at),
            disconnected_at: row.and_then(|r| r.disconnected_at),
            close_reason: text(|r| &r.close_reason),
            last_seen_at: row.and_then(|r| r.last_seen_at),
            remote_address: text(|r| &r.remote_address),
            protocol_version: text(|r| &r.protocol_version),
            hardware_version: text(|r| &r.hardware_version),
            software_version: text(|r| &r.software_version),
            algorithm_version: text(|r| &r.algorithm_version),
            sign_verdict: text(|r| &r.sign_verdict),
            clock_offset_ms: row.and_then(|r| r.clock_offset_ms),
            clock_measured_at: row.and_then(|r| r.clock_measured_at),
            longitude: row.and_then(|r| r.longitude),
            latitude: row.and_then(|r| r.latitude),
            unknown_messages: row.filter(|_| known).map_or(0, |r| r.unknown_messages),
            malformed_messages: row.map_or(0, |r| r.malformed_messages),
        }
    }
}

/// A message of a type that the platform does not know.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UnknownMessageView {
    /// When it came.
    received_at: DateTime<Utc>,
    /// Its `msgType`.
    message_type: String,
    /// The message, its first 4 000 characters.
    body: String,
}

impl From<unknown_messages::Model> for UnknownMessageView {
    fn from(row: unknown_messages::Model) -> Self {
        let unknown_messages::Model {
            tenant_id: _,
            id: _,
            device_id: _,
            received_at,
            message_type,
            body,
        } = row;
        Self {
            received_at,
            message_type,
            body,
        }
    }
}

async fn require_device(tx: &TenantTx, device: DeviceId) -> Answer<()> {
    if store::device_exists(tx, device).await? {
        Ok(())
    } else {
        Err(Problem::not_found("device"))
    }
}

/// The connection of a terminal
///
/// Its latest connection, versions, clock, and what it said that nobody understood.
#[utoipa::path(
    tag = "devices",
    operation_id = "get_connection",
    params(("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "What is known.", body = ConnectionView), Refused, Missing),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/connection")]
pub(crate) async fn get_connection(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
) -> Answer<web::Json<ConnectionView>> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    require_device(&tx, *device).await?;
    let row = store::find(&tx, *device).await?;
    drop(tx);
    let online = hub.is_online(caller.scope(), *device).await;
    Ok(web::Json(ConnectionView::new(online, row)))
}

/// Messages that the platform does not know
///
/// The newest hundred of a device, newest first. Later versions of the terminals' protocol have
/// more messages than the one this platform is built from; they do no harm.
#[utoipa::path(
    tag = "devices",
    operation_id = "list_unknown_messages",
    params(("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"), PageQuery),
    responses((status = 200, description = "The messages.", body = Page<UnknownMessageView>), Refused, Missing, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/unknown-messages")]
pub(crate) async fn list_unknown_messages(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<UnknownMessageView>>> {
    let (limit, below) = (page.limit()?, page.position::<Uuid>()?);
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    require_device(&tx, *device).await?;
    let rows = store::unknown_messages(&tx, *device, below, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        UnknownMessageView::from,
    )))
}
