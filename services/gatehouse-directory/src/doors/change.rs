//! Creating, changing and removing a door. Where authorities name it, its devices are planned again.

use super::request::{Content, DoorPatch};
use super::store;
use crate::access_changes::{self, Scope};
use crate::audit;
use crate::reading::Reading;
use gatehouse_domain::{DeviceId, DistributionId, DoorId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// Stores a door, with its entry in the trail. Nobody may pass it yet.
pub(super) async fn create(tx: &TenantTx, new: Content, request_id: &str) -> Answer<DoorId> {
    let id = DoorId::from_uuid(Uuid::now_v7());
    store::insert(tx, id, &new)
        .await
        .map_err(|error| taken(error, &new.name))?;
    audit::enter(tx, deed("door.created", id, told(&new), request_id)).await?;
    Ok(id)
}

/// What is to be done to a door.
#[derive(Debug)]
pub(super) struct Change {
    id: DoorId,
    old: Content,
    new: Content,
}

impl Change {
    /// Reads a change of a door that nobody else changes meanwhile.
    pub(super) async fn read(
        tx: &TenantTx,
        id: DoorId,
        patch: DoorPatch,
        if_match: IfMatch,
    ) -> Answer<Self> {
        let old = store::read_to_change(tx, id)
            .await?
            .ok_or_else(|| Problem::not_found("door"))?;
        if_match.check(old.version)?;
        let old = old.content();
        let mut reading = Reading::begin();
        let (new, named) = patch.over(&mut reading, &old);
        named.look_for(tx, &mut reading).await?;
        reading.end()?;
        Ok(Self { id, old, new })
    }

    /// The devices that come to it or go from it.
    pub(super) fn devices(&self) -> Vec<Uuid> {
        let concerned = difference(&self.old.devices, &self.new.devices);
        concerned.into_iter().map(DeviceId::uuid).collect()
    }

    /// Makes it.
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
        let concerned = difference(&old.devices, &new.devices);
        let distribution = note(tx, *id, "door.updated", &concerned).await?;
        audit::enter(tx, deed("door.updated", *id, told(new), request_id)).await?;
        Ok(distribution)
    }
}

/// The devices at a door.
pub(super) async fn devices(tx: &TenantTx, id: DoorId) -> Answer<Vec<Uuid>> {
    let door = store::read_to_change(tx, id).await?;
    Ok(door
        .ok_or_else(|| Problem::not_found("door"))?
        .content()
        .devices)
}

/// Removes a door, from all authorities too. Its devices stay.
pub(super) async fn remove(
    tx: &TenantTx,
    id: DoorId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Option<DistributionId>> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("door"))?;
    if_match.check(old.version)?;
    let devices: Vec<DeviceId> = old
        .device_ids
        .iter()
        .copied()
        .map(DeviceId::from_uuid)
        .collect();
    // Asked while the authorities still know the door.
    let distribution = note(tx, id, "door.deleted", &devices).await?;
    store::delete(tx, id).await?;
    audit::enter(
        tx,
        deed("door.deleted", id, told(&old.content()), request_id),
    )
    .await?;
    Ok(distribution)
}

async fn note(
    tx: &TenantTx,
    id: DoorId,
    reason: &str,
    devices: &[DeviceId],
) -> Result<Option<DistributionId>, DbError> {
    if devices.is_empty() || !store::is_used(tx, id).await? {
        return Ok(None);
    }
    access_changes::note(tx, reason, Scope::Devices(devices)).await
}

/// The devices that are in one of the lists and not in the other.
fn difference(old: &[Uuid], new: &[Uuid]) -> Vec<DeviceId> {
    let only = |of: &[Uuid], other: &[Uuid]| -> Vec<DeviceId> {
        of.iter()
            .filter(|id| !other.contains(id))
            .copied()
            .map(DeviceId::from_uuid)
            .collect()
    };
    let mut devices = only(old, new);
    devices.extend(only(new, old));
    devices
}

/// A name that another door has.
fn taken(error: DbError, name: &str) -> Problem {
    if error.is_duplicate_of("doors_tenant_id_name_key") {
        let detail = format!("A door named {name} exists; choose another name.");
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/name");
    }
    error.into()
}

/// What the trail says: which devices are at it.
fn told(content: &Content) -> Value {
    let devices: Vec<DeviceId> = content
        .devices
        .iter()
        .copied()
        .map(DeviceId::from_uuid)
        .collect();
    json!({"device_ids": devices})
}

fn deed<'a>(action: &'a str, id: DoorId, detail: Value, request_id: &'a str) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "door",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_that_came_or_went_are_concerned() {
        let ids = |numbers: &[u128]| -> Vec<Uuid> {
            numbers.iter().copied().map(Uuid::from_u128).collect()
        };
        let concerned = difference(&ids(&[1, 2, 3]), &ids(&[3, 4]));
        let concerned: Vec<Uuid> = concerned.into_iter().map(DeviceId::uuid).collect();
        assert_eq!(concerned, ids(&[1, 2, 4]));
        assert!(difference(&ids(&[1]), &ids(&[1])).is_empty());
    }
}
