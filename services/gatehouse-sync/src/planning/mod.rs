//! Planning: what each terminal should hold, by the authorities of this moment.
//!
//! - [`rounds`] hears of changes and plans tenant by tenant;
//! - [`changes`] is what waits to be planned, and whom it concerns;
//! - [`plan`] makes one plan: [`weeks`] renders passing times, [`rows`] compares and writes;
//! - [`midnight`], [`endings`] and [`devices`] are reasons to plan that nobody notes;
//! - [`api`] tells how far a change has come; [`pruning`] forgets old ones.
//!
//! Deliberately absent: sending (`delivery`), and the rule who may pass where (the view
//! `directory.reach`).

mod api;
mod changes;
mod devices;
mod endings;
mod midnight;
mod plan;
mod progress;
mod pruning;
mod rounds;
mod rows;
#[cfg(test)]
mod tests;
mod weeks;

pub(crate) use api::routes;

use crate::sync::Sync;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::service::{Schedule, Task};
use std::sync::Arc;

/// Who reads which events.
pub(crate) fn consumers(sync: &Arc<Sync>) -> Vec<Consumer> {
    vec![devices::consumer(sync)]
}

/// What is done again and again.
pub(crate) fn schedules(sync: &Arc<Sync>) -> Vec<Schedule> {
    vec![
        midnight::schedule(sync),
        endings::schedule(sync),
        pruning::schedule(sync),
    ]
}

/// What lives as long as the process.
pub(crate) fn tasks(sync: &Arc<Sync>) -> Vec<Task> {
    vec![rounds::task(sync)]
}
