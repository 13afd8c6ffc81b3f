//! The parameters of a terminal as a shadow: what it should have, what it said it has, and the
//! difference, which is written when the terminal is there.
//!
//! Deliberately absent: names, ranges and comparison of parameters (gatehouse-proto-terminal).

mod api;
pub(crate) mod at_rest;
pub(crate) mod shadow;
pub(crate) mod store;

pub(crate) use api::routes;
