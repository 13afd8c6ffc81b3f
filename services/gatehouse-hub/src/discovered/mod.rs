//! Serial numbers that knocked at a tenant's door and are not its devices: listed, so that somebody
//! can claim them, and refused until then.
//!
//! Deliberately absent: claiming. A device is created in the directory, which tells us.

mod api;
mod claimed;
mod store;

pub(crate) use api::routes;
pub(crate) use claimed::device_consumer;
pub(crate) use store::{note, note_caller};
