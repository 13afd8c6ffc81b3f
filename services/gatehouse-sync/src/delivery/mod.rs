//! Delivery: what differs is offered to the hub, its answers are settled, what failed is tried again.

use crate::sync::Sync;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::service::{Schedule, Task};
use std::sync::Arc;

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}

/// Who reads which events.
pub(crate) fn consumers(_: &Arc<Sync>) -> Vec<Consumer> {
    Vec::new()
}

/// What is done again and again.
pub(crate) fn schedules(_: &Arc<Sync>) -> Vec<Schedule> {
    Vec::new()
}

/// What lives as long as the process.
pub(crate) fn tasks(_: &Arc<Sync>) -> Vec<Task> {
    Vec::new()
}
