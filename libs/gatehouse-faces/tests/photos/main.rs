//! Photos examined as a user of this crate does it: with the real models.
//!
//! Needs the models that `deploy/local/models.sh` fetches, and says so where they are missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]

mod hygiene;
mod judgement;
mod pictures;
mod variants;
