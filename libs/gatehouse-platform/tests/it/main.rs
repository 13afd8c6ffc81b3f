//! The machine room against real Postgres, RabbitMQ and Redis. Needs `make services` and its
//! environment (`.run/env`); fails with that hint where they are missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "tests"
)]

mod kit;

mod cache;
mod consumers;
mod objects;
mod outages;
mod service;
mod wakes;
