//! The broker or the database goes away in the middle: nothing is lost, nothing takes effect twice.

use crate::kit::{
    Effects, Proxy, Verdict, bus, bus_at, consumer, database, database_at, ended, env, eventually,
    fresh_tenant, publish, target_of, through, with_queue,
};
use crate::service::Probe;
use gatehouse_domain::MessageId;
use gatehouse_platform::db::Database;
use gatehouse_platform::tenant::TenantScope;
use std::collections::HashMap;
use std::time::Duration;

async fn publish_many(db: &Database, scope: &TenantScope, count: usize) -> Vec<MessageId> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        ids.push(publish(db, scope).await);
    }
    ids
}

/// Waits for one effect of each and checks that none has two.
async fn each_once(db: &Database, effects: &Effects, ids: &[MessageId]) {
    eventually("an effect of each", || async {
        effects.count(db).await.len() >= ids.len()
    })
    .await;
    let expected: HashMap<String, usize> = ids.iter().map(|id| (id.to_string(), 1)).collect();
    assert_eq!(effects.count(db).await, expected);
}

#[tokio::test]
async fn connections_to_the_broker_break_again_and_again() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let url = env("GATEHOUSE_AMQP_URL");
        let proxy = Proxy::to(target_of(&url)).await;
        let bus = bus_at(through(&url, &proxy));
        let effects = Effects::new(&scope, vec![]);
        let probe = Probe::start_with(&db, &bus, vec![consumer(queue, &effects)]).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.extend(publish_many(&db, &scope, 40).await);
            proxy.cut();
            ids.extend(publish_many(&db, &scope, 5).await);
            proxy.mend();
            let last = ids[ids.len() - 1];
            eventually("the last", || async { effects.of(&db, last).await == 1 }).await;
        }
        each_once(&db, &effects, &ids).await;
        probe.stop().await;
        each_once(&db, &effects, &ids).await;
    })
    .await;
}

#[tokio::test]
async fn the_broker_restarts() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![]);
        let probe = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let mut ids = publish_many(&db, &scope, 100).await;
        let restarted = tokio::spawn(restart_broker());
        while !restarted.is_finished() {
            ids.push(publish(&db, &scope).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        restarted.await.unwrap();
        ids.extend(publish_many(&db, &scope, 20).await);
        each_once(&db, &effects, &ids).await;
        probe.stop().await;
        each_once(&db, &effects, &ids).await;
    })
    .await;
}

#[tokio::test]
async fn a_process_is_killed_in_the_middle_of_a_message() {
    with_queue(async |queue| {
        let db = database().await;
        let scope = fresh_tenant(&db).await;
        let effects = Effects::new(&scope, vec![Verdict::Hang]);
        let killed = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        let event = publish(&db, &scope).await;
        eventually("the first attempt", || async {
            effects.attempts(event) == 1
        })
        .await;
        drop(killed);
        let next = Probe::start_with(&db, &bus(), vec![consumer(queue, &effects)]).await;
        each_once(&db, &effects, &[event]).await;
        next.stop().await;
        assert_eq!(effects.attempts(event), 2);
    })
    .await;
}

/// Restarts the private broker. One that is not ours to restart loses all its connections instead.
async fn restart_broker() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = match std::env::var("GATEHOUSE_LOCAL_RUN_DIR") {
        Ok(run_dir) => {
            let mut command = tokio::process::Command::new("deploy/local/services.sh");
            command
                .args(["restart", "rabbitmq"])
                .env("RUN_DIR", run_dir);
            command
        }
        Err(_) => {
            let mut command = tokio::process::Command::new("rabbitmqctl");
            command.args(["close_all_connections", "test"]);
            command
        }
    };
    let done = command.current_dir(root).output().await.unwrap();
    assert!(
        done.status.success(),
        "the broker was not restarted: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test]
async fn the_database_goes_away_under_a_consumer() {
    with_queue(async |queue| {
        let near = database().await;
        let scope = fresh_tenant(&near).await;
        let url = env("GATEHOUSE_DATABASE_URL");
        let proxy = Proxy::to(target_of(&url)).await;
        let far = database_at(through(&url, &proxy)).await;
        let effects = Effects::new(&scope, vec![]);
        // The consumer's database can be cut; another process carries the outbox.
        let bus = bus();
        let reader = Probe::start_with(&far, &bus, vec![consumer(queue, &effects)]).await;
        let writer = Probe::start_with(&near, &bus, vec![]).await;
        let first = publish(&near, &scope).await;
        eventually("the first", || async {
            effects.of(&near, first).await == 1
        })
        .await;

        proxy.cut();
        let mut ids = publish_many(&near, &scope, 30).await;
        eventually("the consumer is held", || async {
            far.ping().await.is_err()
        })
        .await;
        ids.extend(publish_many(&near, &scope, 10).await);
        proxy.mend();
        ids.push(first);
        each_once(&near, &effects, &ids).await;
        // Held and not sent through the retry queues, where minutes would pass.
        assert_eq!(ended(queue, "retried"), 0);
        assert_eq!(reader.bus.dead_letters(queue).await.unwrap(), 0);
        reader.stop().await;
        writer.stop().await;
    })
    .await;
}
