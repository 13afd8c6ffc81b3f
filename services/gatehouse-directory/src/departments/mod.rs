//! Departments, as a tree.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
