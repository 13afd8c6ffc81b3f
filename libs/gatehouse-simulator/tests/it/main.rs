//! Simulated terminals against a cloud that is written here, from the document.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cloud;
mod commands;
mod connection;
mod people;
mod plan;
mod records;
mod upgrades;
