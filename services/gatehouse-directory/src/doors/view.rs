//! A door as the API shows it.

use super::store::Row;
use crate::authorities::Effect;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, DistributionId, DoorId};
use serde::Serialize;
use utoipa::ToSchema;

/// An access point with its devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Door {
    #[schema(value_type = String, example = "dor_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: DoorId,
    /// For systems that need numbers.
    number: i64,
    #[schema(example = "Main entrance")]
    name: String,
    location: String,
    /// Where the switch that opens it is reached, as the installer wrote it.
    switch_address: Option<String>,
    #[schema(value_type = Vec<String>)]
    device_ids: Vec<DeviceId>,
    /// By this id the way of a change to the terminals can be followed. In the answer to a change that
    /// terminals must learn.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution_id: Option<DistributionId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl Door {
    pub(super) fn new(row: Row, distribution_id: Option<DistributionId>) -> Self {
        let Row {
            id,
            number,
            name,
            location,
            switch_address,
            device_ids,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: DoorId::from_uuid(id),
            number,
            name,
            location,
            switch_address,
            device_ids: device_ids.into_iter().map(DeviceId::from_uuid).collect(),
            distribution_id,
            created_at,
            updated_at,
            version,
        }
    }

    /// For the ETag.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }
}

/// The door, or with `dry_run` what the change would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ChangedDoor {
    /// It is saved.
    Door(Door),
    /// Nothing is saved.
    Effect(Effect),
}
