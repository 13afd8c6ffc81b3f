//! From a change to the assignments of terminals, through the real binary, and what is told of it.
//!
//! Deliberately absent: every turn that a row can take (tests of gatehouse-sync), and terminals that
//! are told (`deliveries`, `convergence`).

use kit::world::fresh_sn;
use kit::{Tenant, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What a schedule of every few seconds may take.
const SOON: Duration = Duration::from_secs(30);

fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field}: {value}"))
        .to_owned()
}

/// A device, and a group with these persons that may pass it at any time; the device, the change.
async fn lodge(tenant: &Tenant, persons: &[&str]) -> (String, String) {
    let api = &tenant.api;
    let device = text(&tenant.device(&fresh_sn()).await, "id");
    let group = api
        .post("/v1/groups", json!({"name": "Staff", "type": "staff"}))
        .await
        .expect(201);
    for person in persons {
        let path = format!("/v1/groups/{}/members/{person}", text(&group, "id"));
        assert!(api.put(&path).await.status < 300);
    }
    // What waits at this moment would be planned together with the authority, under its own name.
    until("all to be planned", SOON, || async {
        let all = api.list("/v1/distributions").await;
        all.iter()
            .all(|one| one["state"] != "waiting")
            .then_some(())
    })
    .await;
    let body = json!({"device_ids": [device], "group_ids": [group["id"]]});
    let authority = api.post("/v1/authorities", body).await.expect(201);
    (device, text(&authority, "distribution_id"))
}

async fn person(tenant: &Tenant, name: &str) -> String {
    let body = json!({"name": name, "type": "staff"});
    text(
        &tenant.api.post("/v1/persons", body).await.expect(201),
        "id",
    )
}

async fn portrait(tenant: &Tenant, person: &str) {
    let picture = std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
        .expect("the portrait is checked in");
    let path = format!("/v1/persons/{person}/photo");
    let reply = tenant
        .api
        .send_bytes(Method::PUT, &path, Some("image/jpeg"), &picture)
        .await;
    assert!(reply.status < 300, "{}", reply.json);
}

async fn planned(tenant: &Tenant, distribution: &str) -> Value {
    let path = format!("/v1/distributions/{distribution}");
    until("the change to be planned", SOON, || async {
        let told = tenant.api.get(&path).await.expect(200);
        (told["state"] != "waiting").then_some(told)
    })
    .await
}

/// The persons of a device once their states are these.
async fn persons_in(tenant: &Tenant, device: &str, states: &[&str]) {
    let path = format!("/v1/devices/{device}/persons");
    until(&format!("persons in {states:?}"), SOON, || async {
        let listed = tenant.api.list(&path).await;
        let mut found: Vec<&str> = listed
            .iter()
            .map(|item| item["state"].as_str().expect("a state"))
            .collect();
        found.sort_unstable();
        (found == states).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_change_can_be_followed_to_the_terminals() {
    let tenant = kit::shared().await.tenant().await;
    let (bare, pictured) = (
        person(&tenant, "Bare").await,
        person(&tenant, "Pictured").await,
    );
    portrait(&tenant, &pictured).await;
    let (device, distribution) = lodge(&tenant, &[&bare, &pictured]).await;
    let told = planned(&tenant, &distribution).await;
    assert_eq!(told["state"], "planned", "the terminal is offline: {told}");
    assert_eq!(
        json!([told["adds"], told["updates"], told["removes"]]),
        json!([2, 0, 0])
    );
    assert_eq!(
        json!([told["open"], told["failed"], told["applied"]]),
        json!([1, 1, 0])
    );
    assert_eq!(told["device_count"], 1);
    let item = &told["devices"][0];
    assert_eq!(item["device_id"], json!(device));
    assert_eq!(json!([item["open"], item["online"]]), json!([1, false]));
    persons_in(&tenant, &device, &["failed", "pending"]).await;

    let listed = tenant.api.list("/v1/distributions").await;
    let ids: Vec<String> = listed.iter().map(|item| text(item, "id")).collect();
    assert!(ids.contains(&distribution));
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "{ids:?}");
    let unknown = format!("/v1/distributions/dst_{}", uuid::Uuid::now_v7().simple());
    tenant.api.get(&unknown).await.expect(404);
}

#[tokio::test]
async fn a_validity_ends_by_itself() {
    let tenant = kit::shared().await.tenant().await;
    let person = person(&tenant, "Brief").await;
    let (device, distribution) = lodge(&tenant, &[&person]).await;
    planned(&tenant, &distribution).await;
    persons_in(&tenant, &device, &["failed"]).await;
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(3);
    let body = json!({"valid_to": soon.to_rfc3339()});
    let path = format!("/v1/persons/{person}");
    tenant.api.patch(&path, body).await.expect(200);
    persons_in(&tenant, &device, &[]).await;
}

#[tokio::test]
async fn a_device_that_goes_takes_its_assignments_along() {
    let tenant = kit::shared().await.tenant().await;
    let person = person(&tenant, "Lodger").await;
    let (device, distribution) = lodge(&tenant, &[&person]).await;
    planned(&tenant, &distribution).await;
    let path = format!("/v1/persons/{person}/devices");
    assert_eq!(tenant.api.list(&path).await.len(), 1);
    let removed = tenant.api.delete(&format!("/v1/devices/{device}")).await;
    assert!(removed.status < 300, "{}", removed.json);
    let rows = tenant.rows().await;
    until("the rows to go", SOON, || async {
        let left: i64 = sqlx::query_scalar("select count(*) from sync.assignments")
            .fetch_one(&rows)
            .await
            .expect("rows can be counted");
        (left == 0).then_some(())
    })
    .await;
}
