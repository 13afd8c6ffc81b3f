//! The words of the product and the rules that need nothing but words.
//!
//! Here: typed ids, the vocabulary of terminals, records and commands, roles and permissions,
//! schedules, the decision who may pass, and the judgement of attendance.
//! Deliberately absent: I/O, async, a clock, randomness, vendor words. An id is made from a UUID
//! that somebody else drew; an instant is an argument.

pub mod access;
pub mod attendance;
pub mod command;
pub mod device;
pub mod ids;
pub mod person;
pub mod record;
pub mod schedule;
pub mod words;

pub use ids::*;
