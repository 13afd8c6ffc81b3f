//! Sessions of people: a family of refresh tokens, of which one is valid at a time.

use super::store::{self, Presented};
use crate::audit;
use crate::directory::Directory;
use chrono::{DateTime, Duration, Utc};
use gatehouse_domain::{TenantId, UserId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::jwt;
use gatehouse_platform::db::{Database, DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::{Secrets, hash_token, new_token};
use gatehouse_platform::tenant::{Actor, TenantScope};
use uuid::Uuid;

/// How long a session lasts without being used.
const IDLE_DAYS: i64 = 30;
/// How long ended tokens are kept: a stolen one that is used late is still recognised as such.
const KEPT_DAYS: i32 = 7;

/// What somebody gets who signed in.
pub(super) struct Session {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) access: jwt::AccessToken,
    pub(super) refresh_token: String,
    pub(super) refresh_expires_at: DateTime<Utc>,
}

/// Opens a session.
pub(super) async fn begin(tx: &TenantTx, secrets: &Secrets, user: UserId) -> Answer<Session> {
    issue(tx, secrets, user, Uuid::now_v7()).await
}

async fn issue(tx: &TenantTx, secrets: &Secrets, user: UserId, family: Uuid) -> Answer<Session> {
    let (tenant, now) = (tx.scope().tenant(), Utc::now());
    let access = jwt::issue(secrets, user, tenant, now).map_err(|error| {
        tracing::error!(%error, "an access token could not be signed");
        Problem::new(
            ProblemCode::Internal,
            "An internal error; it is logged under this request's id.",
        )
    })?;
    let refresh_token = new_token();
    let refresh_expires_at = now + Duration::days(IDLE_DAYS);
    store::insert_refresh_token(
        tx,
        user,
        family,
        hash_token(&refresh_token),
        now,
        refresh_expires_at,
    )
    .await?;
    Ok(Session {
        tenant,
        user,
        access,
        refresh_token,
        refresh_expires_at,
    })
}

/// Exchanges a refresh token for a new pair. A token that comes a second time was copied: whoever
/// holds the session now, its owner or a thief, is signed out.
pub(super) async fn refresh(
    directory: &Directory,
    token: &str,
    request_id: &str,
) -> Answer<Session> {
    let (presented, scope) = find(directory, token).await?.ok_or_else(ended)?;
    let tx = directory.kit.db.tenant(&scope).await?;
    if store::use_refresh_token(&tx, presented.id).await? {
        let session = issue(
            &tx,
            &directory.kit.secrets,
            UserId::from_uuid(presented.user_id),
            presented.family,
        )
        .await?;
        tx.commit().await?;
        return Ok(session);
    }
    if store::was_used(&tx, presented.id).await?
        && store::revoke_family(&tx, presented.family).await?
    {
        let deed = Deed {
            action: "user.refresh_token_reused",
            subject_kind: "user",
            subject_id: UserId::from_uuid(presented.user_id).to_string(),
            detail: serde_json::json!({"consequence": "the session was ended"}),
            request_id: Some(request_id),
        };
        audit::enter(&tx, deed).await?;
        tx.commit().await?;
    }
    Err(ended())
}

/// Ends the session of a refresh token, of its present or of an earlier one. Whether it had ended
/// already makes no difference.
pub(super) async fn end(directory: &Directory, token: &str, request_id: &str) -> Answer<()> {
    let (presented, scope) = find(directory, token).await?.ok_or_else(ended)?;
    let tx = directory.kit.db.tenant(&scope).await?;
    if store::revoke_family(&tx, presented.family).await? {
        let deed = Deed {
            action: "user.signed_out",
            subject_kind: "user",
            subject_id: UserId::from_uuid(presented.user_id).to_string(),
            detail: serde_json::json!({}),
            request_id: Some(request_id),
        };
        audit::enter(&tx, deed).await?;
    }
    Ok(tx.commit().await?)
}

/// Whose token it is, where user and tenant are not switched off.
async fn find(directory: &Directory, token: &str) -> Answer<Option<(Presented, TenantScope)>> {
    let tx = directory.kit.db.system().await?;
    let Some(presented) = store::presented(&tx, hash_token(token)).await? else {
        return Ok(None);
    };
    let user = Actor::User(UserId::from_uuid(presented.user_id));
    let scope = tx.scope(TenantId::from_uuid(presented.tenant_id), user);
    Ok(Some((presented, scope)))
}

fn ended() -> Problem {
    Problem::new(
        ProblemCode::Unauthenticated,
        "The refresh token is not valid, or no longer; sign in again.",
    )
}

/// Removes tokens that ended long ago.
pub(crate) async fn forget_ended_tokens(db: &Database) -> Result<(), DbError> {
    let tx = db.system().await?;
    let forgotten = store::delete_ended_tokens(&tx, KEPT_DAYS).await?;
    tx.commit().await?;
    if forgotten > 0 {
        tracing::info!(forgotten, "ended refresh tokens were removed");
    }
    Ok(())
}
