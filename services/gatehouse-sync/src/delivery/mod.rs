//! Delivery: what differs is offered to the hub, its answers are settled, what failed is tried again.
//!
//! - [`offers`] hands out what is due;
//! - [`settle`] takes the answers, by the judgement of [`fate`] and the waits of [`backoff`];
//! - [`erasure`] follows an erased person from terminal to terminal.
//!
//! Deliberately absent: what is desired (`planning`), and sending (gatehouse-hub).

mod backoff;
mod erasure;
mod fate;
mod offer_store;
mod offers;
mod settle;
mod settle_store;
#[cfg(test)]
mod tests;

pub(crate) use offers::Refills;
pub(crate) use settle_store::hold;

use crate::sync::Sync;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::service::{Schedule, Task};
use std::sync::Arc;

/// Who reads which events.
pub(crate) fn consumers(sync: &Arc<Sync>) -> Vec<Consumer> {
    vec![settle::consumer(sync), erasure::consumer(sync)]
}

/// What is done again and again.
pub(crate) fn schedules(sync: &Arc<Sync>) -> Vec<Schedule> {
    vec![erasure::schedule(sync)]
}

/// What lives as long as the process.
pub(crate) fn tasks(sync: &Arc<Sync>) -> Vec<Task> {
    vec![offers::task(sync)]
}
