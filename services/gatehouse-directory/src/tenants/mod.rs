//! Organisations: created by the platform's operator with everything they need to begin, renamed by
//! themselves or the operator, switched off by the operator.
//!
//! Deliberately absent: removing a tenant. A tenant that is switched off has no credential that is
//! accepted; what becomes of its rows is a decision with terms of its own.

mod api;
mod create;
mod created;
mod facades;
mod store;
mod update;

pub(crate) use api::routes;
pub use create::{NewTenant, create_tenant};
pub use created::{
    CreatedTenant, FacejoyCredentials, HongtuCredentials, OwnerCredentials, SenselinkCredentials,
};
pub(crate) use store::{read as read_tenant, zone};
