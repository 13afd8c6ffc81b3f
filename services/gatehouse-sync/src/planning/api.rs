//! `/v1/distributions`: how far a change has come on its way to the terminals.

use super::progress::{self, DeviceRow, Row};
use crate::sync::Sync;
use actix_web::{get, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, DistributionId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadAccess;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// Devices that are told of one change.
const DEVICES: i64 = 1000;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_distributions).service(get_distribution);
}

/// A change of who may pass where, on its way to the terminals. Its figures count pairs of a person
/// and a terminal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DistributionView {
    /// The change.
    #[schema(value_type = String, example = "dst_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: DistributionId,
    /// What was changed, as a word, for example `authority.created`, `person.updated`, `midnight` or
    /// `validity.ended`.
    #[schema(example = "authority.created")]
    reason: String,
    /// `waiting`: not planned yet. `planned`: it is known what is to be sent, and a terminal has not
    /// answered yet. `done`: every terminal has answered; `failed` says how many refused.
    #[schema(example = "planned")]
    state: &'static str,
    /// When it was changed.
    created_at: DateTime<Utc>,
    /// When it was planned.
    planned_at: Option<DateTime<Utc>>,
    /// Changes that wait together are planned together, and their figures are one. The change that
    /// the others were planned with; null where this is it.
    #[schema(value_type = Option<String>)]
    planned_with: Option<DistributionId>,
    /// Persons that terminals should hold from now on.
    adds: i64,
    /// Persons that terminals should hold otherwise than before.
    updates: i64,
    /// Persons that terminals should hold no longer.
    removes: i64,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DistributionProgress {
    /// The change.
    #[serde(flatten)]
    distribution: DistributionView,
    /// Not answered yet: the terminal is offline, or others come first.
    open: i64,
    /// Refused, with a reason that a retry will not mend, or without a photo.
    failed: i64,
    /// Confirmed by the terminals, or overtaken by a later change.
    applied: i64,
    /// On how many terminals something changes.
    device_count: i64,
    /// Those terminals, at most 1000, those first for which most is open.
    devices: Vec<DistributionDevice>,
}

/// A terminal of a change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DistributionDevice {
    /// The terminal.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// Its name; null where it was removed since.
    device_name: Option<String>,
    /// Persons that it should hold from now on.
    adds: i64,
    /// Persons that it should hold otherwise than before.
    updates: i64,
    /// Persons that it should hold no longer.
    removes: i64,
    /// Not answered yet.
    open: i64,
    /// Refused.
    failed: i64,
    /// Confirmed, or overtaken by a later change.
    applied: i64,
    /// Whether it is connected; null for devices that fetch by themselves.
    online: Option<bool>,
    /// When it was last connected, where it is not.
    offline_since: Option<DateTime<Utc>>,
}

/// What is neither open nor failed of so many changes.
fn applied(changes: [i64; 3], open: i64, failed: i64) -> i64 {
    let all = changes.into_iter().fold(0, i64::saturating_add);
    all.saturating_sub(open).saturating_sub(failed).max(0)
}

impl From<Row> for DistributionView {
    fn from(row: Row) -> Self {
        let Row {
            id,
            reason,
            created_at,
            planned_at,
            planned_with,
            adds,
            updates,
            removes,
            open,
        } = row;
        let state = match (planned_at, open) {
            (None, _) => "waiting",
            (Some(_), true) => "planned",
            (Some(_), false) => "done",
        };
        Self {
            id: DistributionId::from_uuid(id),
            reason,
            state,
            created_at,
            planned_at,
            planned_with: planned_with.map(DistributionId::from_uuid),
            adds,
            updates,
            removes,
        }
    }
}

impl From<DeviceRow> for DistributionDevice {
    fn from(row: DeviceRow) -> Self {
        let DeviceRow {
            device_id,
            device_name,
            adds,
            updates,
            removes,
            open,
            failed,
            online,
            offline_since,
            all_open: _,
            all_failed: _,
            devices: _,
        } = row;
        Self {
            device_id: DeviceId::from_uuid(device_id),
            device_name,
            adds,
            updates,
            removes,
            open,
            failed,
            applied: applied([adds, updates, removes], open, failed),
            online,
            offline_since,
        }
    }
}

impl DistributionProgress {
    fn new(row: Row, devices: Vec<DeviceRow>) -> Self {
        let distribution = DistributionView::from(row);
        let (open, failed, device_count) = devices.first().map_or((0, 0, 0), |first| {
            (first.all_open, first.all_failed, first.devices)
        });
        let DistributionView {
            adds,
            updates,
            removes,
            ..
        } = distribution;
        Self {
            open,
            failed,
            applied: applied([adds, updates, removes], open, failed),
            device_count,
            devices: devices.into_iter().map(DistributionDevice::from).collect(),
            distribution,
        }
    }
}

/// Changes on their way to the terminals
///
/// Newest first, of the last 30 days.
#[utoipa::path(
    tag = "access",
    operation_id = "list_distributions",
    params(PageQuery),
    responses((status = 200, description = "The changes.", body = Page<DistributionView>), Refused, Unfit),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/distributions")]
pub(crate) async fn list_distributions(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<DistributionView>>> {
    let (limit, below) = (page.limit()?, page.position::<Uuid>()?);
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    let rows = progress::list(&tx, below, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        DistributionView::from,
    )))
}

/// How far a change has come
///
/// What was planned of it, and what the terminals have answered so far.
#[utoipa::path(
    tag = "access",
    operation_id = "get_distribution",
    params(("id" = String, Path, description = "The change.", example = "dst_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses((status = 200, description = "How far it has come.", body = DistributionProgress), Refused, Missing),
    security(("api_key" = ["access:read"]), ("user_token" = ["access:read"])),
)]
#[get("/v1/distributions/{id}")]
pub(crate) async fn get_distribution(
    caller: Caller<ReadAccess>,
    sync: web::Data<Sync>,
    id: web::Path<DistributionId>,
) -> Answer<web::Json<DistributionProgress>> {
    let tx = sync.kit.db.tenant(caller.scope()).await?;
    let row = progress::find(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("distribution"))?;
    let devices = progress::devices(&tx, row.leader(), DEVICES).await?;
    Ok(web::Json(DistributionProgress::new(row, devices)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(planned: bool, open: bool) -> Row {
        Row {
            id: Uuid::from_u128(1),
            reason: "authority.created".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            planned_at: planned.then_some(DateTime::UNIX_EPOCH),
            planned_with: None,
            adds: 5,
            updates: 2,
            removes: 1,
            open,
        }
    }

    #[test]
    fn the_state_says_what_is_known() {
        for (planned, open, state) in [
            (false, true, "waiting"),
            (true, true, "planned"),
            (true, false, "done"),
        ] {
            assert_eq!(DistributionView::from(row(planned, open)).state, state);
        }
    }

    #[test]
    fn what_is_neither_open_nor_failed_is_applied() {
        let device = DeviceRow {
            device_id: Uuid::from_u128(2),
            device_name: None,
            adds: 5,
            updates: 2,
            removes: 1,
            open: 3,
            failed: 1,
            online: Some(false),
            offline_since: None,
            all_open: 3,
            all_failed: 1,
            devices: 1,
        };
        let told = DistributionProgress::new(row(true, true), vec![device]);
        assert_eq!((told.open, told.failed, told.applied), (3, 1, 4));
        assert_eq!(told.devices.first().map(|d| d.applied), Some(4));
        // A later change took more rows over than are counted here.
        assert_eq!(applied([1, 0, 0], 2, 1), 0);
        let bare = DistributionProgress::new(row(true, false), Vec::new());
        assert_eq!((bare.open, bare.applied, bare.device_count), (0, 8, 0));
    }
}
