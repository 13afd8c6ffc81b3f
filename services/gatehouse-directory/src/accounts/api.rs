//! Routes of users.

use super::{store, users};
use crate::directory::Directory;
use crate::schemas;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::UserId;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageAccounts, ReadAccounts};
use gatehouse_platform::db::DIRECTORY;
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use gatehouse_schema::entities::directory::users::Model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const CREATE: &str = "users.create";

/// Somebody who signs in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(value_type = String, example = "usr_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: UserId,
    email: String,
    name: String,
    #[schema(schema_with = schemas::role)]
    role: String,
    /// Set while the account is switched off.
    disabled_at: Option<DateTime<Utc>>,
    last_login_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id: _,
            id,
            email,
            name,
            role,
            password_hash: _,
            disabled_at,
            last_login_at,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: UserId::from_uuid(id),
            email,
            name,
            role,
            disabled_at,
            last_login_at,
            created_at,
            updated_at,
            version,
        }
    }
}

/// A new user.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewUser {
    #[serde(flatten)]
    user: User,
    /// Where none was sent: the generated one, shown once. A repeat of the request under the same
    /// Idempotency-Key answers without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRequest {
    #[schema(example = "li@example.com")]
    pub(super) email: String,
    /// 1 to 100 characters.
    #[schema(example = "Li")]
    pub(super) name: String,
    #[schema(schema_with = schemas::role)]
    pub(super) role: String,
    /// 10 to 256 characters; generated where absent.
    pub(super) password: Option<String>,
}

/// What to change; absent fields stay. A new role, a new password and switching off end the user's
/// sessions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    #[schema(schema_with = schemas::role, required = false)]
    pub(super) role: Option<String>,
    /// Switches the account off or on.
    pub(super) disabled: Option<bool>,
    /// 10 to 256 characters.
    pub(super) password: Option<String>,
}

/// Makes a user. Only owners make owners; nobody gives a role that permits more than they may.
#[utoipa::path(
    tag = "users",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = UserRequest,
    responses((status = 201, description = "The user.", body = NewUser), Refused, Unfit, Clash),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[post("/v1/users")]
async fn create_user(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<UserRequest>,
) -> Answer<HttpResponse> {
    let request = body.into_inner();
    // The password itself stays out of what is kept of the request: even its hash would be one that is
    // quick to try.
    let chosen = request.password.is_some();
    let same = serde_json::json!([request.email, request.name, request.role, chosen]);
    let new = users::read_new(&directory, &caller, request).await?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &same).await? {
        return Ok(answer);
    }
    let (row, password) = users::create(&tx, new, caller.request_id()).await?;
    let version = row.version;
    let user = User::from(row);
    let kept = NewUser {
        user: user.clone(),
        password: None,
    };
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &kept).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(etag(version))
        .json(NewUser { user, password }))
}

/// The users, newest first.
#[utoipa::path(
    tag = "users",
    params(PageQuery),
    responses((status = 200, description = "A page of users.", body = Page<User>), Refused, Unfit),
    security(("api_key" = ["accounts:read"]), ("user_token" = ["accounts:read"]))
)]
#[get("/v1/users")]
async fn list_users(
    caller: Caller<ReadAccounts>,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<User>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(rows, limit, |row| row.id, User::from)))
}

/// One user.
#[utoipa::path(
    tag = "users",
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 200, description = "The user.", body = User), Refused, Missing),
    security(("api_key" = ["accounts:read"]), ("user_token" = ["accounts:read"]))
)]
#[get("/v1/users/{id}")]
async fn get_user(
    caller: Caller<ReadAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<UserId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = store::read(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("user"))?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(User::from(row)))
}

/// Changes a user. Only owners change owners, and the last owner stays one.
#[utoipa::path(
    tag = "users",
    params(
        ("id" = String, Path, description = "The user's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = UserChange,
    responses((status = 200, description = "The user as it is now.", body = User), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[patch("/v1/users/{id}")]
async fn change_user(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<UserId>,
    if_match: IfMatch,
    body: web::Json<UserChange>,
) -> Answer<HttpResponse> {
    let change = users::read_change(&directory, body.into_inner()).await?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = users::change(&caller, tx, *id, change, if_match).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(User::from(row)))
}

/// Removes a user and ends their sessions. Only owners remove owners, and the last owner stays.
#[utoipa::path(
    tag = "users",
    params(
        ("id" = String, Path, description = "The user's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses((status = 204, description = "It is removed."), Refused, Missing, Clash, Stale),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[delete("/v1/users/{id}")]
async fn delete_user(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<UserId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    users::remove(&caller, tx, *id, if_match).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_user)
        .service(list_users)
        .service(get_user)
        .service(change_user)
        .service(delete_user);
}
