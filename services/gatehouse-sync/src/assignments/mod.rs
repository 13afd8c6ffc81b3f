//! How it stands: the persons of a device, the devices of a person, with reasons; and trying again by
//! hand.
//!
//! Deliberately absent: how anything comes to stand so (`planning`, `delivery`).

mod api;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use api::routes;
pub(crate) use store::protocol_of;
