//! Records: what a terminal saw at one moment. The words are ours; each protocol crate maps its
//! vendor's numbers onto them.

use crate::vocabulary;

vocabulary! {
    /// Who the terminal took the person for.
    pub enum RecordType: "record type" {
        /// Somebody of the house.
        Staff = "staff",
        /// Somebody invited for a time.
        Visitor = "visitor",
        /// Somebody who must not enter.
        Blocklist = "blocklist",
        /// Nobody the terminal knows.
        Stranger = "stranger",
    }
}

vocabulary! {
    /// What the terminal decided.
    pub enum RecordResult: "record result" {
        /// Recognised and let in.
        Passed = "passed",
        /// Compared and not matched.
        Failed = "failed",
        /// Recognised, but outside the passing times.
        OutsideSchedule = "outside_schedule",
        /// Recognised, but before or after the validity range.
        Expired = "expired",
        /// Recognised, but without a permission on this terminal.
        Unauthorized = "unauthorized",
    }
}

vocabulary! {
    /// By what the person was recognised.
    pub enum Verification: "verification" {
        /// The face alone.
        Face = "face",
        /// The face against the photo of an identity document.
        IdDocument = "id_document",
        /// The face and a card, both.
        FaceAndCard = "face_and_card",
        /// A card alone.
        Card = "card",
        /// The terminal did not say, or said something we do not know.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// Whether the person wore a mask.
    pub enum Mask: "mask" {
        /// Worn.
        Worn = "worn",
        /// Not worn.
        NotWorn = "not_worn",
        /// Not looked for, or not told.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// Whether the measured temperature is in the normal range, as the terminal judged it.
    pub enum TemperatureVerdict: "temperature verdict" {
        /// Not measured.
        NotMeasured = "not_measured",
        /// Normal.
        Normal = "normal",
        /// Above the terminal's threshold.
        High = "high",
    }
}

vocabulary! {
    /// The way through the door.
    pub enum Passage: "passage" {
        /// Into the house.
        In = "in",
        /// Out of the house.
        Out = "out",
        /// The terminal does not know.
        Unknown = "unknown",
    }
}
