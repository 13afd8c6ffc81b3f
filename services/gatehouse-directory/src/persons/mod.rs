//! Persons: who there is, how they are found, what terminals are told about them.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
