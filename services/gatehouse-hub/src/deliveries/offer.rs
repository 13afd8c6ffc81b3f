//! What sync offers to a device: somebody to be taken away, or somebody to be told, with everything
//! that a terminal is told about them.

use chrono::{NaiveDate, NaiveDateTime};
use gatehouse_domain::person::{Admittance, Gender};
use gatehouse_domain::schedule::Week;
use std::sync::Arc;
use uuid::Uuid;

/// One offer (`sync.assignments.offer`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    /// Its id; also the ticket of the session's machine.
    pub(crate) id: Uuid,
    /// The number by which the device knows the person.
    pub(crate) number: String,
    /// What is to happen.
    pub(crate) what: What,
}

/// What is to happen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// The person is to be taken away.
    Removal,
    /// The person is to be told.
    Person(Box<Profile>),
    /// There is nothing that could be sent.
    Unsendable(Fault),
}

/// Why an offer cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A word for programs.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) message: &'static str,
}

impl Fault {
    /// The person was removed a moment ago; sync hears of it and takes the offer back.
    pub(crate) const NO_PERSON: Self = Self {
        code: "person_gone",
        message: "The person no longer exists; the assignment is about to be removed.",
    };
    /// A terminal takes nobody without a photo.
    pub(crate) const NO_PHOTO: Self = Self {
        code: "no_photo",
        message: "The person has no photo; a terminal needs one. Add a photo.",
    };
    /// The object store is away, or the photo was replaced a moment ago.
    pub(crate) const NO_OBJECT: Self = Self {
        code: "photo_unavailable",
        message: "The photo could not be read from the object store; it is tried again.",
    };
    /// More than the document allows.
    pub(crate) const PHOTO_TOO_LONG: Self = Self {
        code: "unsendable",
        message: "The photo is larger than a terminal takes. Upload it again.",
    };
    /// A row that this version does not understand.
    pub(crate) const UNREADABLE: Self = Self {
        code: "unsendable",
        message: "What is to be sent cannot be read; it is logged by the platform.",
    };
    /// The passing times are not there, or cannot be read.
    pub(crate) const NO_WEEK: Self = Self {
        code: "week_unavailable",
        message: "The passing times of the week are not rendered yet; it is tried again.",
    };
}

/// What a device is told about a person, as it stood when it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profile {
    /// Whether the device has confirmed this person before, in whatever shape.
    pub(crate) is_known: bool,
    /// Hash of all this (`sync.content_hash`).
    pub(crate) content: Vec<u8>,
    /// How far the passing times bind the person.
    pub(crate) admittance: Admittance,
    /// The name.
    pub(crate) name: String,
    /// As terminals address them.
    pub(crate) gender: Gender,
    /// Birthday, where told.
    pub(crate) birthday_on: Option<NaiveDate>,
    /// Telephone, where told.
    pub(crate) phone: Option<String>,
    /// From when they may pass at all, by the device's wall clock.
    pub(crate) valid_from: Option<NaiveDateTime>,
    /// Until when, by the device's wall clock.
    pub(crate) valid_to: Option<NaiveDateTime>,
    /// What the device says to them.
    pub(crate) welcome_text: Option<String>,
    /// What the device shows to them.
    pub(crate) display_text: Option<String>,
    /// The first of their cards.
    pub(crate) card: Option<String>,
    /// Their photos, by slot.
    pub(crate) photos: Vec<Photo>,
    /// The week's passing times; of who may always pass those of all hours. Shared by those who were
    /// read together.
    pub(crate) week: Option<Arc<Week>>,
}

/// A photo by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Photo {
    /// The six digits under which the device keeps it.
    pub(crate) number: String,
    /// Hash of the original, by which its variants are found.
    pub(crate) sha256: [u8; 32],
}

impl Offer {
    /// The hash of what is sent; none where somebody is taken away or nothing can be sent.
    pub(crate) fn content(&self) -> Option<&[u8]> {
        match &self.what {
            What::Removal | What::Unsendable(_) => None,
            What::Person(profile) => Some(&profile.content),
        }
    }
}
