//! Attendance: what passing a terminal means for a person's working day.
//!
//! - [`punches`]: records that count, kept as they arrive.
//!
//! Deliberately absent: groups, rules, the settlement of days, corrections, statistics and exports.
//! They read the punches that are kept from the first day on; no route exists before them.

mod attendance;
mod punches;

pub use attendance::Attendance;
