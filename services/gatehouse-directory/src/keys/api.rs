//! Routes of API keys.

use super::view::{ApiKey, NewApiKey};
use super::{grant, store};
use crate::audit;
use crate::directory::Directory;
use crate::reading::{Reading, present};
use crate::schemas;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::ApiKeyId;
use gatehouse_domain::access::Permission;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::power::{ManageAccounts, ReadAccounts};
use gatehouse_platform::auth::{Caller, api_key};
use gatehouse_platform::db::DIRECTORY;
use gatehouse_platform::http::refusals::{Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use gatehouse_schema::entities::directory::api_keys::{ActiveModel, Model};
use sea_orm::Set;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

const NAME_MAX_CHARS: usize = 100;
const CREATE: &str = "api_keys.create";

/// A key to be made.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyRequest {
    /// 1 to 100 characters.
    #[schema(example = "Reception")]
    name: String,
    /// What it permits; at most what the caller may.
    #[schema(schema_with = schemas::permissions)]
    scopes: Vec<String>,
    /// When it ends by itself; never where absent.
    expires_at: Option<DateTime<Utc>>,
    /// Addresses or ranges from which it may be used; from anywhere where absent or empty.
    #[serde(default)]
    allowed_addresses: Vec<String>,
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyChange {
    name: Option<String>,
    #[schema(schema_with = schemas::permissions, required = false)]
    scopes: Option<Vec<String>>,
    /// Null: it no longer ends by itself.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>, required = false)]
    expires_at: Option<Option<DateTime<Utc>>>,
    allowed_addresses: Option<Vec<String>>,
    /// Switches the key off or on.
    disabled: Option<bool>,
}

/// Makes an API key. It holds at most the permissions of whoever makes it.
#[utoipa::path(
    tag = "API keys",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = ApiKeyRequest,
    responses((status = 201, description = "The key, with its secret.", body = NewApiKey), Refused, Unfit),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[post("/v1/api-keys")]
async fn create_api_key(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<ApiKeyRequest>,
) -> Answer<HttpResponse> {
    let mut reading = Reading::begin();
    let name = reading.text("/name", &body.name, NAME_MAX_CHARS);
    let scopes = reading.permissions("/scopes", &body.scopes);
    let addresses = reading.addresses("/allowed_addresses", &body.allowed_addresses);
    let expires_at = reading.future("/expires_at", body.expires_at, Utc::now());
    reading.end()?;
    grant::within(&scopes, |permission| caller.permits(permission))?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let drawn = api_key::new();
    let now = Utc::now();
    let row = ActiveModel {
        tenant_id: Set(tx.tenant_uuid()),
        id: Set(Uuid::now_v7()),
        name: Set(name),
        secret_hash: Set(drawn.hash),
        hint: Set(drawn.hint),
        scopes: Set(spelled(&scopes)),
        allowed_addresses: Set(addresses),
        expires_at: Set(expires_at),
        disabled_at: Set(None),
        last_used_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let made = ApiKey::from(store::insert(&tx, row).await?);
    let detail = json!({"scopes": made.scopes, "allowed_addresses": made.allowed_addresses, "expires_at": made.expires_at});
    audit::enter(
        &tx,
        deed("api_key.created", made.id, detail, caller.request_id()),
    )
    .await?;
    let kept = NewApiKey {
        key_without_secret: made.clone(),
        key: None,
    };
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &kept).await?;
    tx.commit().await?;
    let answer = NewApiKey {
        key_without_secret: made,
        key: Some(drawn.text),
    };
    Ok(HttpResponse::Created().insert_header(etag(1)).json(answer))
}

/// The API keys, newest first. Secrets are never shown again.
#[utoipa::path(
    tag = "API keys",
    params(PageQuery),
    responses((status = 200, description = "A page of keys.", body = Page<ApiKey>), Refused, Unfit),
    security(("api_key" = ["accounts:read"]), ("user_token" = ["accounts:read"]))
)]
#[get("/v1/api-keys")]
async fn list_api_keys(
    caller: Caller<ReadAccounts>,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<ApiKey>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        ApiKey::from,
    )))
}

/// One API key.
#[utoipa::path(
    tag = "API keys",
    params(("id" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The key, without its secret.", body = ApiKey), Refused, Missing),
    security(("api_key" = ["accounts:read"]), ("user_token" = ["accounts:read"]))
)]
#[get("/v1/api-keys/{id}")]
async fn get_api_key(
    caller: Caller<ReadAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<ApiKeyId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = store::read(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("API key"))?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(ApiKey::from(row)))
}

/// Changes an API key. Whatever widens its use needs a caller with all of its scopes. It takes effect
/// within five seconds.
#[utoipa::path(
    tag = "API keys",
    params(
        ("id" = String, Path, description = "The key's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = ApiKeyChange,
    responses((status = 200, description = "The key as it is now.", body = ApiKey), Refused, Missing, Unfit, Stale),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[patch("/v1/api-keys/{id}")]
async fn change_api_key(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<ApiKeyId>,
    if_match: IfMatch,
    body: web::Json<ApiKeyChange>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let old = store::read_to_change(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("API key"))?;
    if_match.check(old.version)?;
    let ReadChange {
        row,
        changed,
        scopes,
    } = read_change(body.into_inner(), &old)?;
    if changed
        .iter()
        .any(|field| !matches!(*field, "name" | "disabled"))
    {
        grant::within(&scopes, |permission| caller.permits(permission))?;
    }
    let new = ApiKey::from(store::update(&tx, &old, row).await?);
    let detail = json!({
        "changed": changed,
        "scopes": new.scopes,
        "allowed_addresses": new.allowed_addresses,
        "expires_at": new.expires_at,
    });
    audit::enter(
        &tx,
        deed("api_key.updated", new.id, detail, caller.request_id()),
    )
    .await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(new.version))
        .json(new))
}

struct ReadChange {
    row: ActiveModel,
    changed: Vec<&'static str>,
    /// The scopes as they will be.
    scopes: Vec<Permission>,
}

fn read_change(change: ApiKeyChange, old: &Model) -> Answer<ReadChange> {
    let ApiKeyChange {
        name,
        scopes,
        expires_at,
        allowed_addresses,
        disabled,
    } = change;
    let mut reading = Reading::begin();
    let mut read = ReadChange {
        row: ActiveModel::default(),
        changed: Vec::new(),
        scopes: grant::known(&old.scopes),
    };
    if let Some(name) = name {
        read.row.name = Set(reading.text("/name", &name, NAME_MAX_CHARS));
        read.changed.push("name");
    }
    if let Some(scopes) = scopes {
        read.scopes = reading.permissions("/scopes", &scopes);
        read.row.scopes = Set(spelled(&read.scopes));
        read.changed.push("scopes");
    }
    if let Some(expires_at) = expires_at {
        read.row.expires_at = Set(reading.future("/expires_at", expires_at, Utc::now()));
        read.changed.push("expires_at");
    }
    if let Some(addresses) = allowed_addresses {
        read.row.allowed_addresses = Set(reading.addresses("/allowed_addresses", &addresses));
        read.changed.push("allowed_addresses");
    }
    if let Some(disabled) = disabled.filter(|disabled| *disabled != old.disabled_at.is_some()) {
        read.row.disabled_at = Set(disabled.then(Utc::now));
        read.changed
            .push(if disabled { "disabled" } else { "enabled" });
    }
    reading.end()?;
    Ok(read)
}

/// Removes an API key. It is refused everywhere within five seconds.
#[utoipa::path(
    tag = "API keys",
    params(
        ("id" = String, Path, description = "The key's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses((status = 204, description = "It is removed."), Refused, Missing, Stale),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[delete("/v1/api-keys/{id}")]
async fn delete_api_key(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<ApiKeyId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let old = store::read_to_change(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("API key"))?;
    if_match.check(old.version)?;
    store::delete(&tx, *id).await?;
    audit::enter(
        &tx,
        deed(
            "api_key.deleted",
            *id,
            json!({"scopes": old.scopes}),
            caller.request_id(),
        ),
    )
    .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

fn spelled(scopes: &[Permission]) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

fn deed<'a>(
    action: &'a str,
    id: ApiKeyId,
    detail: serde_json::Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "api_key",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_api_key)
        .service(list_api_keys)
        .service(get_api_key)
        .service(change_api_key)
        .service(delete_api_key);
}
