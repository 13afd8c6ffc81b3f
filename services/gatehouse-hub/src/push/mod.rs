//! Push devices (document 002, chapter 9): they call the platform over plain HTTP and hold no
//! connection. One file per verb, each the story of one call:
//!
//! - [`syheartbeat`]: the device is there;
//! - [`syrecord`]: who it is to hold, as sync offers it; [`syresult`]: what came of it;
//! - [`syface`]: somebody was recognised, and the platform decides about the door;
//! - [`syattribute`]: somebody was measured and not recognised.
//!
//! Around them: [`call`] is the way in, [`callers`] who calls, [`sight`] what both kinds of passes
//! share, [`presence`] who is there, [`images`] the listener for pictures, [`store`] the SQL.
//!
//! Deliberately absent: what the bytes mean (gatehouse-proto-device), what a device should hold
//! (gatehouse-sync), and passing times: these devices cannot be told any.

mod call;
mod callers;
mod images;
mod presence;
mod sight;
mod store;
mod syattribute;
mod syface;
mod syheartbeat;
mod syrecord;
mod syresult;

pub(crate) use call::data;
pub(crate) use callers::Callers;
pub(crate) use images::Links;

use crate::hub::Hub;
use gatehouse_platform::service::{Schedule, Task};
use std::sync::Arc;

/// What runs as long as the process.
pub(crate) fn tasks(hub: &Arc<Hub>) -> Vec<Task> {
    images::task(hub).into_iter().collect()
}

/// What is done again and again.
pub(crate) fn schedules(hub: &Arc<Hub>) -> Vec<Schedule> {
    vec![presence::silent_devices(hub), syrecord::old_lines(hub)]
}
