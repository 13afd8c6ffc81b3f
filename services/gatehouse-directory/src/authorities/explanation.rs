//! Why somebody may pass, as the API says it.

use super::held::Held;
use crate::devices::Standing;
use crate::schemas;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use gatehouse_domain::access::{Decision, Facts, ReasonCode};
use gatehouse_domain::{AuthorityId, DeviceId, GroupId, PersonId, ScheduleId};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a person may pass a device at a moment, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// Whether they may.
    allow: bool,
    /// Why, for programs.
    #[schema(schema_with = schemas::reason)]
    reason: ReasonCode,
    /// Why, in words.
    #[schema(example = "not in schedule 'Day shift': Tuesday 06:12 is outside 06:30-09:00")]
    sentence: String,
    /// The moment.
    at: DateTime<Utc>,
    /// The same on the wall clock of the device.
    #[schema(example = "2026-11-24T06:12:00")]
    local_time: String,
    #[schema(example = "Asia/Shanghai")]
    timezone: String,
    #[schema(value_type = String, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: PersonId,
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// The authority that decided.
    #[schema(value_type = Option<String>)]
    authority_id: Option<AuthorityId>,
    /// The group by which it did.
    #[schema(value_type = Option<String>)]
    group_id: Option<GroupId>,
    group_name: Option<String>,
    /// The schedule that decided.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    schedule_name: Option<String>,
    /// Who opens the door: the `terminal` by what it knows, or the `cloud` by this decision.
    #[schema(schema_with = schemas::door_decision)]
    door_decision: String,
    /// What the terminal knows of it.
    terminal: Held,
}

impl Explanation {
    pub(super) fn new(
        person_id: PersonId,
        standing: &Standing,
        facts: &Facts,
        decision: Decision,
        at: DateTime<Utc>,
        zone: Tz,
        terminal: Held,
    ) -> Self {
        let Decision {
            allow,
            reason,
            sentence,
            authority_id,
            group_id,
            schedule_id,
        } = decision;
        let by_group = facts
            .permits
            .iter()
            .find(|permit| Some(permit.group_id) == group_id);
        let by_schedule = facts
            .permits
            .iter()
            .find(|permit| schedule_id.is_some() && permit.schedule_id == schedule_id);
        Self {
            allow,
            reason,
            sentence,
            at,
            local_time: at
                .with_timezone(&zone)
                .format("%Y-%m-%dT%H:%M:%S")
                .to_string(),
            timezone: zone.to_string(),
            person_id,
            device_id: standing.id,
            authority_id: authority_id.map(AuthorityId::from_uuid),
            group_id: group_id.map(GroupId::from_uuid),
            group_name: by_group.map(|permit| permit.group_name.clone()),
            schedule_id: schedule_id.map(ScheduleId::from_uuid),
            schedule_name: by_schedule.and_then(|permit| permit.schedule_name.clone()),
            door_decision: standing.door_decision.clone(),
            terminal,
        }
    }
}
