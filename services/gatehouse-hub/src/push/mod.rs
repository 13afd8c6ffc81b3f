//! Push devices (document 002, chapter 9): they call the platform over plain HTTP.

/// Routes outside the document: the paths are the devices' own.
pub(crate) fn data(_: &mut actix_web::web::ServiceConfig) {}
