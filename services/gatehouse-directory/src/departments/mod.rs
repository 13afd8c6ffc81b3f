//! Departments: the parts of an organisation, as a tree.
//!
//! Whatever changes the tree's shape holds the tenant's tree first ([`tree`]), so that two moves cannot
//! make a circle together. Who is in a department is a field of the person (`persons`).

mod api;
mod change;
mod create;
mod store;
mod tree;
mod tree_api;
mod view;

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    // Before `/v1/departments/{id}`, which would take the word for an id.
    tree_api::routes(cfg);
    api::routes(cfg);
}
