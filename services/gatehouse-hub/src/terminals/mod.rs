//! What is known of a terminal from its sessions: when it was here, its versions, its clock, where it
//! is, and what it said that nobody understood.
//!
//! Deliberately absent: the device as such (gatehouse-directory), and who is here at this moment
//! (`sessions`).

mod api;
mod store;

pub(crate) use api::routes;
pub(crate) use store::{
    Arrival, Sighting, arrive, close_abandoned, connected, forget, forget_unknown, keep_unknown,
    note,
};
