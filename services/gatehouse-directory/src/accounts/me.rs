//! `GET /v1/me`: whose credential this is and what it permits; and a user's own password.

use super::{store, users};
use crate::directory::Directory;
use crate::reading::Reading;
use crate::{keys, schemas, tenants};
use actix_web::{HttpRequest, HttpResponse, get, put, web};
use gatehouse_domain::access::{Permission, Role};
use gatehouse_domain::{TenantId, UserId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::SignedIn;
use gatehouse_platform::http::refusals::{Refused, Unfit};
use gatehouse_platform::http::{Answer, Problem, ProblemCode, client_address};
use gatehouse_platform::tenant::Actor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose credential it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// `user` or `api_key`.
    #[schema(example = "user")]
    kind: &'static str,
    /// The user's or the key's id.
    id: String,
    name: String,
    /// The user's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The user's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schemas::role, required = false)]
    role: Option<Role>,
    #[schema(value_type = String, example = "ten_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    tenant_id: TenantId,
    tenant_name: String,
    /// The tenant's time zone.
    timezone: String,
    /// What the credential permits.
    #[schema(schema_with = schemas::permissions)]
    permissions: Vec<Permission>,
}

/// A user's new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    current_password: String,
    /// 10 to 256 characters.
    new_password: String,
}

/// Whose credential this is, and what it permits. Needs no permission.
#[utoipa::path(
    tag = "sessions",
    responses((status = 200, description = "The caller.", body = Me), Refused),
    security(("api_key" = []), ("user_token" = []))
)]
#[get("/v1/me")]
async fn get_me(
    caller: Caller<SignedIn>,
    directory: web::Data<Directory>,
) -> Answer<web::Json<Me>> {
    let scope = caller.scope();
    let tx = directory.kit.db.tenant(scope).await?;
    let gone = || {
        Problem::new(
            ProblemCode::Unauthenticated,
            "The credential is no longer valid.",
        )
    };
    let tenant = tenants::read_tenant(&tx).await?.ok_or_else(gone)?;
    let (name, email) = match scope.actor() {
        Actor::User(id) => store::read(&tx, *id)
            .await?
            .map(|user| (user.name, Some(user.email)))
            .ok_or_else(gone)?,
        Actor::ApiKey(id) => keys::read_key(&tx, *id)
            .await?
            .map(|key| (key.name, None))
            .ok_or_else(gone)?,
        Actor::Operator | Actor::Terminal(_) | Actor::System => return Err(gone()),
    };
    Ok(web::Json(Me {
        kind: scope.actor().kind(),
        id: scope.actor().id().unwrap_or_default(),
        name,
        email,
        role: caller.role(),
        tenant_id: scope.tenant(),
        tenant_name: tenant.name,
        timezone: tenant.timezone,
        permissions: caller.permissions().to_vec(),
    }))
}

/// Changes the caller's own password. All their sessions end; sign in anew.
#[utoipa::path(
    tag = "sessions",
    request_body = PasswordChange,
    responses((status = 204, description = "It is changed."), Refused, Unfit),
    security(("user_token" = []))
)]
#[put("/v1/me/password")]
async fn change_my_password(
    request: HttpRequest,
    caller: Caller<SignedIn>,
    directory: web::Data<Directory>,
    body: web::Json<PasswordChange>,
) -> Answer<HttpResponse> {
    let id = user_of(&caller)?;
    let PasswordChange {
        current_password,
        new_password,
    } = body.into_inner();
    let mut reading = Reading::begin();
    reading.password("/new_password", &new_password);
    reading.end()?;
    let user = {
        let tx = directory.kit.db.tenant(caller.scope()).await?;
        store::read(&tx, id)
            .await?
            .ok_or_else(|| Problem::not_found("user"))?
    };
    // A stolen access token must not become a way to guess passwords.
    directory
        .throttle
        .sign_in(&directory.kit.cache, &user.email, client_address(&request))
        .await?;
    let fits = directory
        .passwords
        .matching(current_password, vec![user.password_hash])
        .await?;
    if fits != [true] {
        return Err(Problem::invalid(
            "/current_password",
            "is not the current password",
        ));
    }
    let hash = directory.passwords.hash(new_password).await?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    users::change_own_password(tx, id, hash, caller.request_id()).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn user_of(caller: &Caller<SignedIn>) -> Answer<UserId> {
    match caller.scope().actor() {
        Actor::User(id) => Ok(*id),
        Actor::ApiKey(_) | Actor::Operator | Actor::Terminal(_) | Actor::System => {
            Err(Problem::new(
                ProblemCode::Forbidden,
                "Only users have passwords; this credential is none of a user.",
            ))
        }
    }
}

pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(get_me).service(change_my_password);
}
