//! Photos of persons: checked, cleaned, kept under the hash of their content.

mod store;
mod view;

pub(crate) use view::{Photo, of_person};

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
