//! Routes of devices.

use super::store::{self, Row, Wanted};
use super::view::Device;
use super::{change, create, presence};
use crate::directory::Directory;
use crate::reading::{Reading, present};
use crate::schemas;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_contracts::Wake;
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageDevices, ReadDevices};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use gatehouse_platform::tenant::TenantScope;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const CREATE: &str = "devices.create";
/// Rows read at once where presence, which is no column, is filtered by.
const SEARCHED_AT_ONCE: u64 = 1000;

/// A device to be made or claimed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceRequest {
    /// As the terminal tells it: 1 to 64 visible ASCII characters.
    #[schema(example = "FY-2041")]
    pub(super) sn: String,
    /// 1 to 100 characters; the serial number where absent.
    #[schema(example = "North gate")]
    pub(super) name: Option<String>,
    /// `terminal_ws` where absent.
    #[schema(schema_with = schemas::protocol, required = false)]
    pub(super) protocol: Option<String>,
    /// At most 200 characters.
    pub(super) location: Option<String>,
    #[schema(schema_with = schemas::direction, required = false)]
    pub(super) direction: Option<String>,
    /// IANA name; the tenant's where absent.
    pub(super) timezone: Option<String>,
    /// `warn` where absent.
    #[schema(schema_with = schemas::sign_check, required = false)]
    pub(super) sign_check: Option<String>,
    /// `terminal` where absent.
    #[schema(schema_with = schemas::door_decision, required = false)]
    pub(super) door_decision: Option<String>,
    /// How many persons it holds, 1 to 1 000 000; not known where absent. A preview says where a change
    /// would give it more.
    #[schema(example = 10000)]
    pub(super) person_capacity: Option<i64>,
    /// Nobody who is measured warmer passes, where the platform decides: 30 to 45; absent: no limit.
    #[schema(example = 37.3)]
    pub(super) deny_above_celsius: Option<f32>,
    /// Whether nobody without a mask passes, where the platform decides; false where absent.
    pub(super) deny_without_mask: Option<bool>,
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevicePatch {
    /// Of the terminal that hangs there now. The one before is refused from then on, and the new one is
    /// told everybody whom it should hold.
    pub(super) sn: Option<String>,
    pub(super) name: Option<String>,
    #[schema(schema_with = schemas::protocol, required = false)]
    pub(super) protocol: Option<String>,
    pub(super) location: Option<String>,
    /// Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = schemas::direction, required = false)]
    pub(super) direction: Option<Option<String>>,
    pub(super) timezone: Option<String>,
    #[schema(schema_with = schemas::sign_check, required = false)]
    pub(super) sign_check: Option<String>,
    #[schema(schema_with = schemas::door_decision, required = false)]
    pub(super) door_decision: Option<String>,
    /// 1 to 1 000 000. Null: not known.
    #[serde(default, deserialize_with = "present")]
    pub(super) person_capacity: Option<Option<i64>>,
    /// 30 to 45. Null: no limit.
    #[serde(default, deserialize_with = "present")]
    pub(super) deny_above_celsius: Option<Option<f32>>,
    pub(super) deny_without_mask: Option<bool>,
}

/// Which devices are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeviceQuery {
    /// The serial number.
    sn: Option<String>,
    /// A part of the name, in whatever case.
    name: Option<String>,
    /// `terminal_ws` or `http_push`.
    #[param(example = "terminal_ws")]
    protocol: Option<String>,
    /// Whether they have a live session.
    online: Option<bool>,
}

/// Creates a device, which is also how a discovered one is claimed. Terminals with its serial number
/// are admitted from now on.
#[utoipa::path(
    tag = "devices",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = DeviceRequest,
    responses((status = 201, description = "The device.", body = Device), Refused, Unfit, Clash),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"]))
)]
#[post("/v1/devices")]
async fn create_device(
    caller: Caller<ManageDevices>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<DeviceRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let new = create::read(body.into_inner())?;
    let id = create::create(&tx, new, caller.request_id()).await?;
    // Nothing can have a session as this device yet.
    let device = Device::new(read(&tx, id).await?, false);
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &device).await?;
    tx.commit().await?;
    wake(&directory, caller.scope().tenant(), id);
    Ok(HttpResponse::Created()
        .insert_header(etag(device.version()))
        .json(device))
}

/// The devices, newest first.
#[utoipa::path(
    tag = "devices",
    params(DeviceQuery, PageQuery),
    responses((status = 200, description = "A page of devices.", body = Page<Device>), Refused, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"]))
)]
#[get("/v1/devices")]
async fn list_devices(
    caller: Caller<ReadDevices>,
    directory: web::Data<Directory>,
    query: web::Query<DeviceQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Device>>> {
    let DeviceQuery {
        sn,
        name,
        protocol,
        online,
    } = query.into_inner();
    let limit = page.limit()?;
    let mut reading = Reading::begin();
    let wanted = Wanted {
        sn: sn.map(|sn| reading.serial_number("/sn", &sn)),
        name: name.map(|name| reading.optional_text("/name", &name, change::NAME_MAX_CHARS)),
        protocol: protocol
            .map(|word| reading.word("/protocol", Some(&word), DeviceProtocol::TerminalWs)),
        connected: online == Some(true),
        after: page.position()?,
    };
    reading.end()?;
    let found = search(
        &directory,
        caller.scope(),
        wanted,
        online,
        limit.saturating_add(1),
    )
    .await?;
    Ok(web::Json(Page::cut(
        found,
        limit,
        |(row, _)| row.id,
        |(row, online)| Device::new(row, online),
    )))
}

/// Reads on until enough devices of the wanted presence are found or there are no more. No connection
/// to the database is held while Redis is asked.
async fn search(
    directory: &Directory,
    scope: &TenantScope,
    mut wanted: Wanted,
    online: Option<bool>,
    count: u64,
) -> Answer<Vec<(Row, bool)>> {
    let at_once = if online.is_some() {
        SEARCHED_AT_ONCE
    } else {
        count
    };
    let enough = usize::try_from(count).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    loop {
        let rows = {
            let tx = directory.kit.db.tenant(scope).await?;
            store::list(&tx, &wanted, at_once).await?
        };
        let last = rows.last().map(|row| row.id);
        let more = u64::try_from(rows.len()).unwrap_or(u64::MAX) >= at_once;
        let rows = presence::of(&directory.kit.cache, scope.tenant(), rows).await;
        found.extend(
            rows.into_iter()
                .filter(|(_, is)| online.is_none_or(|wanted| wanted == *is)),
        );
        if found.len() >= enough || !more {
            found.truncate(enough);
            return Ok(found);
        }
        wanted.after = last;
    }
}

/// One device.
#[utoipa::path(
    tag = "devices",
    params(("id" = String, Path, description = "The device's id.")),
    responses((status = 200, description = "The device.", body = Device), Refused, Missing),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"]))
)]
#[get("/v1/devices/{id}")]
async fn get_device(
    caller: Caller<ReadDevices>,
    directory: web::Data<Directory>,
    id: web::Path<DeviceId>,
) -> Answer<HttpResponse> {
    let row = {
        let tx = directory.kit.db.tenant(caller.scope()).await?;
        read(&tx, *id).await?
    };
    let device = seen(&directory, caller.scope(), row).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(device.version()))
        .json(device))
}

/// Changes a device's settings. A live session takes them over at once.
///
/// A terminal that is swapped for a new one keeps its place, its authorities and its records: change `sn`.
#[utoipa::path(
    tag = "devices",
    params(
        ("id" = String, Path, description = "The device's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DevicePatch,
    responses((status = 200, description = "The device as it is now.", body = Device), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"]))
)]
#[patch("/v1/devices/{id}")]
async fn change_device(
    caller: Caller<ManageDevices>,
    directory: web::Data<Directory>,
    id: web::Path<DeviceId>,
    if_match: IfMatch,
    body: web::Json<DevicePatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    change::change(&tx, *id, body.into_inner(), if_match, caller.request_id()).await?;
    let row = read(&tx, *id).await?;
    tx.commit().await?;
    wake(&directory, caller.scope().tenant(), *id);
    let device = seen(&directory, caller.scope(), row).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(device.version()))
        .json(device))
}

/// Removes a device. Its session ends; its records stay.
#[utoipa::path(
    tag = "devices",
    params(
        ("id" = String, Path, description = "The device's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses((status = 204, description = "It is removed."), Refused, Missing, Stale),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"]))
)]
#[delete("/v1/devices/{id}")]
async fn delete_device(
    caller: Caller<ManageDevices>,
    directory: web::Data<Directory>,
    id: web::Path<DeviceId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    change::remove(&tx, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    wake(&directory, caller.scope().tenant(), *id);
    Ok(HttpResponse::NoContent().finish())
}

async fn read(tx: &TenantTx, id: DeviceId) -> Answer<Row> {
    store::read(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("device"))
}

async fn seen(directory: &Directory, scope: &TenantScope, row: Row) -> Answer<Device> {
    let found = presence::of(&directory.kit.cache, scope.tenant(), vec![row]).await;
    let device = found
        .into_iter()
        .next()
        .map(|(row, online)| Device::new(row, online));
    device.ok_or_else(|| Problem::not_found("device"))
}

/// Whoever holds a session of this device looks at it again.
fn wake(directory: &Directory, tenant_id: TenantId, device_id: DeviceId) {
    directory.kit.bus.wake(Wake::Device {
        tenant_id,
        device_id,
    });
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_device)
        .service(list_devices)
        .service(get_device)
        .service(change_device)
        .service(delete_device);
}
