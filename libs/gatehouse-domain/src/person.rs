//! Persons: what kinds there are, and how far the schedules bind them.

use crate::vocabulary;

vocabulary! {
    /// What somebody is to the house; also what a group is for.
    pub enum PersonType: "person type" {
        /// Somebody of the house.
        Staff = "staff",
        /// Somebody invited for a time.
        Visitor = "visitor",
        /// Somebody who must not enter.
        Blocklist = "blocklist",
    }
}

vocabulary! {
    /// As terminals address somebody.
    pub enum Gender: "gender" {
        /// Male.
        Male = "male",
        /// Female.
        Female = "female",
        /// Not told.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// How far the schedules bind somebody.
    pub enum Priority: "priority" {
        /// Within the schedules.
        Normal = "normal",
        /// At any time where an authority admits them at all.
        Always = "always",
        /// At no time.
        Never = "never",
    }
}

vocabulary! {
    /// What a terminal is told about somebody's passing.
    pub enum Admittance: "admittance" {
        /// Within the passing times.
        Scheduled = "scheduled",
        /// At any time.
        Always = "always",
        /// At no time; recognised all the same.
        Never = "never",
    }
}
