//! Creating, changing and removing an authority, with the note by which sync plans again.

use super::request::Content;
use super::store::{self, Row};
use crate::access_changes::{self, Scope};
use crate::audit;
use gatehouse_domain::{AuthorityId, DeviceId, DistributionId, ScheduleId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What is to be done to an authority.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The authority as it is, where there is one.
    pub(super) old: Option<Row>,
    /// What it becomes; none: it goes.
    pub(super) new: Option<Content>,
}

/// What was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) id: AuthorityId,
    pub(super) distribution: Option<DistributionId>,
}

impl Change {
    fn old_content(&self) -> Content {
        self.old.as_ref().map(Row::content).unwrap_or_default()
    }

    fn new_content(&self) -> Content {
        self.new.clone().unwrap_or_default()
    }

    /// Keeps what is joined, before or after, as it is until the transaction ends.
    pub(super) async fn hold(&self, tx: &TenantTx) -> Answer<()> {
        let (old, new) = (self.old_content(), self.new_content());
        let schedules = old.schedule.into_iter().chain(new.schedule).collect();
        let groups = [old.groups, new.groups].concat();
        let doors = [old.doors, new.doors].concat();
        store::hold(tx, groups, doors, schedules).await?;
        Ok(())
    }

    /// The devices that it reaches, before or after; in order.
    pub(super) async fn devices(&self, tx: &TenantTx) -> Answer<Vec<Uuid>> {
        let before = store::devices(tx, &self.old_content()).await?;
        let after = store::devices(tx, &self.new_content()).await?;
        let both: BTreeSet<Uuid> = before.into_iter().chain(after).collect();
        Ok(both.into_iter().collect())
    }

    /// The devices on which it may change who may pass: where only devices come or go, these.
    async fn concerned(&self, tx: &TenantTx) -> Answer<Vec<DeviceId>> {
        let old = self.old_content();
        let new = self.new_content();
        let (before, after): (BTreeSet<Uuid>, BTreeSet<Uuid>) = (
            store::devices(tx, &old).await?.into_iter().collect(),
            store::devices(tx, &new).await?.into_iter().collect(),
        );
        let same_people = self.old.is_some()
            && self.new.is_some()
            && old.groups == new.groups
            && old.schedule == new.schedule;
        let concerned: Vec<Uuid> = if same_people {
            before.symmetric_difference(&after).copied().collect()
        } else {
            before.union(&after).copied().collect()
        };
        Ok(concerned.into_iter().map(DeviceId::from_uuid).collect())
    }

    /// Does it, with its note and its entry in the trail. What is joined must be held.
    pub(super) async fn apply(&self, tx: &TenantTx, request_id: &str) -> Answer<Done> {
        let concerned = self.concerned(tx).await?;
        let id = self.old.as_ref().map_or_else(Uuid::now_v7, |old| old.id);
        let id = AuthorityId::from_uuid(id);
        let (action, content) = match (&self.old, &self.new) {
            (None, Some(new)) => {
                store::insert(tx, id, new).await?;
                ("authority.created", new.clone())
            }
            (Some(old), Some(new)) => {
                if old.content() == *new {
                    let distribution = None;
                    return Ok(Done { id, distribution });
                }
                store::update(tx, id, new).await?;
                ("authority.updated", new.clone())
            }
            (Some(_) | None, None) => {
                store::delete(tx, id).await?;
                ("authority.deleted", self.old_content())
            }
        };
        let distribution = access_changes::note(tx, action, Scope::Devices(&concerned)).await?;
        let deed = Deed {
            action,
            subject_kind: "authority",
            subject_id: id.to_string(),
            detail: told(&content),
            request_id: Some(request_id),
        };
        audit::enter(tx, deed).await?;
        Ok(Done { id, distribution })
    }
}

/// What the trail says: how much is joined, and when.
fn told(content: &Content) -> Value {
    json!({
        "devices": content.devices.len(),
        "doors": content.doors.len(),
        "groups": content.groups.len(),
        "schedule_id": content.schedule.map(ScheduleId::from_uuid),
    })
}
