//! `/v1/devices/{id}/persons`, `/v1/persons/{id}/devices`, and trying again by hand.

use super::store;
use super::view::{AssignmentState, AssignmentView};
use crate::body::Optional;
use crate::sync::Sync;
use actix_web::{get, post, web};
use chrono::Utc;
use gatehouse_contracts::Wake;
use gatehouse_domain::{DeviceId, PersonId};
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{OperateDevices, ReadAccess};
use gatehouse_platform::db::SYNC;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// Most persons of one request.
const PERSONS_AT_ONCE: usize = 2_000;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_device_persons)
        .service(list_person_devices)
        .service(retry_device_persons);
}

/// Which are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssignmentQuery {
    /// In this state, for example `failed`.
    #[param(example = "failed")]
    state: Option<String>,
}

impl AssignmentQuery {
    fn state(&self) -> Answer<Option<AssignmentState>> {
        let word = self.state.as_deref().map(str::parse).transpose();
        word.map_err(|unknown| Problem::invalid("/state", format!("cannot be taken: {unknown}")))
    }
}

/// The persons of a device
///
/// Everybody whom the device should hold or may still hold, by number, with what it proved and why
/// it is not as it should be.
#[utoipa::path(
    tag = "distribution",
    operation_id = "list_device_persons",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        AssignmentQuery,
        PageQuery,
    ),
    responses((status = 200, description = "A page of persons.", body = Page<AssignmentView>), Refused, Missing, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/devices/{id}/persons")]
pub(crate) async fn list_device_persons(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    device: web::Path<DeviceId>,
    query: web::Query<AssignmentQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<AssignmentView>>> {
    let (limit, after) = (page.limit()?, page.position::<String>()?);
    // The database keeps no NUL in texts; a cursor of ours has none.
    let after = after.filter(|number| !number.contains('\0'));
    let state = query.state()?;
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    if store::protocol_of(&tx, *device).await?.is_none() {
        return Err(Problem::not_found("device"));
    }
    let rows = store::of_device(&tx, *device, state, after, limit.saturating_add(1)).await?;
    let now = Utc::now();
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.number.clone(),
        |row| AssignmentView::new(row, now),
    )))
}

/// The devices of a person
///
/// Every device that should hold the person or may still hold them, with what it proved and why it
/// is not as it should be.
#[utoipa::path(
    tag = "distribution",
    operation_id = "list_person_devices",
    params(
        ("id" = String, Path, description = "The person.", example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        AssignmentQuery,
        PageQuery,
    ),
    responses((status = 200, description = "A page of devices.", body = Page<AssignmentView>), Refused, Missing, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/persons/{id}/devices")]
pub(crate) async fn list_person_devices(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    person: web::Path<PersonId>,
    query: web::Query<AssignmentQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<AssignmentView>>> {
    let (limit, after) = (page.limit()?, page.position::<Uuid>()?);
    let state = query.state()?;
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    if !store::person_exists(&tx, *person).await? {
        return Err(Problem::not_found("person"));
    }
    let rows = store::of_person(&tx, *person, state, after, limit.saturating_add(1)).await?;
    let now = Utc::now();
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.device_id,
        |row| AssignmentView::new(row, now),
    )))
}

/// Who is to be tried again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRequest {
    /// These persons, at most 2 000; all where absent.
    #[schema(value_type = Option<Vec<String>>, example = json!(["per_0197c4a7b1e87d3c9a54b0c1d2e3f405"]))]
    person_ids: Option<Vec<PersonId>>,
}

/// How many are tried again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retried {
    /// Persons who failed on this device, or waited for a time, and are due now.
    #[schema(example = 3)]
    retried: u64,
}

/// Try again what failed
///
/// What the device refused, and what waits for its next try, is due at once. The body may be absent.
#[utoipa::path(
    tag = "distribution",
    operation_id = "retry_device_persons",
    params(("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    request_body = Option<RetryRequest>,
    responses((status = 200, description = "How many.", body = Retried), Refused, Missing, Unfit),
    security(("api_key" = ["devices:operate"]), ("user_token" = ["devices:operate"])),
)]
#[post("/v1/devices/{id}/persons/retry")]
pub(crate) async fn retry_device_persons(
    caller: Caller<OperateDevices>,
    sync: web::Data<Sync>,
    device: web::Path<DeviceId>,
    body: Optional<RetryRequest>,
) -> Answer<web::Json<Retried>> {
    let RetryRequest { person_ids } = body.0;
    if person_ids
        .as_ref()
        .is_some_and(|ids| ids.len() > PERSONS_AT_ONCE)
    {
        return Err(Problem::invalid(
            "/person_ids",
            format!("must have at most {PERSONS_AT_ONCE} entries"),
        ));
    }
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    if store::protocol_of(&tx, *device).await?.is_none() {
        return Err(Problem::not_found("device"));
    }
    let retried = store::retry(&tx, *device, person_ids.as_deref()).await?;
    let deed = Deed {
        action: "distribution.retried",
        subject_kind: "device",
        subject_id: device.to_string(),
        detail: json!({ "retried": retried, "person_ids": person_ids.as_ref().map(Vec::len) }),
        request_id: Some(caller.request_id()),
    };
    audit::publish(&tx, SYNC, deed).await?;
    tx.commit().await?;
    sync.kit.bus.wake(Wake::Assignments {
        tenant_id: caller.scope().tenant(),
        device_id: *device,
    });
    Ok(web::Json(Retried { retried }))
}
