//! Authorities: which groups may pass which devices when; their effect before they are saved, and why somebody may pass.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
