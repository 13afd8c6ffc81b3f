//! Who may pass where and when: schedules, doors and authorities, what a change would do, and why
//! somebody may pass. And terminals that are swapped.
//!
//! Deliberately absent: that terminals learn of it all (`deliveries`, `convergence`), and what opens a
//! door (`terminal_day`).

mod authorities;
mod doors;
mod explained;
mod foreseen;
mod schedules;
mod swapped;

use kit::{Reply, Tenant};
use reqwest::Method;
use serde_json::{Value, json};

/// The id of a thing.
fn id(value: &Value) -> &str {
    value["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {value}"))
}

/// Makes a person; the id.
async fn person(tenant: &Tenant, body: Value) -> String {
    let person = tenant.api.post("/v1/persons", body).await.expect(201);
    id(&person).to_owned()
}

/// Gives a person the picture that passes every check.
async fn portrait(tenant: &Tenant, person: &str) {
    let path = format!("/v1/persons/{person}/photo");
    let picture = std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
        .expect("the portrait is checked in");
    let reply = tenant
        .api
        .send_bytes(Method::PUT, &path, Some("image/jpeg"), &picture)
        .await;
    assert!(reply.status < 300, "{}", reply.json);
}

/// Makes a group of these persons; the id.
async fn group(tenant: &Tenant, name: &str, kind: &str, persons: &[&str]) -> String {
    let body = json!({"name": name, "type": kind});
    let group = tenant.api.post("/v1/groups", body).await.expect(201);
    for person in persons {
        let path = format!("/v1/groups/{}/members/{person}", id(&group));
        tenant.api.put(&path).await.expect(204);
    }
    id(&group).to_owned()
}

/// A schedule of every day from one time to another; the id.
async fn schedule(tenant: &Tenant, name: &str, from: &str, to: &str) -> String {
    let weekdays: Vec<Value> = (1..=7)
        .map(|day| json!({"weekday": day, "periods": [{"from": from, "to": to}]}))
        .collect();
    let body = json!({"name": name, "weekdays": weekdays});
    let schedule = tenant.api.post("/v1/schedules", body).await.expect(201);
    id(&schedule).to_owned()
}

/// Makes an authority; it.
async fn authority(tenant: &Tenant, body: Value) -> Value {
    tenant.api.post("/v1/authorities", body).await.expect(201)
}

/// What stands in the way of a request, by the pointers to its fields.
fn pointers(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 422, "{}", reply.json);
    let faults = reply.json["faults"].as_array().expect("faults");
    faults
        .iter()
        .map(|fault| fault["pointer"].as_str().expect("a pointer"))
        .collect()
}

/// The devices, each time, of the changes that were noted for a reason, in order.
async fn noted(tenant: &Tenant, reason: &str) -> Vec<Vec<String>> {
    let devices: Vec<Vec<uuid::Uuid>> = sqlx::query_scalar(
        "select device_ids from directory.access_changes where reason = $1 order by id",
    )
    .bind(reason)
    .fetch_all(&tenant.rows().await)
    .await
    .expect("the changes can be read");
    let shown = |ids: Vec<uuid::Uuid>| -> Vec<String> {
        let mut ids: Vec<String> = ids
            .iter()
            .map(|id| format!("dev_{}", id.simple()))
            .collect();
        ids.sort();
        ids
    };
    devices.into_iter().map(shown).collect()
}
