//! The process itself: killed between an upload and its acknowledgement, on either side of the commit;
//! killed with commands under way; asked to stop.

use super::traffic::{Traffic, closes};
use futures_util::FutureExt;
use gatehouse_simulator::{Answer, Event, Pass, Respond, Terminal, TerminalProfile};
use kit::process::Gatehouse;
use kit::until;
use kit::world::{Tenant, fresh_sn};
use serde_json::{Value, json};
use sqlx::{Executor, PgPool};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn reconnecting(tenant: &Tenant, sn: &str) -> TerminalProfile {
    TerminalProfile {
        resend_after: Duration::from_secs(60),
        reconnect: (Duration::from_millis(50), Duration::from_millis(300)),
        ..TerminalProfile::new(&tenant.terminal_url, sn)
    }
}

async fn stored(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from hub.records")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Holds up the commit of this tenant's records: a deferred trigger waits for a lock that this holds.
struct HeldCommit {
    pool: PgPool,
    name: String,
    lock: i64,
}

impl HeldCommit {
    async fn of(tenant: &Tenant) -> Self {
        let pool = tenant.rows().await;
        let id = tenant.uuid();
        let (name, lock) = (format!("held_{}", id.simple()), i64::from(id.as_fields().0));
        let sql = format!(
            "create function hub.{name}() returns trigger language plpgsql as \
               $$ begin perform pg_advisory_xact_lock({lock}); return null; end $$; \
             grant execute on function hub.{name}() to public; \
             create constraint trigger {name} after insert on hub.records deferrable initially deferred \
               for each row when (new.tenant_id = '{id}') execute function hub.{name}(); \
             select pg_advisory_lock({lock})"
        );
        pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        Self { pool, name, lock }
    }

    /// Waits until a commit is held up.
    async fn holds(&self) {
        until("a commit to be under way", SOON, || async {
            let sql = "select count(*) from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid and not granted";
            let waiting: i64 = sqlx::query_scalar(sql).bind(self.lock).fetch_one(&self.pool).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
    }

    async fn let_go(&self) {
        let unlock = format!("select pg_advisory_unlock({})", self.lock);
        self.pool
            .execute(sqlx::AssertSqlSafe(unlock))
            .await
            .unwrap();
    }

    async fn remove(self) {
        self.let_go().await;
        let sql = format!("drop function hub.{} cascade", self.name);
        self.pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_upload_and_acknowledgement_loses_and_doubles_nothing() {
    let _alone = kit::alone().await;
    let hub = Gatehouse::start("all", &[]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let pool = tenant.rows().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let terminal = Terminal::spawn_reconnecting(reconnecting(&tenant, &sn));
    terminal.wait_online(SOON).await.unwrap();
    assert!(
        terminal
            .pass(Pass::staff("1", "warm-up"))
            .await
            .unwrap()
            .is_accepted()
    );

    // Before the commit: the upload waits for a lock that somebody else holds.
    let locks = tenant.rows().await;
    let mut lock = locks.begin().await.unwrap();
    lock.execute("lock table hub.records in share row exclusive mode")
        .await
        .unwrap();
    let upload = tokio::spawn({
        let pass = Pass::staff("1", "before the commit");
        async move {
            let ack = terminal.pass_until_accepted(pass).await.unwrap();
            (terminal, ack)
        }
    });
    until("the upload to wait for the lock", SOON, || async {
        let waiting: i64 = sqlx::query_scalar("select count(*) from pg_locks where relation = 'hub.records'::regclass and not granted")
            .fetch_one(&pool)
            .await
            .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    hub.kill();
    drop(lock);
    hub.restart().await;
    let (terminal, ack) = tokio::time::timeout(SOON, upload).await.unwrap().unwrap();
    assert!(ack.is_accepted());
    assert_eq!(stored(&pool).await, 2);

    // After it: the database commits, and nobody is left to say so.
    let from = terminal.event_count();
    let held = HeldCommit::of(&tenant).await;
    let upload = tokio::spawn(async move {
        let pass = Pass::staff("1", "after the commit");
        let ack = terminal.pass_until_accepted(pass).await.unwrap();
        (terminal, ack)
    });
    let killed = AssertUnwindSafe(async {
        held.holds().await;
        assert_eq!(stored(&pool).await, 2);
        hub.kill();
        held.let_go().await;
        until("the commit to end", SOON, || async {
            (stored(&pool).await == 3).then_some(())
        })
        .await;
    })
    .catch_unwind()
    .await;
    // Whatever happened: others use this table, too.
    held.remove().await;
    killed.unwrap_or_else(|panic| resume_unwind(panic));
    hub.restart().await;
    let (terminal, ack) = tokio::time::timeout(SOON, upload).await.unwrap().unwrap();
    assert!(ack.is_accepted());
    let sent = terminal
        .events()
        .into_iter()
        .skip(from)
        .filter(|event| matches!(event, Event::RecordSent { .. }))
        .count();
    assert_eq!(
        sent, 2,
        "it was uploaded again, because nobody had acknowledged it"
    );
    assert_eq!(stored(&pool).await, 3);
    until("attendance to hear of all three", SOON, || async {
        let punches: i64 = sqlx::query_scalar("select count(*) from attendance.punches")
            .fetch_one(&pool)
            .await
            .unwrap();
        (punches == 3).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_traffic_lose_and_double_nothing_and_no_command_runs_twice() {
    let _alone = kit::alone().await;
    let hub = Gatehouse::start("all", &[]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let commands = format!("/v1/devices/{}/commands", device["id"].as_str().unwrap());
    let terminal = Terminal::spawn_reconnecting(reconnecting(&tenant, &sn));
    terminal.wait_online(SOON).await.unwrap();
    let traffic = Traffic::of(&tenant).await;
    traffic.flows().await;

    // One command is done by the terminal and not answered, one waits behind it.
    terminal.set_respond(Respond::normally().to("onlineOpen", Answer::Unanswered));
    let given = |kind: &'static str| {
        let (api, path) = (tenant.api.clone(), commands.clone());
        async move {
            let command = api.post(&path, json!({"type": kind})).await.expect(201);
            format!("{path}/{}", command["id"].as_str().unwrap())
        }
    };
    let under_way = given("open_door").await;
    terminal
        .wait_for(SOON, |event| matches!(event, Event::DoorOpened { .. }))
        .await
        .unwrap();
    let waiting = given("clear_records").await;
    for _ in 0..3 {
        hub.kill();
        hub.restart().await;
        traffic.flows().await;
    }
    terminal.wait_online(SOON).await.unwrap();
    let end_of = |path: String| {
        let api = tenant.api.clone();
        async move {
            until("the command to end", Duration::from_secs(60), || async {
                let command = api.get(&path).await.expect(200);
                command["finished_at"].is_string().then_some(command)
            })
            .await
        }
    };
    let done = end_of(waiting).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    let lost: Value = end_of(under_way).await;
    assert_eq!(
        lost["state"], "timed_out",
        "nobody knows whether it was done: {lost}"
    );
    assert!(
        matches!(
            lost["error"]["code"].as_str(),
            Some("no_answer" | "connection_lost")
        ),
        "{lost}"
    );
    assert_eq!(
        terminal.door_openings(),
        1,
        "it was not given a second time"
    );
    let cleared = terminal
        .events()
        .iter()
        .filter(|event| matches!(event, Event::RecordsCleared))
        .count();
    assert_eq!(cleared, 1);
    traffic.reckon().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_says_goodbye_and_owes_nothing() {
    let _world = kit::shared().await;
    let hub = Gatehouse::start("all", &[]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let traffic = Traffic::of(&tenant).await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(tenant.terminal(&fresh_sn()).await.1);
    }
    let unregistered = kit::RawSocket::open(&tenant.terminal_url).await.unwrap();
    traffic.flows().await;
    let status = hub.terminate().await;
    assert_eq!(status.code(), Some(0), "{status:?}");
    for terminal in &idle {
        let closed = |event: &Event| matches!(event, Event::Closed { .. });
        terminal.wait_for(SOON, closed).await.unwrap();
        assert_eq!(closes(terminal), vec![(Some(1012), "restart".to_owned())]);
    }
    let mut unregistered = unregistered;
    assert_eq!(unregistered.closed().await, 1012);
    hub.restart().await;
    traffic.flows().await;
    let terminals = traffic.reckon().await;
    for terminal in &terminals {
        assert_eq!(closes(terminal), vec![(Some(1012), "restart".to_owned())]);
    }
}
