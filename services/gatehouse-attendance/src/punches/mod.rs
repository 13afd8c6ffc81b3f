//! Punches: records as attendance counts them. Every record of somebody known who was let in is one;
//! which of a day's punches matter is decided when the day is settled.

mod erase;
mod keep;
mod store;

pub(crate) use erase::ErasePunches;
pub(crate) use keep::KeepPunches;
