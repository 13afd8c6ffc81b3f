//! Running one role, or all of them: settings, stores, services, the web server, and an orderly
//! stop.

use crate::openapi;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use gatehouse_attendance::Attendance;
use gatehouse_directory::Directory;
use gatehouse_hub::Hub;
use gatehouse_platform::auth::{AuthSettings, Authenticator};
use gatehouse_platform::bus::{Bus, BusSettings};
use gatehouse_platform::cache::{Cache, CacheSettings};
use gatehouse_platform::db::{Database, DatabaseSettings, ServiceRoles};
use gatehouse_platform::http::{self, Answer, HttpSettings, Problem, ProblemCode};
use gatehouse_platform::objects::{ObjectSettings, Objects};
use gatehouse_platform::readiness::Readiness;
use gatehouse_platform::secrets::{SecretSettings, Secrets};
use gatehouse_platform::service::{Kit, Service};
use gatehouse_platform::supervise::Supervised;
use gatehouse_platform::telemetry::{self, Metrics, TelemetrySettings};
use gatehouse_sync::Sync;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::service_config::ServiceConfig;

/// Where the stores are and how they are entered.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StoreSettings {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    bus: BusSettings,
    #[command(flatten)]
    cache: CacheSettings,
    #[command(flatten)]
    objects: ObjectSettings,
    #[command(flatten)]
    secrets: SecretSettings,
    #[command(flatten)]
    auth: AuthSettings,
}

impl StoreSettings {
    /// Opens everything without connecting.
    pub(crate) fn kit(&self, http: &HttpSettings, roles: ServiceRoles) -> anyhow::Result<Kit> {
        let db = Database::open(&self.database, roles)
            .context("GATEHOUSE_DATABASE_URL cannot be read")?;
        let cache = Cache::open(&self.cache);
        let secrets = Secrets::new(&self.secrets)?;
        let authenticator = Authenticator::new(
            &db,
            cache.clone(),
            secrets.clone(),
            &self.secrets,
            &self.auth,
        );
        Ok(Kit {
            db,
            bus: Bus::open(&self.bus),
            cache,
            objects: Objects::open(&self.objects),
            secrets,
            authenticator,
            public_url: http.public_url(),
            node: gatehouse_platform::secrets::new_token(),
            cancel: CancellationToken::new(),
        })
    }
}

/// Settings of a process that runs one role or all.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RoleSettings {
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    telemetry: TelemetrySettings,
    #[command(flatten)]
    stores: StoreSettings,
}

/// Settings of a process that runs one service with settings of its own.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServiceSettings<T: clap::Args> {
    #[command(flatten)]
    role: RoleSettings,
    #[command(flatten)]
    service: T,
}

/// Settings of a process that runs every service.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AllSettings {
    #[command(flatten)]
    role: RoleSettings,
    #[command(flatten)]
    hub: <Hub as Service>::Settings,
    #[command(flatten)]
    directory: <Directory as Service>::Settings,
    #[command(flatten)]
    sync: <Sync as Service>::Settings,
}

/// Settings of the hub's process.
pub(crate) type HubRole = ServiceSettings<<Hub as Service>::Settings>;
/// Settings of the directory's process.
pub(crate) type DirectoryRole = ServiceSettings<<Directory as Service>::Settings>;
/// Settings of sync's process.
pub(crate) type SyncRole = ServiceSettings<<Sync as Service>::Settings>;

/// A service's routes, as they stand in the document.
type Routes = fn(&mut ServiceConfig<'_>);
/// A service's own data and routes, put into each worker's application.
type Data = Arc<dyn Fn(&mut web::ServiceConfig) + Send + std::marker::Sync>;

/// One role at work. An enum of four would repeat every line four times, so the type is erased here
/// and nowhere else.
struct Running {
    routes: Routes,
    data: Data,
    drain: Box<dyn Fn() -> futures_util::future::BoxFuture<'static, ()>>,
    supervised: Supervised,
}

fn start<S: Service>(kit: &Kit, settings: &S::Settings) -> Running {
    let kit = kit.for_service(S::ROLES);
    let service = S::start(kit.clone(), settings);
    let supervised = Supervised::start(&service, &kit);
    let (for_data, for_drain) = (service.clone(), service);
    Running {
        routes: S::routes,
        data: Arc::new(move |config| for_data.data(config)),
        drain: Box::new(move || for_drain.drain()),
        supervised,
    }
}

/// What every worker thread's application is made of.
#[derive(Clone)]
struct Wiring {
    routes: Vec<Routes>,
    data: Vec<Data>,
    http: HttpSettings,
    authenticator: Authenticator,
    readiness: Readiness,
    metrics: Metrics,
    document: utoipa::openapi::OpenApi,
}

impl Wiring {
    fn configure(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(web::Data::new(self.authenticator.clone()))
            .app_data(web::Data::new(self.http.clone()))
            .app_data(web::Data::new(self.readiness.clone()))
            .app_data(web::Data::new(self.metrics.clone()))
            .configure(http::configure_extractors)
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics))
            .service(
                utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
                    .url("/openapi.json", self.document.clone()),
            )
            .route("/docs", web::get().to(to_docs))
            .default_service(web::to(no_such_operation));
        let mut described = ServiceConfig::new(config);
        for routes in &self.routes {
            routes(&mut described);
        }
        for data in &self.data {
            data(config);
        }
    }
}

async fn healthz() -> &'static str {
    "ok"
}

async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let report = readiness.report();
    if report.ready {
        HttpResponse::Ok().json(report)
    } else {
        HttpResponse::ServiceUnavailable().json(report)
    }
}

async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(metrics.render())
}

async fn to_docs() -> HttpResponse {
    HttpResponse::Found()
        .insert_header(("Location", "/docs/"))
        .finish()
}

async fn no_such_operation() -> Answer<HttpResponse> {
    Err(Problem::new(
        ProblemCode::NoSuchOperation,
        "There is no such path, or not with this method; see /docs/.",
    ))
}

/// Runs every role in this process.
pub(crate) fn run_all(settings: AllSettings) -> anyhow::Result<()> {
    let AllSettings {
        role,
        hub,
        directory,
        sync,
    } = settings;
    run(role, move |kit| {
        vec![
            start::<Directory>(kit, &directory),
            start::<Attendance>(kit, &()),
            start::<Sync>(kit, &sync),
            // Last: its default service takes over whatever no route has claimed.
            start::<Hub>(kit, &hub),
        ]
    })
}

/// Runs one service that has settings of its own.
pub(crate) fn run_service<S: Service>(
    settings: ServiceSettings<S::Settings>,
) -> anyhow::Result<()> {
    let ServiceSettings { role, service } = settings;
    run(role, move |kit| vec![start::<S>(kit, &service)])
}

/// Runs attendance, which has no settings of its own.
pub(crate) fn run_attendance(settings: RoleSettings) -> anyhow::Result<()> {
    run(settings, |kit| vec![start::<Attendance>(kit, &())])
}

/// Runs what `start` makes until the process is asked to stop.
fn run(settings: RoleSettings, start: impl FnOnce(&Kit) -> Vec<Running>) -> anyhow::Result<()> {
    telemetry::start_logs(&settings.telemetry)?;
    let metrics = telemetry::start_metrics()?;
    actix_web::rt::System::with_tokio_rt(|| {
        #[expect(
            clippy::expect_used,
            reason = "without a runtime there is nothing to run"
        )]
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a tokio runtime starts")
    })
    .block_on(serve(settings, metrics, start))
}

async fn serve(
    settings: RoleSettings,
    metrics: Metrics,
    start: impl FnOnce(&Kit) -> Vec<Running>,
) -> anyhow::Result<()> {
    let kit = settings
        .stores
        .kit(&settings.http, gatehouse_platform::db::DIRECTORY)?;
    let readiness = Readiness::of(&kit, &kit.cancel);
    let running = start(&kit);
    let wiring = Wiring {
        routes: running.iter().map(|r| r.routes).collect(),
        data: running.iter().map(|r| r.data.clone()).collect(),
        http: settings.http.clone(),
        authenticator: kit.authenticator.clone(),
        readiness: readiness.clone(),
        metrics,
        document: openapi::document(),
    };
    let server = bind(&settings.http, wiring)?;
    tracing::info!(listen = %settings.http.listen, "listening");
    let handle = server.handle();
    let mut serving = actix_web::rt::spawn(server);
    tokio::select! {
        () = crate::cli::asked_to_stop() => {}
        ended = &mut serving => return ended?.context("the web server ended by itself"),
    }
    stop(&kit, &readiness, running, &handle).await;
    serving.await?.context("the web server did not end well")
}

fn bind(http: &HttpSettings, wiring: Wiring) -> anyhow::Result<actix_web::dev::Server> {
    let mut server = HttpServer::new(move || {
        let wiring = wiring.clone();
        App::new()
            .wrap(from_fn(http::observe))
            .configure(move |config| wiring.configure(config))
    })
    .backlog(8192)
    .max_connections(50_000)
    .max_connection_rate(4096)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(10)
    .disable_signals();
    if let Some(workers) = http.workers {
        server = server.workers(workers.max(1));
    }
    let server = server.bind(http.listen).with_context(|| {
        format!(
            "cannot listen on {}; is something else there? GATEHOUSE_LISTEN moves the port",
            http.listen
        )
    })?;
    Ok(server.run())
}

/// Ready off; consumers finish what is in flight; long connections are closed by us; HTTP stops;
/// the outbox is flushed.
async fn stop(kit: &Kit, readiness: &Readiness, mut running: Vec<Running>, handle: &ServerHandle) {
    tracing::info!("stopping");
    readiness.stop();
    kit.cancel.cancel();
    for role in &mut running {
        role.supervised.stop_work().await;
    }
    for role in &running {
        (role.drain)().await;
    }
    handle.stop(true).await;
    for role in running {
        role.supervised.finish().await;
    }
    tracing::info!("stopped");
}
