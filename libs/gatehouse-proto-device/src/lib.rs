//! Document 002, a face device's own HTTP interface: bytes to typed words and back.
//!
//! - [`push`] is chapter 9, where the device calls the platform.
//!
//! Deliberately absent: chapters 1 to 8, where the platform calls the device; sockets, a clock,
//! storage, and every decision that needs a tenant's data. Vectors stand in `vectors/`, one file per
//! message, each line with its source.

pub mod push;
