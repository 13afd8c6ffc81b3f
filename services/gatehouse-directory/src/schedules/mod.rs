//! Schedules: when one may pass. Deliberately absent: the rule itself (`gatehouse_domain::schedule`), and
//! the weeks that terminals are told (gatehouse-sync).

mod api;
mod change;
mod request;
mod store;
mod view;

pub(crate) use api::routes;
