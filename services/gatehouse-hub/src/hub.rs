//! The hub as one service: what it is made of, and its table of contents for the machine room.

use crate::commands::{self, wait::Waiters};
use crate::deliveries::album::Album;
use crate::deliveries::report::Reports;
use crate::records::ingest::Ingest;
use crate::sessions::{self, Admissions, Gate, Notes, Registry, Unknowns};
use crate::settings::HubSettings;
use crate::{alarms, discovered, firmware, media, parameters, push, records, terminals};
use actix_web::web;
use futures_util::future::BoxFuture;
use gatehouse_platform::bus::Consumer;
use gatehouse_platform::db::{HUB, ServiceRoles};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use std::sync::Arc;
use utoipa_actix_web::service_config::ServiceConfig;

/// The hub.
#[derive(Debug)]
pub struct Hub {
    pub(crate) kit: Kit,
    pub(crate) settings: HubSettings,
    /// The sockets of this process.
    pub(crate) registry: Registry,
    /// Who may come in, and how much of it.
    pub(crate) gate: Gate,
    /// The way into the hub for terminals that register.
    pub(crate) admissions: Admissions,
    /// The way into the table of records.
    pub(crate) ingest: Ingest,
    /// What is to be written down about sessions.
    pub(crate) notes: Notes,
    /// Messages of unknown types on their way into their table.
    pub(crate) unknowns: Unknowns,
    /// Photos on their way to terminals.
    pub(crate) album: Album,
    /// What devices answered, on its way to sync.
    pub(crate) reports: Reports,
    /// Push devices that called a moment ago.
    pub(crate) callers: push::Callers,
    /// Links to pictures for push devices.
    pub(crate) push_links: push::Links,
    /// Requests that wait for the end of a command.
    pub(crate) waiters: Arc<Waiters>,
}

impl Service for Hub {
    const ROLES: ServiceRoles = HUB;
    type Settings = HubSettings;

    fn start(kit: Kit, settings: &HubSettings) -> Arc<Self> {
        Arc::new(Self {
            callers: push::Callers::default(),
            push_links: push::Links::new(&kit.secrets, settings, &kit.public_url),
            kit,
            settings: settings.clone(),
            registry: Registry::default(),
            gate: Gate::new(settings),
            admissions: Admissions::new(),
            ingest: Ingest::new(),
            notes: Notes::default(),
            unknowns: Unknowns::default(),
            album: Album::new(settings.photo_cache_bytes),
            reports: Reports::new(),
            waiters: Arc::default(),
        })
    }

    fn routes(cfg: &mut ServiceConfig<'_>) {
        records::routes(cfg);
        commands::routes(cfg);
        parameters::routes(cfg);
        firmware::routes(cfg);
        media::routes(cfg);
        discovered::routes(cfg);
        terminals::routes(cfg);
        alarms::routes(cfg);
    }

    fn data(self: &Arc<Self>, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::from(self.clone()));
        push::data(cfg);
        sessions::sockets(cfg);
    }

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        vec![
            discovered::device_consumer(self),
            sessions::token_consumer(self),
            records::erasure_consumer(self),
            commands::wanted::consumer(self),
        ]
    }

    fn schedules(self: &Arc<Self>) -> Vec<Schedule> {
        let mut schedules = vec![
            commands::reconcile::schedule(self),
            commands::forget::schedule(self),
            sessions::queued_commands(self),
            sessions::check_sessions(self),
            sessions::close_abandoned(self),
            sessions::write_unknown_messages(self),
            sessions::forget_unknown_messages(self),
        ];
        schedules.extend(push::schedules(self));
        schedules
    }

    fn tasks(self: &Arc<Self>) -> Vec<Task> {
        let hub = self.clone();
        let ingest = Task::new("hub.ingest", move |cancel| async move {
            hub.ingest.run(hub.kit.db.clone(), cancel).await;
        });
        let hub = self.clone();
        let reports = Task::new("hub.reports", move |cancel| async move {
            hub.reports.run(hub.kit.db.clone(), cancel).await;
        });
        let mut tasks = vec![ingest, reports, commands::wait::task(self)];
        tasks.extend(sessions::tasks(self));
        tasks.extend(push::tasks(self));
        tasks
    }

    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        let hub = self.clone();
        Box::pin(async move { sessions::drain(&hub).await })
    }
}
