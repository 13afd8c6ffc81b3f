//! What a service is: a value of one trait, so that its `lib.rs` is its table of contents, a process
//! that runs all of them is a loop, and the OpenAPI document is made without any I/O.

use crate::auth::Authenticator;
use crate::bus::{Bus, Consumer};
use crate::cache::Cache;
use crate::db::{Database, ServiceRoles};
use crate::objects::Objects;
use crate::secrets::Secrets;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a service works with. Cloning is cheap.
#[derive(Clone)]
pub struct Kit {
    /// The database, with this service's roles.
    pub db: Database,
    /// The message broker.
    pub bus: Bus,
    /// Redis.
    pub cache: Cache,
    /// The object store.
    pub objects: Objects,
    /// Sealing, tokens, signed links.
    pub secrets: Secrets,
    /// Verifies credentials.
    pub authenticator: Authenticator,
    /// The address under which clients and terminals reach the platform, without a slash at the end.
    pub public_url: String,
    /// This process, drawn at random at its start.
    pub node: String,
    /// Cancelled when the process begins to stop.
    pub cancel: CancellationToken,
}

impl Kit {
    /// The same kit with the roles of another service, for a process that runs several.
    #[must_use]
    pub fn for_service(&self, roles: ServiceRoles) -> Self {
        let mut kit = self.clone();
        kit.db = self.db.for_service(roles);
        kit
    }
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kit")
            .field("node", &self.node)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// Work that is done again and again. A run may be repeated, and may happen in another process at
/// the same time.
#[derive(Clone)]
pub struct Schedule {
    /// Its name in logs and metrics, for example `hub.commands.expire`.
    pub name: &'static str,
    /// The time between the end of a run and the beginning of the next; it varies by a tenth.
    pub every: Duration,
    /// One run. What it answers as an error is logged with the name, and the next run comes all the same.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Schedule {
    /// A schedule whose run is an async closure or function.
    pub fn new<F, R>(name: &'static str, every: Duration, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            every,
            run: Arc::new(move || Box::pin(run())),
        }
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule")
            .field("name", &self.name)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// Work that lives as long as the process. It is never restarted and ends when its token is
/// cancelled, which happens after HTTP and sockets have ended: they may still need it.
pub struct Task {
    /// Its name in logs.
    pub name: &'static str,
    /// The work.
    pub run: Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>,
}

impl Task {
    /// A task from an async closure or function.
    pub fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: FnOnce(CancellationToken) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self {
            name,
            run: Box::new(move |cancel| Box::pin(run(cancel))),
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One of the platform's services.
pub trait Service: Send + Sync + Sized + 'static {
    /// Its roles in the database; the schema's name is also the service's.
    const ROLES: ServiceRoles;
    /// Settings that only this service has.
    type Settings: clap::Args + Clone;

    /// Makes the service. No I/O: what runs in the background comes from `schedules` and `tasks`.
    fn start(kit: Kit, settings: &Self::Settings) -> Arc<Self>;

    /// Everything that stands in the OpenAPI document.
    fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>);

    /// The service itself as application data, and routes outside the document.
    fn data(self: &Arc<Self>, cfg: &mut actix_web::web::ServiceConfig);

    /// Who reads which events.
    fn consumers(self: &Arc<Self>) -> Vec<Consumer>;

    /// What is done again and again.
    fn schedules(self: &Arc<Self>) -> Vec<Schedule>;

    /// What lives as long as the process.
    fn tasks(self: &Arc<Self>) -> Vec<Task>;

    /// Called on stop, before HTTP stops: long connections are closed by us.
    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()>;
}
