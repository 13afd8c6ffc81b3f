//! A visit as the API shows it.

use super::store::Row;
use crate::schemas;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DistributionId, GroupId, PersonId, VisitId, vocabulary};
use serde::Serialize;
use utoipa::ToSchema;

vocabulary! {
    /// How far a visit is.
    pub(crate) enum State: "state of a visit" {
        /// Is still to begin.
        Expected = "expected",
        /// Has begun and not ended.
        Current = "current",
        /// Has ended.
        Ended = "ended",
        /// Was cancelled.
        Cancelled = "cancelled",
    }
}

/// Somebody expected for a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Visit {
    #[schema(value_type = String, example = "vis_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: VisitId,
    /// Who comes.
    #[schema(value_type = String)]
    person_id: PersonId,
    person_name: String,
    /// Whom they visit.
    #[schema(value_type = Option<String>)]
    host_id: Option<PersonId>,
    host_name: Option<String>,
    reason: String,
    firm: String,
    number_plate: String,
    /// Whether the visitor is let in at all times of the visit, whatever the schedules say.
    vip: bool,
    /// The visitor groups that the person is in for this visit; null: those they are in anyway.
    #[schema(value_type = Option<Vec<String>>)]
    group_ids: Option<Vec<GroupId>>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    #[schema(schema_with = schemas::visit_state)]
    state: State,
    cancelled_at: Option<DateTime<Utc>>,
    /// Where this request has changed what terminals are to hold: by this id its way there can be
    /// followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    distribution_id: Option<DistributionId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl Visit {
    pub(super) fn new(
        row: Row,
        distribution_id: Option<DistributionId>,
        now: DateTime<Utc>,
    ) -> Self {
        let state = row.state(now);
        let Row {
            id,
            person_id,
            person_name,
            host_id,
            host_name,
            reason,
            firm,
            number_plate,
            vip,
            group_ids,
            in_force: _,
            starts_at,
            ends_at,
            cancelled_at,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: VisitId::from_uuid(id),
            person_id: PersonId::from_uuid(person_id),
            person_name,
            host_id: host_id.map(PersonId::from_uuid),
            host_name,
            reason,
            firm,
            number_plate,
            vip,
            group_ids: group_ids.map(|ids| ids.into_iter().map(GroupId::from_uuid).collect()),
            starts_at,
            ends_at,
            state,
            cancelled_at,
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

impl Row {
    /// How far the visit is.
    pub(super) fn state(&self, now: DateTime<Utc>) -> State {
        if self.cancelled_at.is_some() {
            State::Cancelled
        } else if self.ends_at <= now {
            State::Ended
        } else if self.starts_at <= now {
            State::Current
        } else {
            State::Expected
        }
    }
}
