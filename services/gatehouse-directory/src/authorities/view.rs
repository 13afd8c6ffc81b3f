//! An authority as the API shows it.

use super::store::Row;
use chrono::{DateTime, Utc};
use gatehouse_domain::{AuthorityId, DeviceId, DistributionId, DoorId, GroupId, ScheduleId};
use serde::Serialize;
use utoipa::ToSchema;

/// Which groups may pass which devices when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Authority {
    #[schema(value_type = String, example = "aut_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: AuthorityId,
    /// For systems that need numbers.
    number: i64,
    name: String,
    #[schema(value_type = Vec<String>)]
    device_ids: Vec<DeviceId>,
    /// Doors, whose devices are reached whichever they are.
    #[schema(value_type = Vec<String>)]
    door_ids: Vec<DoorId>,
    #[schema(value_type = Vec<String>)]
    group_ids: Vec<GroupId>,
    /// Null: at all times.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
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

impl Authority {
    pub(super) fn new(row: Row, distribution_id: Option<DistributionId>) -> Self {
        let Row {
            id,
            number,
            name,
            schedule_id,
            device_ids,
            door_ids,
            group_ids,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: AuthorityId::from_uuid(id),
            number,
            name,
            device_ids: device_ids.into_iter().map(DeviceId::from_uuid).collect(),
            door_ids: door_ids.into_iter().map(DoorId::from_uuid).collect(),
            group_ids: group_ids.into_iter().map(GroupId::from_uuid).collect(),
            schedule_id: schedule_id.map(ScheduleId::from_uuid),
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
