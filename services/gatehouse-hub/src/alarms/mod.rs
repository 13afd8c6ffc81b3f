//! Alarms: somebody who must not enter was recognised. They are raised by the statement that stores
//! the record (`records::store`); here they are read and acknowledged.

mod api;
mod store;

pub(crate) use api::routes;
