//! Authorities: which groups may pass which devices when; the effect of a change before it is saved;
//! and why somebody may pass.
//!
//! Deliberately absent: the decision (`gatehouse_domain::access`), and telling terminals
//! (gatehouse-sync), which plans by what is noted here.

mod answer;
mod api;
mod change;
mod effect;
mod explain;
mod explanation;
mod held;
mod preview;
mod request;
mod store;
mod view;

pub(crate) use answer::{DryRun, effect};
pub(crate) use effect::Effect;
pub(crate) use preview::{begin as before, reschedule};

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    api::routes(cfg);
    explain::routes(cfg);
}
