//! Persons on their way to terminals: what sync offers is sent, what terminals answer is told.
//!
//! - [`store`] reads what is offered to a device, with all that a terminal is told ([`offer`]);
//! - [`queue`] is what a session has read and not yet sent, and what goes next;
//! - [`album`] keeps photos as terminals take them, a few megabytes of them for all sessions;
//! - [`render`] puts a person into the words of document 004;
//! - [`report`] tells sync what terminals answered, many at once.
//!
//! Deliberately absent: what a terminal should hold and when it is tried again (gatehouse-sync), and
//! sockets (`sessions`).

pub(crate) mod album;
pub(crate) mod offer;
pub(crate) mod queue;
pub(crate) mod render;
pub(crate) mod report;
pub(crate) mod store;
