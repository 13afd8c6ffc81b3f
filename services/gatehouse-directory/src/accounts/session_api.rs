//! Routes of signing in and out. They take no credential; their callers have none yet.

use super::login::{self, Attempt};
use super::sessions::{self, Session};
use crate::directory::Directory;
use crate::reading::{PASSWORD_MAX_CHARS, Reading};
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{TenantId, UserId};
use gatehouse_platform::http::refusals::{Throttled, Unfit};
use gatehouse_platform::http::{Answer, Problem, RequestId, client_address};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    #[schema(example = "owner@example.com")]
    email: String,
    password: String,
    /// Needed where the address belongs to users of several tenants with the same password, or of
    /// more than twenty tenants.
    tenant_id: Option<String>,
}

/// A refresh token, of this or an earlier exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    refresh_token: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionTokens {
    /// The bearer for requests, ten minutes long.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// When the access token ends.
    expires_at: DateTime<Utc>,
    /// Exchanged once for the next pair; a second use ends the session.
    refresh_token: String,
    /// When the session ends if it is not used.
    refresh_expires_at: DateTime<Utc>,
    #[schema(value_type = String, example = "ten_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    tenant_id: TenantId,
    #[schema(value_type = String, example = "usr_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    user_id: UserId,
}

impl From<Session> for SessionTokens {
    fn from(session: Session) -> Self {
        let Session {
            tenant,
            user,
            access,
            refresh_token,
            refresh_expires_at,
        } = session;
        Self {
            access_token: access.token,
            token_type: "Bearer",
            expires_at: access.expires_at,
            refresh_token,
            refresh_expires_at,
            tenant_id: tenant,
            user_id: user,
        }
    }
}

/// Signs a user in.
///
/// An unknown address and a wrong password get the same answer after the same time. Ten attempts a
/// minute are admitted for an e-mail address and sixty from a network address.
#[utoipa::path(
    tag = "sessions",
    request_body = LoginRequest,
    responses((status = 200, description = "The session.", body = SessionTokens), Throttled, Unfit),
    security(())
)]
#[post("/v1/auth/login")]
async fn sign_in(
    request: HttpRequest,
    request_id: RequestId,
    directory: web::Data<Directory>,
    body: web::Json<LoginRequest>,
) -> Answer<HttpResponse> {
    let LoginRequest {
        email,
        password,
        tenant_id,
    } = body.into_inner();
    let mut reading = Reading::begin();
    let email = reading.email("/email", &email);
    if password.is_empty() || password.chars().count() > PASSWORD_MAX_CHARS {
        reading.fault(
            "/password",
            format!("must have 1 to {PASSWORD_MAX_CHARS} characters"),
        );
    }
    let tenant = tenant_id.and_then(|text| {
        text.parse()
            .map_err(|error: gatehouse_domain::ids::InvalidId| reading.fault("/tenant_id", error))
            .ok()
    });
    reading.end()?;
    let attempt = Attempt {
        email,
        password,
        tenant,
        address: client_address(&request),
        request_id: request_id.as_str().to_owned(),
    };
    let session = login::sign_in(&directory, attempt).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(SessionTokens::from(session)))
}

/// Exchanges a refresh token for a new access token and a new refresh token.
///
/// A refresh token that is used a second time was copied; the whole session is ended then.
#[utoipa::path(
    tag = "sessions",
    request_body = RefreshRequest,
    responses((status = 200, description = "The session goes on.", body = SessionTokens), Throttled, Unfit),
    security(())
)]
#[post("/v1/auth/refresh")]
async fn refresh_session(
    request: HttpRequest,
    request_id: RequestId,
    directory: web::Data<Directory>,
    body: web::Json<RefreshRequest>,
) -> Answer<HttpResponse> {
    directory
        .throttle
        .call(&directory.kit.cache, client_address(&request))
        .await?;
    check(&body.refresh_token)?;
    let session = sessions::refresh(&directory, &body.refresh_token, request_id.as_str()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(SessionTokens::from(session)))
}

/// Ends the session of a refresh token. Its access token ends by itself within ten minutes.
#[utoipa::path(
    tag = "sessions",
    request_body = RefreshRequest,
    responses((status = 204, description = "The session is ended, now or before."), Throttled, Unfit),
    security(())
)]
#[post("/v1/auth/logout")]
async fn sign_out(
    request: HttpRequest,
    request_id: RequestId,
    directory: web::Data<Directory>,
    body: web::Json<RefreshRequest>,
) -> Answer<HttpResponse> {
    directory
        .throttle
        .call(&directory.kit.cache, client_address(&request))
        .await?;
    check(&body.refresh_token)?;
    sessions::end(&directory, &body.refresh_token, request_id.as_str()).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn check(refresh_token: &str) -> Answer<()> {
    if (1..=256).contains(&refresh_token.len()) {
        Ok(())
    } else {
        Err(Problem::invalid(
            "/refresh_token",
            "must have 1 to 256 characters",
        ))
    }
}

pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(sign_in)
        .service(refresh_session)
        .service(sign_out);
}
