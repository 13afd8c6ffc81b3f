//! `GET /v1/audit-entries`.

use super::store::{self, Wanted};
use crate::directory::Directory;
use actix_web::{get, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::AuditEntryId;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadAudit;
use gatehouse_platform::http::refusals::{Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem, within_calendar};
use gatehouse_schema::entities::directory::audit_entries::Model;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Who changed what, and when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    #[schema(value_type = String, example = "aud_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: AuditEntryId,
    /// When.
    at: DateTime<Utc>,
    /// `user`, `api_key`, `operator`, `terminal` or `system`.
    #[schema(example = "api_key")]
    actor_kind: String,
    /// The actor's id, where it has one.
    actor_id: Option<String>,
    /// What was done.
    #[schema(example = "device.updated")]
    action: String,
    /// The kind of thing it was done to.
    #[schema(example = "device")]
    subject_kind: String,
    /// Its id.
    subject_id: String,
    /// What changed, without secrets, names or pictures.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// The request in which it happened.
    request_id: Option<String>,
}

impl From<Model> for AuditEntry {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id: _,
            id,
            at,
            actor_kind,
            actor_id,
            action,
            subject_kind,
            subject_id,
            detail,
            request_id,
        } = row;
        Self {
            id: AuditEntryId::from_uuid(id),
            at,
            actor_kind,
            actor_id,
            action,
            subject_kind,
            subject_id,
            detail,
            request_id,
        }
    }
}

/// Which entries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// The id of the thing that was changed.
    subject: Option<String>,
    /// The kind of thing that was changed, for example `device`.
    subject_kind: Option<String>,
    /// The id of the user or API key that changed it.
    actor: Option<String>,
    /// What was done, for example `device.updated`.
    action: Option<String>,
    /// Not before this instant.
    from: Option<DateTime<Utc>>,
    /// Before this instant.
    to: Option<DateTime<Utc>>,
}

/// The audit trail, newest first.
///
/// Entries of the hub arrive here a moment after the change they describe.
#[utoipa::path(
    tag = "audit",
    params(AuditQuery, PageQuery),
    responses((status = 200, description = "A page of entries.", body = Page<AuditEntry>), Refused, Unfit),
    security(("api_key" = ["audit:read"]), ("user_token" = ["audit:read"]))
)]
#[get("/v1/audit-entries")]
async fn list_audit_entries(
    caller: Caller<ReadAudit>,
    directory: web::Data<Directory>,
    query: web::Query<AuditQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<AuditEntry>>> {
    let AuditQuery {
        subject,
        subject_kind,
        actor,
        action,
        from,
        to,
    } = query.into_inner();
    for (pointer, text) in [
        ("/subject", &subject),
        ("/subject_kind", &subject_kind),
        ("/actor", &actor),
        ("/action", &action),
    ] {
        if text
            .as_deref()
            .is_some_and(|t| t.len() > 200 || t.contains('\0'))
        {
            return Err(Problem::invalid(pointer, "is not a possible value"));
        }
    }
    let limit = page.limit()?;
    let after: Option<(DateTime<Utc>, _)> = page.position()?;
    within_calendar("/cursor", after.map(|(at, _)| at))?;
    let (from, to) = (within_calendar("/from", from)?, within_calendar("/to", to)?);
    let wanted = Wanted {
        subject_id: subject,
        subject_kind,
        actor_id: actor,
        action,
        from,
        to,
        after,
    };
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, wanted, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| (row.at, row.id),
        AuditEntry::from,
    )))
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(list_audit_entries);
}
