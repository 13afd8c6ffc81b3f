//! Users: who they are, what role they have, how they sign in and stay signed in.
//!
//! Signing in gives a short-lived access token and a refresh token; a refresh token is used once and
//! exchanged for both anew. Deliberately absent: verifying access tokens (gatehouse-platform).

mod api;
mod login;
mod me;
mod password;
mod power;
mod session_api;
mod sessions;
mod store;
mod throttle;
mod users;

pub(crate) use password::{Passwords, generated_password};
pub(crate) use sessions::forget_ended_tokens;
pub(crate) use throttle::Throttle;

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    session_api::routes(cfg);
    me::routes(cfg);
    api::routes(cfg);
}
