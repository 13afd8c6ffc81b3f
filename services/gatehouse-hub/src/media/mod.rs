//! Signed links: whoever holds one may fetch one stored object until the link ends. Terminals fetch
//! their firmware here, people see their pictures.
//!
//! Deliberately absent: any other way to an object, and lists of them. What is signed is an object's
//! key, so a link opens that object and no other.

mod api;
mod range;

pub(crate) use api::routes;
