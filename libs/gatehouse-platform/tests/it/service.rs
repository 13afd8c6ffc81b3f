//! A service under supervision.

use crate::kit::{
    Effects, an_event, bus, cache_at, consumer, database, env, eventually, fresh_tenant,
    metrics_text, with_queue,
};
use futures_util::future::BoxFuture;
use gatehouse_platform::auth::{AuthSettings, Authenticator};
use gatehouse_platform::bus::{Bus, Consumer};
use gatehouse_platform::db::{Database, HUB, ServiceRoles, sql};
use gatehouse_platform::objects::{ObjectSettings, Objects};
use gatehouse_platform::outbox;
use gatehouse_platform::readiness::{Health, Readiness};
use gatehouse_platform::secrets::{SecretSettings, Secrets};
use gatehouse_platform::service::{Kit, Schedule, Service, Task};
use gatehouse_platform::supervise::Supervised;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_orm;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct NoSettings {}

/// A service with nothing of its own but what a test gives it.
pub(crate) struct Prober {
    consumers: Mutex<Vec<Consumer>>,
    fails_first: AtomicBool,
    runs: AtomicUsize,
    task_lives: AtomicBool,
}

impl Service for Prober {
    const ROLES: ServiceRoles = HUB;
    type Settings = NoSettings;

    fn start(_: Kit, _: &NoSettings) -> Arc<Self> {
        Arc::new(Self {
            consumers: Mutex::default(),
            fails_first: AtomicBool::new(false),
            runs: AtomicUsize::new(0),
            task_lives: AtomicBool::new(false),
        })
    }

    fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {}

    fn data(self: &Arc<Self>, _: &mut actix_web::web::ServiceConfig) {}

    fn consumers(self: &Arc<Self>) -> Vec<Consumer> {
        std::mem::take(&mut *self.consumers.lock().unwrap())
    }

    fn schedules(self: &Arc<Self>) -> Vec<Schedule> {
        let prober = self.clone();
        vec![Schedule::new(
            "test.schedule",
            Duration::from_millis(20),
            move || {
                let run = prober.runs.fetch_add(1, Ordering::SeqCst);
                let fails = prober.fails_first.load(Ordering::SeqCst);
                async move {
                    match run {
                        0 if fails => panic!("as the test wants it"),
                        1 if fails => Err("as the test wants it".to_owned()),
                        _ => Ok(()),
                    }
                }
            },
        )]
    }

    fn tasks(self: &Arc<Self>) -> Vec<Task> {
        let prober = self.clone();
        vec![Task::new(
            "test.task",
            move |stop: CancellationToken| async move {
                prober.task_lives.store(true, Ordering::SeqCst);
                stop.cancelled().await;
                prober.task_lives.store(false, Ordering::SeqCst);
            },
        )]
    }

    fn drain(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// A prober at work.
pub(crate) struct Probe {
    pub(crate) bus: Bus,
    pub(crate) prober: Arc<Prober>,
    kit: Kit,
    supervised: Supervised,
}

impl Probe {
    /// Starts one and waits until its queues stand, so that no event passes them by.
    pub(crate) async fn start_with(db: &Database, bus: &Bus, consumers: Vec<Consumer>) -> Self {
        metrics_text(); // recorded from here on
        let kit = kit(db, bus, env("GATEHOUSE_REDIS_URL"));
        let prober = Prober::start(kit.clone(), &NoSettings {});
        let queues: Vec<&str> = consumers.iter().map(|c| c.queue).collect();
        *prober.consumers.lock().unwrap() = consumers;
        let supervised = Supervised::start(&prober, &kit);
        for queue in queues {
            eventually("the queue is consumed", || consumed(queue)).await;
        }
        Self {
            bus: bus.clone(),
            prober,
            kit,
            supervised,
        }
    }

    pub(crate) async fn stop(self) {
        self.kit.cancel.cancel();
        self.supervised.finish().await;
    }
}

async fn consumed(queue: &str) -> bool {
    let connection = crate::kit::raw_connection().await;
    let channel = connection.create_channel().await.unwrap();
    let passive = lapin::options::QueueDeclareOptions::default().passive();
    let found = channel
        .queue_declare(queue.into(), passive, lapin::types::FieldTable::default())
        .await;
    found.is_ok_and(|queue| queue.consumer_count() == 1)
}

fn kit(db: &Database, bus: &Bus, redis_url: String) -> Kit {
    let keys = SecretSettings {
        master_key: "7".repeat(64),
        operator_key: None,
    };
    let secrets = Secrets::new(&keys).unwrap();
    let cache = cache_at(redis_url);
    let auth = AuthSettings {
        rate_limit_per_key: 100,
        rate_limit_per_tenant: 100,
    };
    Kit {
        db: db.clone(),
        bus: bus.clone(),
        cache: cache.clone(),
        objects: Objects::open(&ObjectSettings {
            endpoint: "http://127.0.0.1:1".to_owned(),
            region: "us-east-1".to_owned(),
            access_key: "none".to_owned(),
            secret_key: "none".to_owned(),
            bucket: "none".to_owned(),
        }),
        secrets: secrets.clone(),
        authenticator: Authenticator::new(db, cache, secrets, &keys, &auth),
        public_url: "http://127.0.0.1:8080".to_owned(),
        node: "test".to_owned(),
        cancel: CancellationToken::new(),
    }
}

#[tokio::test]
async fn a_panic_or_an_error_does_not_end_a_schedule() {
    let db = database().await;
    let kit = kit(&db, &bus(), env("GATEHOUSE_REDIS_URL"));
    let prober = Prober::start(kit.clone(), &NoSettings {});
    prober.fails_first.store(true, Ordering::SeqCst);
    let supervised = Supervised::start(&prober, &kit);
    eventually("five runs", || async {
        prober.runs.load(Ordering::SeqCst) >= 5
    })
    .await;
    supervised.finish().await;
}

#[tokio::test]
async fn the_outbox_and_dead_letters_are_measured() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        for wanted in [
            "gatehouse_outbox_rows{schema=\"hub\"} ".to_owned(),
            "gatehouse_outbox_oldest_seconds{schema=\"hub\"} ".to_owned(),
            format!("gatehouse_dead_letters{{queue=\"{queue}\"}} 0"),
        ] {
            eventually(&wanted, || async { metrics_text().contains(&wanted) }).await;
        }
        probe.stop().await;
    })
    .await;
}

#[tokio::test]
async fn tasks_outlive_work_and_the_outbox_is_flushed_at_the_end() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let bus = bus();
        let mut probe = Probe::start_with(&db, &bus, vec![consumer(queue, &effects)]).await;
        let prober = probe.prober.clone();
        eventually("the task lives", || async {
            prober.task_lives.load(Ordering::SeqCst)
        })
        .await;
        probe.kit.cancel.cancel();
        probe.supervised.stop_work().await;
        let runs = prober.runs.load(Ordering::SeqCst);
        assert!(prober.task_lives.load(Ordering::SeqCst));
        let tx = db.tenant(&scope).await.unwrap();
        let last = outbox::publish(&tx, HUB, an_event()).await.unwrap();
        tx.commit().await.unwrap();
        probe.supervised.finish().await;
        assert!(!prober.task_lives.load(Ordering::SeqCst));
        assert_eq!(
            prober.runs.load(Ordering::SeqCst),
            runs,
            "a run after the stop"
        );
        assert_eq!(effects.attempts(last), 0, "a message after the stop");
        // It waits in the queue for the next process.
        let next = Probe::start_with(&db, &bus, vec![consumer(queue, &effects)]).await;
        eventually("the effect", || async { effects.of(&db, last).await == 1 }).await;
        next.stop().await;
    })
    .await;
}

#[tokio::test]
async fn ledgers_forget_what_is_old_and_nothing_else() {
    let db = database().await;
    let scope = fresh_tenant(&db).await;
    let tx = db.tenant(&scope).await.unwrap();
    let tenant = tx.tenant_uuid();
    for (age, message) in [("8 days", 1), ("6 days", 2)] {
        tx.conn()
            .execute_raw(sql(
                &format!(
                    "insert into hub.consumed_messages (tenant_id, consumer, message_id, consumed_at) \
                     values ($1, 'test', $2, now() - interval '{age}')"
                ),
                [tenant.into(), uuid::Uuid::from_u128(message).into()],
            ))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let probe = Probe::start_with(&db, &bus(), vec![]).await;
    let left = async || {
        let tx = db.tenant(&scope).await.unwrap();
        let rows = tx
            .conn()
            .query_all_raw(sql(
                "select message_id from hub.consumed_messages order by 1",
                [],
            ))
            .await
            .unwrap();
        let ids = rows
            .iter()
            .map(|row| row.try_get_by_index::<uuid::Uuid>(0).unwrap());
        ids.map(|id| id.as_u128()).collect::<Vec<_>>()
    };
    eventually("the old row is gone", || async { left().await == [2] }).await;
    probe.stop().await;
}

#[tokio::test]
async fn readiness_names_what_is_away_and_what_came_back() {
    use crate::kit::{Proxy, target_of, through};
    let url = env("GATEHOUSE_REDIS_URL");
    let proxy = Proxy::to(target_of(&url)).await;
    proxy.cut();
    let kit = kit(&database().await, &bus(), through(&url, &proxy));
    let readiness = Readiness::of(&kit, &kit.cancel);
    let health = |name: &str| readiness.report().checks[name];
    eventually("all are judged", || async {
        health("postgres") == Health::Up
            && health("rabbitmq") == Health::Up
            && health("redis") == Health::Down
            && health("s3") == Health::Down
    })
    .await;
    assert!(!readiness.report().ready);
    proxy.mend();
    eventually("Redis is back", || async { health("redis") == Health::Up }).await;
    let json = serde_json::to_value(readiness.report()).unwrap();
    assert_eq!(json["checks"]["s3"], "down");
    kit.cancel.cancel();
}
