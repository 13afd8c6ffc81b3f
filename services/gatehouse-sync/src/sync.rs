//! Sync as one service: its table of contents for the machine room.

use crate::settings::SyncSettings;
use crate::{assignments, delivery, planning, readback};
use actix_web::web;
use futures_util::future::BoxFuture;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::db::{SYNC, ServiceRoles};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use std::sync::Arc;

/// Sync.
#[derive(Debug)]
pub struct Sync {
    pub(crate) kit: Kit,
    pub(crate) settings: SyncSettings,
    /// Devices whose answers were settled here: they are offered what comes next.
    pub(crate) refills: delivery::Refills,
}

impl Service for Sync {
    const ROLES: ServiceRoles = SYNC;
    type Settings = SyncSettings;

    fn start(kit: Kit, settings: &SyncSettings) -> Arc<Self> {
        Arc::new(Self {
            kit,
            settings: settings.clone(),
            refills: delivery::Refills::default(),
        })
    }

    fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
        planning::routes(cfg);
        assignments::routes(cfg);
        readback::routes(cfg);
    }

    fn data(self: &Arc<Self>, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::from(Arc::clone(self)));
    }

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        let mut consumers = planning::consumers(self);
        consumers.extend(delivery::consumers(self));
        consumers.extend(readback::consumers(self));
        consumers
    }

    fn schedules(self: &Arc<Self>) -> Vec<Schedule> {
        let mut schedules = planning::schedules(self);
        schedules.extend(delivery::schedules(self));
        schedules.extend(readback::schedules(self));
        schedules
    }

    fn tasks(self: &Arc<Self>) -> Vec<Task> {
        let mut tasks = planning::tasks(self);
        tasks.extend(delivery::tasks(self));
        tasks
    }

    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
