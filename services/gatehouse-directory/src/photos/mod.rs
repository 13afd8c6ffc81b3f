//! Photos of persons: checked, cleaned, kept under the hash of their content.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
