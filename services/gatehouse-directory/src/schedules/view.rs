//! A schedule as the API shows it.

use super::request::{Content, HolidayPlan, Period, Weekday};
use super::store::Row;
use crate::authorities::Effect;
use chrono::{DateTime, Utc};
use gatehouse_domain::schedule::Span;
use gatehouse_domain::{DistributionId, ScheduleId};
use serde::Serialize;
use utoipa::ToSchema;

/// When one may pass, by the wall clock of the device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleView {
    #[schema(value_type = String, example = "sch_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: ScheduleId,
    /// For systems that need numbers.
    number: i64,
    #[schema(example = "Day shift")]
    name: String,
    /// A weekday that is not named is closed.
    weekdays: Vec<Weekday>,
    /// Each decides about its date alone; in their order.
    holidays: Vec<HolidayPlan>,
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

impl ScheduleView {
    pub(super) fn new(row: &Row, distribution_id: Option<DistributionId>) -> Self {
        let Content { name, plan } = row.content();
        Self {
            id: ScheduleId::from_uuid(row.id),
            number: row.number,
            name,
            weekdays: plan
                .weekdays
                .iter()
                .map(|day| Weekday {
                    weekday: day.weekday.into(),
                    periods: periods(&day.periods),
                })
                .collect(),
            holidays: plan
                .holidays
                .iter()
                .map(|holiday| HolidayPlan {
                    date: holiday.date.to_string(),
                    open: holiday.open,
                    periods: periods(&holiday.periods),
                })
                .collect(),
            distribution_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }

    /// For the ETag.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }
}

fn periods(spans: &[Span]) -> Vec<Period> {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    spans
        .iter()
        .map(|span| Period {
            from: clock(span.from_min),
            to: clock(span.to_min),
        })
        .collect()
}

/// The schedule, or with `dry_run` what the change would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ChangedSchedule {
    /// It is saved.
    Schedule(ScheduleView),
    /// Nothing is saved.
    Effect(Effect),
}
