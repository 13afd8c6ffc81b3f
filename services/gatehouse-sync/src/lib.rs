//! Sync: what each terminal should hold and does hold, and what leaves the platform.
//!
//! - [`planning`]: what each terminal should hold, by the authorities of this moment;
//! - [`delivery`]: what differs is offered to the hub, and its answers are settled;
//! - [`readback`]: what a terminal truly holds, compared and mended;
//! - [`assignments`]: how it stands, per device and per person.
//!
//! Deliberately absent: the sockets of terminals (gatehouse-hub), authorities as such
//! (gatehouse-directory), and, until they come with their own issue, the clients of other vendors'
//! platforms, webhooks and the vendors' pushes.

mod assignments;
mod body;
mod delivery;
mod planning;
mod readback;
mod settings;
mod sync;
#[cfg(test)]
mod testing;

pub use settings::SyncSettings;
pub use sync::Sync;
