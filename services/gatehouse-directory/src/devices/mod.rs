//! Devices: the terminals that a tenant has claimed, what they are for and how far their word is
//! trusted; and whether they are there.
//!
//! What is known of a terminal from its sessions (versions, clock, last seen) is the hub's and is read
//! here; presence is a lease in Redis that the hub holds. Deliberately absent: discovered devices,
//! parameters and commands (gatehouse-hub).

mod api;
mod beside;
mod change;
mod create;
mod presence;
mod store;
mod view;

pub(crate) use api::routes;
pub(crate) use beside::{Standing, offline, standing};
