//! API keys of a tenant's programs: made, listed, changed, removed. A key's secret is shown once; its
//! hash is all that is stored.
//!
//! Deliberately absent: verifying keys (gatehouse-platform), and the keys of vendor facades.

mod api;
mod grant;
mod store;
mod view;

pub(crate) use api::routes;
pub(crate) use store::read as read_key;
