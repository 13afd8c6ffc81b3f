//! `GET /v1/alarms`, `GET /v1/alarms/{id}` and `POST /v1/alarms/{id}/acknowledge`.

use super::store;
use crate::hub::Hub;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{AlarmId, DeviceId, PersonId, RecordId};
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{OperateDevices, ReadRecords};
use gatehouse_platform::db::HUB;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem};
use gatehouse_schema::entities::hub::alarms;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

const NOTE_MAX_CHARS: usize = 500;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_alarms)
        .service(get_alarm)
        .service(acknowledge_alarm);
}

/// Which alarms are wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmQuery {
    /// Only those that somebody has acknowledged, or only those that nobody has.
    #[param(example = false)]
    acknowledged: Option<bool>,
}

/// Somebody who must not enter was recognised.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlarmView {
    /// The alarm.
    #[schema(value_type = String, example = "alm_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: AlarmId,
    /// blocklist: of that type, in a blocklist group of the device, or on the terminal's own blocklist.
    #[schema(example = "blocklist")]
    kind: String,
    /// What the terminal saw.
    #[schema(value_type = String, example = "rec_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    record_id: RecordId,
    /// Where.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// Whom; null where the platform does not know the person.
    #[schema(value_type = Option<String>, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: Option<PersonId>,
    /// When the record arrived.
    raised_at: DateTime<Utc>,
    /// When somebody acknowledged it.
    acknowledged_at: Option<DateTime<Utc>>,
    /// Who did: the id of a user or an API key.
    #[schema(example = "usr_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    acknowledged_by: Option<String>,
    /// What they noted.
    note: String,
}

impl From<alarms::Model> for AlarmView {
    fn from(row: alarms::Model) -> Self {
        let alarms::Model {
            tenant_id: _,
            id,
            kind,
            record_id,
            device_id,
            person_id,
            raised_at,
            acknowledged_at,
            acknowledged_by,
            note,
        } = row;
        Self {
            id: AlarmId::from_uuid(id),
            kind,
            record_id: RecordId::from_uuid(record_id),
            device_id: DeviceId::from_uuid(device_id),
            person_id: person_id.map(PersonId::from_uuid),
            raised_at,
            acknowledged_at,
            acknowledged_by,
            note,
        }
    }
}

/// What somebody notes about an alarm.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeRequest {
    /// Up to 500 characters.
    #[serde(default)]
    #[schema(
        max_length = 500,
        example = "Seen on the camera; security is on the way."
    )]
    note: String,
}

/// List alarms
///
/// Newest first.
#[utoipa::path(
    tag = "alarms",
    operation_id = "list_alarms",
    params(AlarmQuery, PageQuery),
    responses((status = 200, description = "The alarms.", body = Page<AlarmView>), Refused, Unfit),
    security(("api_key" = ["records:read"]), ("user_token" = ["records:read"])),
)]
#[get("/v1/alarms")]
pub(crate) async fn list_alarms(
    caller: Caller<ReadRecords>,
    hub: web::Data<Hub>,
    query: web::Query<AlarmQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<AlarmView>>> {
    let (limit, below) = (page.limit()?, page.position::<Uuid>()?);
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, query.acknowledged, below, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        AlarmView::from,
    )))
}

/// Read an alarm
#[utoipa::path(
    tag = "alarms",
    operation_id = "get_alarm",
    params(("id" = String, Path, description = "The alarm.", example = "alm_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "The alarm.", body = AlarmView), Refused, Missing),
    security(("api_key" = ["records:read"]), ("user_token" = ["records:read"])),
)]
#[get("/v1/alarms/{id}")]
pub(crate) async fn get_alarm(
    caller: Caller<ReadRecords>,
    hub: web::Data<Hub>,
    id: web::Path<AlarmId>,
) -> Answer<web::Json<AlarmView>> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let row = store::find(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("alarm"))?;
    Ok(web::Json(row.into()))
}

/// Acknowledge an alarm
///
/// Who does it first is noted; a repeat changes nothing and answers the same.
#[utoipa::path(
    tag = "alarms",
    operation_id = "acknowledge_alarm",
    params(("id" = String, Path, description = "The alarm.", example = "alm_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    request_body = AcknowledgeRequest,
    responses((status = 200, description = "The alarm.", body = AlarmView), Refused, Missing, Unfit),
    security(("api_key" = ["devices:operate"]), ("user_token" = ["devices:operate"])),
)]
#[post("/v1/alarms/{id}/acknowledge")]
pub(crate) async fn acknowledge_alarm(
    caller: Caller<OperateDevices>,
    hub: web::Data<Hub>,
    id: web::Path<AlarmId>,
    request: web::Json<AcknowledgeRequest>,
) -> Answer<web::Json<AlarmView>> {
    let note = read_note(&request.note)?;
    let actor = caller.scope().actor();
    let by = actor.id().unwrap_or_else(|| actor.kind().to_owned());
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    let is_first = store::acknowledge(&tx, *id, &by, note).await?;
    let row = store::find(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("alarm"))?;
    if is_first {
        let deed = Deed {
            request_id: Some(caller.request_id()),
            action: "alarm.acknowledged",
            subject_kind: "alarm",
            subject_id: id.to_string(),
            detail: serde_json::json!({ "device_id": DeviceId::from_uuid(row.device_id) }),
        };
        audit::publish(&tx, HUB, deed).await?;
    }
    tx.commit().await?;
    Ok(web::Json(row.into()))
}

fn read_note(note: &str) -> Answer<&str> {
    let note = note.trim();
    if note.chars().count() > NOTE_MAX_CHARS {
        return Err(Problem::invalid(
            "/note",
            format!("must have at most {NOTE_MAX_CHARS} characters"),
        ));
    }
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::invalid(
            "/note",
            "must not contain control characters",
        ));
    }
    Ok(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_short_and_plain() {
        assert_eq!(read_note(" seen\nand told ").ok(), Some("seen\nand told"));
        assert!(read_note(&"x".repeat(501)).is_err());
        assert!(read_note("a\0b").is_err());
    }
}
