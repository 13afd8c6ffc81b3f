//! How it stands: the persons of a device, the devices of a person, with reasons.

/// Routes.
pub(crate) fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}
