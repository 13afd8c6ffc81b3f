//! Postgres, RabbitMQ, Redis and S3, each stopped and started while people pass.

use super::Away;
use super::traffic::{Traffic, closes};
use crate::terminal_day::SOON;
use gatehouse_simulator::{Terminal, TerminalProfile};
use kit::process::Gatehouse;
use kit::until;
use kit::world::{Tenant, fresh_sn};
use serde_json::{Value, json};
use std::time::Duration;

/// A readiness check asks every two seconds, with two seconds of patience.
const TOLD: Duration = Duration::from_secs(15);

/// Waits until `/readyz` says this of a store; and that nothing else is wrong with the process.
async fn told(hub: &Gatehouse, store: &str, health: &str) {
    let http = kit::api::client();
    until(
        &format!("/readyz to say that {store} is {health}"),
        TOLD,
        || async {
            assert_eq!(
                http.get(format!("{}/healthz", hub.base_url))
                    .send()
                    .await
                    .unwrap()
                    .status(),
                200
            );
            let answer = http
                .get(format!("{}/readyz", hub.base_url))
                .send()
                .await
                .unwrap();
            let status = answer.status().as_u16();
            let report: Value = answer.json().await.unwrap();
            let says = report["checks"][store] == health;
            let ready = report["ready"] == true;
            assert_eq!(status, if ready { 200 } else { 503 });
            (says && ready == (health == "up")).then_some(())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_store_goes_away_under_traffic_and_nothing_is_lost_or_doubled() {
    let _alone = kit::alone().await;
    let hub = Gatehouse::start("all", &[]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let (door, opened) = tenant.terminal(&fresh_sn()).await;
    let commands = format!(
        "/v1/devices/{}/commands?wait=15s",
        door["id"].as_str().unwrap()
    );
    let give = |kind: &'static str| {
        let (api, path) = (tenant.api.clone(), commands.clone());
        async move { api.post(&path, json!({"type": kind})).await }
    };
    let traffic = Traffic::of(&tenant).await;
    traffic.flows().await;

    // Redis: presence and limits are counted by the process alone; nobody at a door notices.
    let redis = Away::take("redis").await;
    told(&hub, "redis", "down").await;
    traffic.flows().await;
    assert_eq!(give("open_door").await.expect(201)["state"], "succeeded");
    tenant.api.get("/v1/devices").await.expect(200);
    redis.bring_back().await;
    told(&hub, "redis", "up").await;

    // RabbitMQ: events wait in the outbox.
    let rabbitmq = Away::take("rabbitmq").await;
    told(&hub, "rabbitmq", "down").await;
    traffic.flows().await;
    assert_eq!(give("open_door").await.expect(201)["state"], "succeeded");
    let waiting: i64 = sqlx::query_scalar("select count(*) from hub.outbox")
        .fetch_one(&tenant.rows().await)
        .await
        .unwrap();
    assert!(waiting > 0, "events wait in the outbox");
    rabbitmq.bring_back().await;
    told(&hub, "rabbitmq", "up").await;

    // S3: records with pictures are not acknowledged; the others are.
    let s3 = Away::take("s3").await;
    told(&hub, "s3", "down").await;
    let before = traffic.acknowledged();
    until("records without pictures to go on", SOON, || async {
        (traffic.acknowledged().without_photo >= before.without_photo + 10).then_some(())
    })
    .await;
    assert_eq!(
        traffic.acknowledged().with_photo,
        before.with_photo,
        "a record with a picture was acknowledged"
    );
    let picture = give("capture_photo").await.expect(201);
    assert_eq!(
        (&picture["state"], &picture["error"]["code"]),
        (&json!("failed"), &json!("picture_not_kept"))
    );
    s3.bring_back().await;
    told(&hub, "s3", "up").await;
    traffic.flows().await;

    // Postgres: nothing is acknowledged, nobody is sent away, the API says to come again.
    let postgres = Away::take("postgres").await;
    told(&hub, "postgres", "down").await;
    let before = traffic.acknowledged();
    let away = tenant.api.get("/v1/records").await;
    assert!(
        away.headers.contains_key("retry-after"),
        "{:?}",
        away.headers
    );
    assert_eq!(away.problem(503), "unavailable");
    let refusal = give("open_door").await;
    assert_eq!(refusal.problem(503), "unavailable");
    // A terminal that comes now is asked to come again.
    let late = TerminalProfile::new(&tenant.terminal_url, &fresh_sn());
    assert!(Terminal::connect(late).await.is_err());
    assert_eq!(
        traffic.acknowledged(),
        before,
        "a record was acknowledged that cannot be stored"
    );
    postgres.bring_back().await;
    told(&hub, "postgres", "up").await;
    traffic.flows().await;

    // Full service.
    assert_eq!(give("open_door").await.expect(201)["state"], "succeeded");
    assert_eq!(
        give("capture_photo").await.expect(201)["state"],
        "succeeded"
    );
    assert_eq!(opened.door_openings(), 3);
    assert!(closes(&opened).is_empty());
    let trail = until("the trail to be whole", SOON, || async {
        let entries = tenant
            .api
            .list("/v1/audit-entries?action=command.created")
            .await;
        (entries.len() >= 5).then_some(entries)
    })
    .await;
    assert_eq!(trail.len(), 5);
    let terminals = traffic.reckon().await;
    for terminal in &terminals {
        assert!(
            closes(terminal).is_empty(),
            "a terminal was sent away: {:?}",
            closes(terminal)
        );
    }
}
