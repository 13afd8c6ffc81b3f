//! Punches: records as attendance counts them. Every record of somebody known who was let in is one;
//! which of a day's punches matter is decided when the day is settled.

mod keep;
mod store;

pub(crate) use keep::KeepPunches;
