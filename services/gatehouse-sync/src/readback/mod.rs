//! Read-back: what a terminal truly holds, compared with what it confirmed, and mended.
//!
//! - [`progress`] is the story: count, read, compare;
//! - [`compare`] judges what a terminal told, by the rules of [`same`];
//! - [`daily`] begins one for every terminal once a night.
//!
//! Deliberately absent: asking the terminal (gatehouse-hub), and sending what is to be mended
//! (`delivery`).

mod api;
mod compare;
mod daily;
mod progress;
mod register;
mod same;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use api::routes;

use crate::sync::Sync;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::service::Schedule;
use std::sync::Arc;

/// Who reads which events.
pub(crate) fn consumers(sync: &Arc<Sync>) -> Vec<Consumer> {
    vec![progress::consumer(sync)]
}

/// What is done again and again.
pub(crate) fn schedules(sync: &Arc<Sync>) -> Vec<Schedule> {
    vec![daily::schedule(sync)]
}
