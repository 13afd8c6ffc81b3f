//! What the tests share: stores, queues that are gone afterwards, a handler that leaves a row per
//! effect, and a proxy that can be cut.

mod effects;
mod proxy;

pub(crate) use effects::{Effects, Verdict};
pub(crate) use proxy::Proxy;

use gatehouse_contracts::{DeviceChange, DeviceChanged};
use gatehouse_domain::{DeviceId, MessageId, TenantId};
use gatehouse_platform::bus::{Bus, BusSettings, Consumer};
use gatehouse_platform::cache::{Cache, CacheSettings};
use gatehouse_platform::db::{Database, DatabaseSettings, HUB};
use gatehouse_platform::outbox;
use gatehouse_platform::telemetry::{
    LogFormat, Metrics, TelemetrySettings, start_logs, start_metrics,
};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm_migration::{MigratorTrait, sea_orm};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longer than anything takes, a restart of the broker on a busy machine included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

pub(crate) fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run \"make services\" first, then `. .run/env`")
    })
}

/// The database, migrated, as the hub.
pub(crate) async fn database() -> Database {
    database_at(env("GATEHOUSE_DATABASE_URL")).await
}

pub(crate) async fn database_at(url: String) -> Database {
    static MIGRATED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MIGRATED.get_or_init(migrate).await;
    let settings = DatabaseSettings {
        url,
        connections: 16,
    };
    Database::open(&settings, HUB).unwrap()
}

/// One process at a time: other test binaries may have the same in mind.
async fn migrate() {
    use sea_orm::{ConnectionTrait, TransactionTrait};
    const LOCK: i64 = 0x6761_7465; // "gate"
    let mut options = sea_orm::ConnectOptions::new(env("GATEHOUSE_DATABASE_OWNER_URL"));
    options.max_connections(2);
    let db = sea_orm::Database::connect(options)
        .await
        .expect("Postgres does not answer: run \"make services\" first");
    let lock = db.begin().await.unwrap();
    lock.execute_unprepared(&format!("select pg_advisory_xact_lock({LOCK})"))
        .await
        .unwrap();
    gatehouse_schema::Migrator::up(&db, None).await.unwrap();
    gatehouse_schema::admit_login_role(&db, "gatehouse_app")
        .await
        .unwrap();
    lock.rollback().await.unwrap();
}

pub(crate) fn bus() -> Bus {
    bus_at(env("GATEHOUSE_AMQP_URL"))
}

pub(crate) fn bus_at(amqp_url: String) -> Bus {
    Bus::open(&BusSettings {
        amqp_url,
        prefetch: 64,
        concurrency: 8,
    })
}

pub(crate) fn cache_at(redis_url: String) -> Cache {
    Cache::open(&CacheSettings { redis_url })
}

/// The same address with the port of a proxy.
pub(crate) fn through(url: &str, proxy: &Proxy) -> String {
    let target = target_of(url);
    url.replacen(&target, &format!("127.0.0.1:{}", proxy.port()), 1)
}

/// `host:port` of an address.
pub(crate) fn target_of(url: &str) -> String {
    let rest = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap().to_owned()
}

/// A tenant that no other test knows.
pub(crate) async fn fresh_tenant(db: &Database) -> TenantScope {
    let tx = db.system().await.unwrap();
    tx.scope(TenantId::from_uuid(Uuid::now_v7()), Actor::System)
}

pub(crate) fn an_event() -> DeviceChanged {
    DeviceChanged {
        device_id: DeviceId::from_uuid(Uuid::now_v7()),
        sn: "168380000106".to_owned(),
        change: DeviceChange::Created,
    }
}

/// Writes one event into the hub's outbox.
pub(crate) async fn publish(db: &Database, scope: &TenantScope) -> MessageId {
    let tx = db.tenant(scope).await.unwrap();
    let id = outbox::publish(&tx, HUB, an_event()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Waits until the condition holds.
pub(crate) async fn eventually<F>(what: &str, mut holds: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < DEADLINE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many messages of this queue ended so, by the metrics of this process.
pub(crate) fn ended(queue: &str, outcome: &str) -> u64 {
    let wanted =
        format!("gatehouse_consumer_messages_total{{queue=\"{queue}\",outcome=\"{outcome}\"}} ");
    let text = metrics_text();
    let found = text.lines().find_map(|line| line.strip_prefix(&wanted));
    found.map_or(0, |count| count.parse().unwrap())
}

pub(crate) fn metrics_text() -> String {
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
        // For whoever looks for the reason of a failure.
        if let Ok(log) = std::env::var("GATEHOUSE_LOG") {
            let log_format = LogFormat::Text;
            start_logs(&TelemetrySettings { log, log_format }).unwrap();
        }
        start_metrics().unwrap()
    });
    METRICS.render()
}

/// A queue name that no other test uses. Its queues are deleted by [`with_queue`].
fn queue_name() -> &'static str {
    Box::leak(format!("test.{}", Uuid::now_v7().simple()).into_boxed_str())
}

/// Runs a test with a queue of its own and deletes that queue afterwards, whatever happened.
pub(crate) async fn with_queue<F>(test: impl FnOnce(&'static str) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let queue = queue_name();
    let outcome = tokio::spawn(test(queue)).await;
    let connection = raw_connection().await;
    let channel = connection.create_channel().await.unwrap();
    for suffix in [
        "",
        ".dead",
        ".retry.1s",
        ".retry.5s",
        ".retry.30s",
        ".retry.300s",
    ] {
        let name = format!("{queue}{suffix}");
        channel
            .queue_delete(
                name.as_str().into(),
                lapin::options::QueueDeleteOptions::default(),
            )
            .await
            .unwrap();
    }
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// A connection beside the bus, for looking and for putting things in the way.
pub(crate) async fn raw_connection() -> lapin::Connection {
    let began = Instant::now();
    loop {
        let url = env("GATEHOUSE_AMQP_URL");
        match lapin::Connection::connect(&url, lapin::ConnectionProperties::default()).await {
            Ok(connection) => return connection,
            Err(error) if began.elapsed() > DEADLINE => {
                panic!("RabbitMQ does not answer: run \"make services\" first ({error})")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

pub(crate) const DEVICE_CHANGED: &[&str] = &[<DeviceChanged as gatehouse_contracts::Event>::KIND];

pub(crate) fn consumer(queue: &'static str, effects: &Arc<Effects>) -> Consumer {
    Consumer {
        queue,
        kinds: DEVICE_CHANGED,
        handler: effects.clone(),
    }
}
