//! Long work: bringing many persons in from a file, writing them into one.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
