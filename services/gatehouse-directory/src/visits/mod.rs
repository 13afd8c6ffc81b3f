//! Visits: somebody expected by a host for a time, with a code to show.
//!
//! A visit ends by itself: while it is in force ([`force`]), the person's validity is its window, and
//! whatever lets persons in obeys that. Of a person's visits that are still to end, the first one is in
//! force; [`follow`] brings the next one into force when it has ended. The code ([`code`], [`picture`])
//! only names the visit; whether it admits now is decided in [`verdict`].
//!
//! Deliberately absent: where a visitor may pass (`authorities`, by the visitor groups), and that the
//! person was there (records, by the hub).

mod api;
mod cancel;
mod change;
mod code;
mod code_api;
mod create;
mod fields;
mod follow;
mod force;
mod list;
mod picture;
mod request;
mod store;
mod verdict;
mod view;

pub(crate) use follow::schedule;
pub(crate) use verdict::Reason;
pub(crate) use view::State;

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    api::routes(cfg);
    code_api::routes(cfg);
}
