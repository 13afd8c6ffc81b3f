//! Photos of persons: checked, cleaned, kept under the hash of their content.
//!
//! How a photo is taken stands in [`take`], from top to bottom. Whoever brings in many uses its parts:
//! [`examine`], [`lay_by`] (the object store, outside of any transaction) and [`keep`] (the row,
//! within the caller's).
//!
//! Deliberately absent: looking at pixels (gatehouse-faces), and sending photos to terminals
//! (gatehouse-hub).

mod api;
mod check_api;
mod contents;
mod criteria;
mod criteria_api;
mod examine;
mod keep;
mod receive;
mod refusal;
mod store;
mod take;
mod view;

pub(crate) use contents::{StillThere, may_be_loose, schedule, sweep};
pub(crate) use examine::Examiner;
pub(crate) use view::{Photo, of_person};
pub(crate) use {
    contents::lay_by,
    examine::examine,
    keep::{Place, keep},
};

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    api::routes(cfg);
    check_api::routes(cfg);
    criteria_api::routes(cfg);
}
