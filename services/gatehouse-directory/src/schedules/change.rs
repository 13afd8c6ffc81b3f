//! Creating, changing and removing a schedule.

use super::request::{Content, SchedulePatch};
use super::store;
use crate::access_changes::{self, Scope};
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::{DeviceId, DistributionId, ScheduleId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// Stores a schedule, with its entry in the trail.
pub(super) async fn create(tx: &TenantTx, new: Content, request_id: &str) -> Answer<ScheduleId> {
    let id = ScheduleId::from_uuid(Uuid::now_v7());
    store::insert(tx, id, &new)
        .await
        .map_err(|error| taken(error, &new.name))?;
    let detail = plan(&new);
    audit::enter(tx, deed("schedule.created", id, detail, request_id)).await?;
    Ok(id)
}

/// What is to be done to a schedule.
#[derive(Debug)]
pub(super) struct Change {
    id: ScheduleId,
    old: Content,
    new: Content,
}

impl Change {
    /// Reads a change of a schedule that nobody else changes meanwhile.
    pub(super) async fn read(
        tx: &TenantTx,
        id: ScheduleId,
        patch: SchedulePatch,
        if_match: IfMatch,
    ) -> Answer<Self> {
        let old = store::read_to_change(tx, id)
            .await?
            .ok_or_else(|| Problem::not_found("schedule"))?;
        if_match.check(old.version)?;
        let old = old.content();
        let mut reading = Reading::begin();
        let new = patch.over(&mut reading, &old);
        reading.end()?;
        Ok(Self { id, old, new })
    }

    pub(super) fn is_of_times(&self) -> bool {
        self.new.plan != self.old.plan
    }

    /// The devices that somebody may pass by it.
    pub(super) async fn devices(&self, tx: &TenantTx) -> Answer<Vec<Uuid>> {
        let devices = store::devices(tx, self.id).await?;
        Ok(devices.into_iter().map(DeviceId::uuid).collect())
    }

    /// Makes it; the devices of the schedule's authorities are planned again where its times change.
    pub(super) async fn apply(
        &self,
        tx: &TenantTx,
        request_id: &str,
    ) -> Answer<Option<DistributionId>> {
        let Self { id, old, new } = self;
        if new == old {
            return Ok(None);
        }
        store::update(tx, *id, new)
            .await
            .map_err(|error| taken(error, &new.name))?;
        let distribution = if self.is_of_times() {
            let devices = store::devices(tx, *id).await?;
            access_changes::note(tx, "schedule.updated", Scope::Devices(&devices)).await?
        } else {
            None
        };
        let detail = plan(new);
        audit::enter(tx, deed("schedule.updated", *id, detail, request_id)).await?;
        Ok(distribution)
    }
}

/// Removes a schedule that no authority uses.
pub(super) async fn remove(
    tx: &TenantTx,
    id: ScheduleId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("schedule"))?;
    if_match.check(old.version)?;
    match store::used_by(tx, id).await? {
        0 => {}
        1 => return Err(in_use("1 authority uses")),
        n => return Err(in_use(&format!("{n} authorities use"))),
    }
    store::delete(tx, id).await?;
    let detail = json!({});
    audit::enter(tx, deed("schedule.deleted", id, detail, request_id)).await?;
    Ok(())
}

fn in_use(by: &str) -> Problem {
    let detail = format!("{by} the schedule; give them another one, or remove them, first.");
    Problem::new(ProblemCode::ScheduleInUse, detail)
}

/// A name that another schedule has.
fn taken(error: DbError, name: &str) -> Problem {
    if error.is_duplicate_of("schedules_tenant_id_name_key") {
        let detail = format!("A schedule named {name} exists; choose another name.");
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/name");
    }
    error.into()
}

/// What the trail says: weekdays with their periods, and how many holidays there are.
fn plan(content: &Content) -> Value {
    json!({"weekdays": content.plan.weekdays, "holidays": content.plan.holidays.len()})
}

fn deed<'a>(action: &'a str, id: ScheduleId, detail: Value, request_id: &'a str) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "schedule",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}
