//! Doors: access points, each with its devices. An authority may name a door in place of its devices.

mod api;
mod change;
mod request;
mod store;
mod view;

pub(crate) use api::routes;
