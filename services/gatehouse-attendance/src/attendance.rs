//! The service as a value: what it serves, reads and does again and again.

use crate::punches;
use actix_web::web;
use futures_util::future::BoxFuture;
use gatehouse_contracts::{Event, PersonErased, RecordsStored};
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::db::{ATTENDANCE, ServiceRoles};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use std::sync::Arc;

/// Attendance.
#[derive(Debug)]
pub struct Attendance;

impl Service for Attendance {
    const ROLES: ServiceRoles = ATTENDANCE;
    type Settings = ();

    fn start(_: Kit, (): &()) -> Arc<Self> {
        Arc::new(Self)
    }

    fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}

    fn data(self: &Arc<Self>, _: &mut web::ServiceConfig) {}

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        vec![
            Consumer {
                queue: "attendance.records",
                kinds: &[RecordsStored::KIND],
                handler: Arc::new(punches::KeepPunches),
            },
            Consumer {
                queue: "attendance.erasures",
                kinds: &[PersonErased::KIND],
                handler: Arc::new(punches::ErasePunches),
            },
        ]
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
