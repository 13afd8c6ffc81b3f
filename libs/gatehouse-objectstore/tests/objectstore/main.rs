//! The embedded server, asked by the client the product uses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs,
    reason = "tests"
)]

mod access;
mod durability;
mod headers;
mod keys_and_lists;
mod multipart;
mod objects;
mod support;
