//! The service as a value: what it serves, reads and does again and again.

use crate::accounts::{self, Passwords, Throttle};
use crate::settings::DirectorySettings;
use crate::{
    access_changes, audit, authorities, departments, devices, doors, erasures, groups, jobs, keys,
    persons, photos, schedules, tenants, terminal_bindings, terminal_tokens, visits,
};
use actix_web::web;
use futures_util::future::BoxFuture;
use gatehouse_contracts::{AuditRecorded, ErasureProgressed, Event};
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::db::{DIRECTORY, ServiceRoles};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use std::sync::Arc;
use std::time::Duration;

/// The directory of tenants, accounts and devices.
#[derive(Debug)]
pub struct Directory {
    pub(crate) kit: Kit,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) examiner: photos::Examiner,
}

impl Service for Directory {
    const ROLES: ServiceRoles = DIRECTORY;
    type Settings = DirectorySettings;

    fn start(kit: Kit, settings: &DirectorySettings) -> Arc<Self> {
        Arc::new(Self {
            kit,
            passwords: Passwords::new(),
            throttle: Throttle::new(),
            examiner: photos::Examiner::new(settings.face_models.clone()),
        })
    }

    fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
        tenants::routes(cfg);
        terminal_bindings::routes(cfg);
        accounts::routes(cfg);
        keys::routes(cfg);
        terminal_tokens::routes(cfg);
        devices::routes(cfg);
        persons::routes(cfg);
        photos::routes(cfg);
        groups::routes(cfg);
        departments::routes(cfg);
        visits::routes(cfg);
        schedules::routes(cfg);
        doors::routes(cfg);
        authorities::routes(cfg);
        jobs::routes(cfg);
        erasures::routes(cfg);
        audit::routes(cfg);
    }

    fn data(self: &Arc<Self>, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::from(Arc::clone(self)));
    }

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        vec![
            Consumer {
                queue: "directory.audit",
                kinds: &[AuditRecorded::KIND],
                handler: Arc::new(audit::KeepTrail),
            },
            Consumer {
                queue: "directory.erasures",
                kinds: &[ErasureProgressed::KIND],
                handler: Arc::new(erasures::Progress),
            },
        ]
    }

    fn schedules(self: &Arc<Self>) -> Vec<Schedule> {
        let (tokens, changes) = (self.kit.db.clone(), self.kit.db.clone());
        vec![
            Schedule::new(
                "directory.refresh_tokens.forget",
                Duration::from_secs(3600),
                move || {
                    let db = tokens.clone();
                    async move {
                        accounts::forget_ended_tokens(&db)
                            .await
                            .map_err(|e| e.to_string())
                    }
                },
            ),
            Schedule::new(
                "directory.access_changes.forget",
                Duration::from_secs(3600),
                move || {
                    let db = changes.clone();
                    async move { access_changes::forget(&db).await.map_err(|e| e.to_string()) }
                },
            ),
            erasures::schedule(self),
            erasures::job_files_schedule(self),
            visits::schedule(self),
            photos::schedule(self),
            jobs::schedule(self),
        ]
    }

    fn tasks(self: &Arc<Self>) -> Vec<Task> {
        vec![jobs::task(self)]
    }

    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
