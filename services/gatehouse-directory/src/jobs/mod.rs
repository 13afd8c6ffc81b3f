//! Long work: bringing many persons in from a table with an archive of photos, and writing them into
//! one. [`upload`] takes the files, [`work`] takes jobs off the list, [`import`] and [`export`] are
//! the stories; [`sheet`] and [`archive`] read what comes from outside under limits; [`forget`] lets go
//! of what jobs keep of people.
//!
//! Deliberately absent: what a field may hold (`persons`) and what a photo must be (`photos`).

mod api;
mod archive;
mod begin;
mod columns;
mod export;
mod forget;
mod import;
mod lookup;
mod masked;
mod sheet;
mod store;
mod upload;
mod work;

pub(crate) use api::routes;
pub(crate) use forget::{kept_until, schedule};
pub(crate) use work::task;
