//! `/v1/firmware`.

use crate::commands::request::read_update_type;
use crate::commands::schemas;
use crate::firmware::store::{self, NewFirmware};
use crate::hub::Hub;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use gatehouse_domain::FirmwareId;
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageDevices, ReadDevices};
use gatehouse_platform::db::HUB;
use gatehouse_platform::http::refusals::{Missing, Refused, TooLarge, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, Page, PageQuery, Problem, ProblemCode, idempotency,
};
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::tenant::TenantScope;
use gatehouse_proto_terminal::UpdateType;
use gatehouse_schema::entities::hub::firmware;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

const OPERATION: &str = "firmware.create";
const NAME_MAX_CHARS: usize = 100;
const MIB: u64 = 1024 * 1024;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create_firmware)
        .service(list_firmware)
        .service(get_firmware)
        .service(delete_firmware);
}

/// A firmware file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FirmwareView {
    /// The file.
    #[schema(value_type = String, example = "fw_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: FirmwareId,
    /// What it is called.
    #[schema(example = "FY-A2 main")]
    name: String,
    /// Its version, in the maker's words.
    #[schema(example = "2.1.9 2020-02-13")]
    version: String,
    /// What it replaces.
    #[schema(schema_with = schemas::update_type)]
    update_type: String,
    /// Its length in bytes.
    size: i64,
    /// SHA-256, in hexadecimal digits.
    sha256: String,
    /// When it was uploaded.
    created_at: DateTime<Utc>,
}

impl From<firmware::Model> for FirmwareView {
    fn from(row: firmware::Model) -> Self {
        let firmware::Model {
            tenant_id: _,
            id,
            name,
            version,
            update_type,
            size_bytes,
            sha256,
            object_key: _,
            created_at,
        } = row;
        Self {
            id: FirmwareId::from_uuid(id),
            name,
            version,
            update_type,
            size: size_bytes,
            sha256: hex::encode(sha256),
            created_at,
        }
    }
}

/// What is said of a file that is uploaded.
#[derive(Debug, Clone, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FirmwareQuery {
    /// What it is called, 1 to 100 characters.
    #[param(example = "FY-A2 main")]
    name: String,
    /// Its version, 1 to 100 characters.
    #[param(example = "2.1.9")]
    version: String,
    /// What it replaces: `file_system`, `application` or `kernel`.
    #[param(example = "application")]
    update_type: String,
}

impl FirmwareQuery {
    fn checked(&self) -> Answer<UpdateType> {
        for (pointer, text) in [("/name", &self.name), ("/version", &self.version)] {
            let chars = text.chars().count();
            if chars == 0 || chars > NAME_MAX_CHARS || text.chars().any(char::is_control) {
                return Err(Problem::invalid(
                    pointer,
                    format!("must have 1 to {NAME_MAX_CHARS} characters and no line breaks"),
                ));
            }
        }
        read_update_type(&self.update_type).map_err(|unknown| {
            Problem::invalid("/update_type", format!("cannot be taken: {unknown}"))
        })
    }
}

/// Upload a firmware file
///
/// The body is the file itself, `application/octet-stream`. Then `upgrade_firmware` with its id
/// starts it on a terminal, which fetches it at a signed link.
#[utoipa::path(
    tag = "firmware",
    params(
        FirmwareQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key is carried out once."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, 64 MiB where the platform's operator has not set another limit."),
    responses(
        (status = 201, description = "The file.", body = FirmwareView, headers(("Location" = String, description = "The file."))),
        Refused, Unfit, TooLarge,
    ),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"])),
)]
#[post("/v1/firmware")]
pub(crate) async fn create_firmware(
    caller: Caller<ManageDevices>,
    hub: web::Data<Hub>,
    query: web::Query<FirmwareQuery>,
    key: IdempotencyKey,
    request: HttpRequest,
    body: web::Payload,
) -> Answer<HttpResponse> {
    // 1. Read it, within bounds.
    let query = query.into_inner();
    let update_type = query.checked()?;
    require_octets(&request)?;
    let file = receive(
        &request,
        body,
        hub.settings.firmware_limit_mib.saturating_mul(MIB),
    )
    .await?;
    let sha256 = digest::digest(&digest::SHA256, &file).as_ref().to_vec();
    let size_bytes = i64::try_from(file.len()).unwrap_or(i64::MAX);
    // 2. The file first, the row after it: a row always has its file.
    let id = FirmwareId::from_uuid(uuid::Uuid::now_v7());
    let object_key = object_key(caller.scope(), id);
    hub.kit
        .objects
        .put(&object_key, "application/octet-stream", file)
        .await
        .map_err(not_kept)?;
    // 3. Row and trail, unless the same was uploaded before.
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    match idempotency::begin(&tx, HUB, OPERATION, &key, &(&query, hex::encode(&sha256))).await? {
        Begun::Replay(answer) => {
            remove(&hub, &object_key).await;
            return Ok(answer);
        }
        Begun::Fresh => {}
    }
    let FirmwareQuery { name, version, .. } = query;
    let new = NewFirmware {
        id,
        name,
        version,
        update_type,
        size_bytes,
        sha256,
        object_key,
    };
    let view = FirmwareView::from(store::insert(&tx, new).await?);
    let deed = Deed {
        action: "firmware.created",
        subject_kind: "firmware",
        subject_id: id.to_string(),
        detail: json!({ "name": view.name, "version": view.version, "size": view.size, "sha256": view.sha256 }),
        request_id: Some(caller.request_id()),
    };
    audit::publish(&tx, HUB, deed).await?;
    idempotency::finish(&tx, HUB, OPERATION, &key, 201, &view).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(("Location", format!("/v1/firmware/{id}")))
        .json(view))
}

/// The firmware files
///
/// Newest first.
#[utoipa::path(
    tag = "firmware",
    params(PageQuery),
    responses((status = 200, description = "A page of files.", body = Page<FirmwareView>), Refused, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/firmware")]
pub(crate) async fn list_firmware(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<FirmwareView>>> {
    let limit = page.limit()?;
    let before = page.position()?;
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, before, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        FirmwareView::from,
    )))
}

/// One firmware file
#[utoipa::path(
    tag = "firmware",
    params(("id" = String, Path, description = "The file.", example = "fw_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "The file.", body = FirmwareView), Refused, Missing),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/firmware/{id}")]
pub(crate) async fn get_firmware(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    id: web::Path<FirmwareId>,
) -> Answer<web::Json<FirmwareView>> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let row = store::find(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("firmware"))?;
    Ok(web::Json(row.into()))
}

/// Delete a firmware file
///
/// Commands that name it and are not sent yet fail; a terminal that is fetching it may fail, too.
#[utoipa::path(
    tag = "firmware",
    params(("id" = String, Path, description = "The file.", example = "fw_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 204, description = "It is gone."), Refused, Missing),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"])),
)]
#[delete("/v1/firmware/{id}")]
pub(crate) async fn delete_firmware(
    caller: Caller<ManageDevices>,
    hub: web::Data<Hub>,
    id: web::Path<FirmwareId>,
) -> Answer<HttpResponse> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let row = store::delete(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("firmware"))?;
    let deed = Deed {
        action: "firmware.deleted",
        subject_kind: "firmware",
        subject_id: id.to_string(),
        detail: json!({ "name": row.name, "version": row.version }),
        request_id: Some(caller.request_id()),
    };
    audit::publish(&tx, HUB, deed).await?;
    tx.commit().await?;
    remove(&hub, &row.object_key).await;
    Ok(HttpResponse::NoContent().finish())
}

/// An object that no row names any more; where it cannot be removed, it only takes up room.
async fn remove(hub: &Hub, object_key: &str) {
    if let Err(error) = hub.kit.objects.delete(object_key).await {
        tracing::warn!(object_key, %error, "a firmware file that nobody needs stays in the object store");
    }
}

fn object_key(scope: &TenantScope, id: FirmwareId) -> String {
    format!(
        "{}/firmware/{}.bin",
        scope.tenant().uuid().as_simple(),
        id.uuid().as_simple()
    )
}

fn require_octets(request: &HttpRequest) -> Answer<()> {
    let sent = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    if sent.trim_start().starts_with("application/octet-stream") {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::MalformedRequest,
        "The body must be the file itself, with Content-Type: application/octet-stream.",
    ))
}

/// Reads the body; stops as soon as it is too large, by its announcement or by what arrives.
async fn receive(request: &HttpRequest, mut body: web::Payload, limit: u64) -> Answer<Bytes> {
    let too_large = || {
        Problem::new(
            ProblemCode::TooLarge,
            format!("The file is larger than {} MiB.", limit / MIB),
        )
    };
    let limit_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok());
    if announced
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|length| length > limit)
    {
        return Err(too_large());
    }
    let mut file = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| {
            Problem::new(
                ProblemCode::MalformedRequest,
                format!("The body broke off: {e}."),
            )
        })?;
        if file.len().saturating_add(chunk.len()) > limit_bytes {
            return Err(too_large());
        }
        file.extend_from_slice(&chunk);
    }
    if file.is_empty() {
        return Err(Problem::new(
            ProblemCode::MalformedRequest,
            "The body is empty; send the file.",
        ));
    }
    Ok(file.freeze())
}

fn not_kept(error: ObjectError) -> Problem {
    tracing::warn!(%error, "a firmware file could not be kept");
    match error {
        ObjectError::Unavailable(_) => Problem::new(
            ProblemCode::Unavailable,
            "The object store is not available at the moment; try again shortly.",
        )
        .with_retry_after(2),
        ObjectError::NotFound | ObjectError::Refused(_) => Problem::new(
            ProblemCode::Internal,
            "An internal error; it is logged under this request's id.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_and_typed() {
        let query = |name: &str, version: &str, update_type: &str| FirmwareQuery {
            name: name.into(),
            version: version.into(),
            update_type: update_type.into(),
        };
        assert_eq!(
            query("a", "1", "kernel").checked().ok(),
            Some(UpdateType::Kernel)
        );
        assert_eq!(
            query("a", "1", "0").checked().ok(),
            Some(UpdateType::FileSystem)
        );
        for bad in [
            query("", "1", "kernel"),
            query("a", "\n", "kernel"),
            query("a", "1", "2"),
            query(&"x".repeat(101), "1", "kernel"),
        ] {
            assert!(bad.checked().is_err(), "{bad:?}");
        }
    }
}
