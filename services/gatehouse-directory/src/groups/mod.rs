//! Groups of persons and their members: those who are let in, or kept out, together.
//!
//! Who may be in which group is decided in [`members`], for single members and for many, and in [`fit`]
//! for whoever joins otherwise. Deliberately absent: where the members of a group may pass (`authorities`).

mod api;
mod change;
mod create;
mod fit;
mod member_api;
mod members;
mod store;
mod view;

pub(crate) use fit::{check_joining, check_staying};
pub(crate) use members::{Outcome, take_visitor_groups};

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    api::routes(cfg);
    member_api::routes(cfg);
}
