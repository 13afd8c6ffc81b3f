//! Visits: somebody expected by a host for a time, with a code to show.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
