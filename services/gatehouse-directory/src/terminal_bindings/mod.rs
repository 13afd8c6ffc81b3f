//! Serial numbers that the platform's operator has bound to a tenant, for terminals that cannot carry a
//! token in their address.
//!
//! Deliberately absent: admitting terminals by their binding (gatehouse-hub).

mod api;
mod store;

pub(crate) use api::routes;
