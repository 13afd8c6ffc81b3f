//! Sync: what each terminal should hold and does hold, and what leaves the platform.
//!
//! What will live here: persons and their photos on terminals (assignments, wanted against proved),
//! the clients of other vendors' platforms and of devices on a local network, webhooks, and the
//! vendors' own pushes. The role exists from the first day, so that deployments name it from the
//! first day.
//!
//! Deliberately absent until then: consumers, routes, schedules and tables. Nothing here pretends.

use actix_web::web;
use futures_util::future::BoxFuture;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::db::{SYNC, ServiceRoles};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use std::sync::Arc;

/// Sync.
#[derive(Debug)]
pub struct Sync;

impl Service for Sync {
    const ROLES: ServiceRoles = SYNC;
    type Settings = ();

    fn start(_: Kit, (): &()) -> Arc<Self> {
        Arc::new(Self)
    }

    fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}

    fn data(self: &Arc<Self>, _: &mut web::ServiceConfig) {}

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        Vec::new()
    }

    fn schedules(self: &Arc<Self>) -> Vec<Schedule> {
        Vec::new()
    }

    fn tasks(self: &Arc<Self>) -> Vec<Task> {
        Vec::new()
    }

    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
