//! The trail of changes. What the directory changes is entered in the same transaction; what other
//! services changed arrives as `audit.recorded.v1` and is entered under the id it was given there.
//!
//! Deliberately absent: changing or removing entries.

mod api;
mod recorded;
mod store;

pub(crate) use api::routes;
pub(crate) use recorded::KeepTrail;
pub(crate) use store::{enter, enter_as_operator};
