//! Routes of terminal tokens.

use super::{hint, push_base_url, store, terminal_url};
use crate::audit;
use crate::directory::Directory;
use crate::reading::Reading;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use gatehouse_contracts::{TerminalTokenChanged, Wake};
use gatehouse_domain::TerminalTokenId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageAccounts, ReadAccounts};
use gatehouse_platform::db::DIRECTORY;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, Page, PageQuery, Problem, idempotency,
};
use gatehouse_platform::outbox;
use gatehouse_platform::secrets::{hash_token, new_token};
use gatehouse_schema::entities::directory::terminal_tokens::Model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const NAME_MAX_CHARS: usize = 100;
const CREATE: &str = "terminal_tokens.create";

/// A terminal token, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TerminalToken {
    #[schema(value_type = String, example = "tkn_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: TerminalTokenId,
    name: String,
    /// The token's first characters.
    hint: String,
    /// From then on it admits nobody.
    expires_at: Option<DateTime<Utc>>,
    /// Set once it is revoked.
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Model> for TerminalToken {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id: _,
            id,
            name,
            token_hash: _,
            hint,
            expires_at,
            revoked_at,
            created_at,
        } = row;
        Self {
            id: TerminalTokenId::from_uuid(id),
            name,
            hint,
            expires_at,
            revoked_at,
            created_at,
        }
    }
}

/// A new token. Its secret is shown once: a repeat of the request under the same Idempotency-Key
/// answers without it.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewTerminalToken {
    #[serde(flatten)]
    token: TerminalToken,
    /// What terminals connect to over WebSocket; holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_url: Option<String>,
    /// What terminals that push over HTTP are set to; holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    push_base_url: Option<String>,
}

/// A token to be made.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TerminalTokenRequest {
    /// 1 to 100 characters.
    #[schema(example = "North plant")]
    name: String,
    /// When it ends by itself; never where absent.
    expires_at: Option<DateTime<Utc>>,
}

/// Makes a terminal token. Those that exist stay valid.
#[utoipa::path(
    tag = "terminal tokens",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = TerminalTokenRequest,
    responses((status = 201, description = "The token, with its secret.", body = NewTerminalToken), Refused, Unfit),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[post("/v1/terminal-tokens")]
async fn create_terminal_token(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<TerminalTokenRequest>,
) -> Answer<HttpResponse> {
    let mut reading = Reading::begin();
    let name = reading.text("/name", &body.name, NAME_MAX_CHARS);
    let expires_at = reading.future("/expires_at", body.expires_at, Utc::now());
    reading.end()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let secret = new_token();
    let row = store::insert(&tx, name, hash_token(&secret), hint(&secret), expires_at).await?;
    let token = TerminalToken::from(row);
    let changed = TerminalTokenChanged {
        terminal_token_id: token.id,
        revoked: false,
    };
    outbox::publish(&tx, DIRECTORY, changed).await?;
    let detail = serde_json::json!({"expires_at": expires_at});
    audit::enter(
        &tx,
        deed(
            "terminal_token.created",
            token.id,
            detail,
            caller.request_id(),
        ),
    )
    .await?;
    let kept = NewTerminalToken {
        token: token.clone(),
        terminal_url: None,
        push_base_url: None,
    };
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &kept).await?;
    tx.commit().await?;
    let public_url = &directory.kit.public_url;
    Ok(HttpResponse::Created().json(NewTerminalToken {
        token,
        terminal_url: Some(terminal_url(public_url, &secret)),
        push_base_url: Some(push_base_url(public_url, &secret)),
    }))
}

/// The terminal tokens, newest first, revoked ones included. Secrets are never shown again.
#[utoipa::path(
    tag = "terminal tokens",
    params(PageQuery),
    responses((status = 200, description = "A page of tokens.", body = Page<TerminalToken>), Refused, Unfit),
    security(("api_key" = ["accounts:read"]), ("user_token" = ["accounts:read"]))
)]
#[get("/v1/terminal-tokens")]
async fn list_terminal_tokens(
    caller: Caller<ReadAccounts>,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<TerminalToken>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        TerminalToken::from,
    )))
}

/// Revokes a terminal token: it admits nobody from now on, and sessions that came in with it end.
#[utoipa::path(
    tag = "terminal tokens",
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "It is revoked."), Refused, Missing),
    security(("api_key" = ["accounts:write"]), ("user_token" = ["accounts:write"]))
)]
#[delete("/v1/terminal-tokens/{id}")]
async fn revoke_terminal_token(
    caller: Caller<ManageAccounts>,
    directory: web::Data<Directory>,
    id: web::Path<TerminalTokenId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = store::read_to_change(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("terminal token"))?;
    if row.revoked_at.is_none() {
        store::revoke(&tx, *id).await?;
        let changed = TerminalTokenChanged {
            terminal_token_id: *id,
            revoked: true,
        };
        outbox::publish(&tx, DIRECTORY, changed).await?;
        audit::enter(
            &tx,
            deed(
                "terminal_token.revoked",
                *id,
                serde_json::json!({}),
                caller.request_id(),
            ),
        )
        .await?;
        tx.commit().await?;
        let tenant_id = caller.scope().tenant();
        directory.kit.bus.wake(Wake::TerminalToken {
            tenant_id,
            terminal_token_id: *id,
        });
    }
    Ok(HttpResponse::NoContent().finish())
}

fn deed<'a>(
    action: &'a str,
    id: TerminalTokenId,
    detail: serde_json::Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "terminal_token",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_terminal_token)
        .service(list_terminal_tokens)
        .service(revoke_terminal_token);
}
