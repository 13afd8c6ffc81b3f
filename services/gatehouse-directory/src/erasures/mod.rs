//! Erased persons: what is known of somebody leaves every place that holds it, and the receipt says
//! which places have confirmed and which have not yet, and why.
//!
//! [`erase`] is the story; [`progress`] hears from the other services; [`pictures`] deletes pictures,
//! also those that the object store would not give up at once. Deliberately absent: what the other
//! services hold and how they remove it.

mod api;
mod erase;
mod job_files;
mod pictures;
mod progress;
mod store;

pub(crate) use api::routes;
pub(crate) use job_files::schedule as job_files_schedule;
pub(crate) use pictures::schedule;
pub(crate) use progress::Progress;
