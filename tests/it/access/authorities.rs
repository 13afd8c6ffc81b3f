//! Authorities: what they join, and whom a change concerns.

use super::{authority, group, id, noted, person, pointers, schedule};
use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_authority_joins_what_the_tenant_has() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let api = &tenant.api;
    let device = tenant.device(&fresh_sn()).await;
    let staff = group(&tenant, "Staff", "staff", &[]).await;
    let shift = schedule(&tenant, "Shift", "08:00", "18:00").await;
    let foreign = (
        other.device(&fresh_sn()).await,
        group(&other, "Staff", "staff", &[]).await,
        schedule(&other, "Shift", "08:00", "18:00").await,
        other
            .api
            .post("/v1/doors", json!({"name": "Gate"}))
            .await
            .expect(201),
    );
    let strange = json!({"device_ids": [device["id"], foreign.0["id"]], "door_ids": [foreign.3["id"]],
        "group_ids": [foreign.1], "schedule_id": foreign.2});
    let refused = api.post("/v1/authorities", strange).await;
    assert_eq!(
        pointers(&refused),
        [
            "/device_ids/1",
            "/door_ids/0",
            "/group_ids/0",
            "/schedule_id"
        ]
    );
    assert_eq!(
        pointers(&api.post("/v1/authorities", json!({})).await),
        ["/device_ids", "/group_ids"]
    );

    let body = json!({"name": "Day", "device_ids": [device["id"], device["id"]], "group_ids": [staff], "schedule_id": shift});
    let key = [("Idempotency-Key", "authority-1")];
    let made = api
        .send(Method::POST, "/v1/authorities", &key, Some(body.clone()))
        .await;
    let tag = made.headers["etag"].to_str().unwrap().to_owned();
    let mut made = made.expect(201);
    assert_eq!(made["device_ids"], json!([device["id"]]), "each once");
    let again = api
        .send(Method::POST, "/v1/authorities", &key, Some(body))
        .await
        .expect(201);
    assert_eq!(again["id"], made["id"]);
    assert_eq!(
        noted(&tenant, "authority.created").await,
        [[id(&device)]],
        "once"
    );
    let distribution = made.as_object_mut().unwrap().remove("distribution_id");
    assert!(distribution.unwrap().as_str().unwrap().starts_with("dst_"));
    let path = format!("/v1/authorities/{}", id(&made));
    assert_eq!(api.get(&path).await.expect(200), made);
    other.api.get(&path).await.expect(404);
    for (query, found) in [
        (format!("device_id={}", id(&device)), 1),
        (format!("group_id={staff}"), 1),
        (format!("schedule_id={shift}"), 1),
        (format!("door_id={}", id(&foreign.3)), 0),
        (format!("group_id={}", foreign.1), 0),
    ] {
        let list = api.list(&format!("/v1/authorities?{query}")).await;
        assert_eq!(list.len(), found, "{query}");
    }

    let emptied = api.patch(&path, json!({"device_ids": []})).await;
    assert_eq!(pointers(&emptied), ["/device_ids"]);
    let always = json!({"schedule_id": null, "name": null});
    let current = [("If-Match", tag.as_str())];
    let changed = api
        .send(Method::PATCH, &path, &current, Some(always.clone()))
        .await
        .expect(200);
    assert_eq!(
        (&changed["schedule_id"], &changed["name"]),
        (&Value::Null, &json!(""))
    );
    let stale = api.send(Method::PATCH, &path, &current, Some(always)).await;
    assert_eq!(stale.problem(412), "precondition_failed");
    let removed = api.delete(&path).await;
    assert!(
        removed.headers.contains_key("distribution-id"),
        "{:?}",
        removed.headers
    );
    removed.expect(204);
    api.get(&path).await.expect(404);

    let trail = api.list("/v1/audit-entries").await;
    let mut actions: Vec<&str> = trail
        .iter()
        .filter(|entry| entry["subject_id"] == made["id"])
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    actions.sort_unstable();
    assert_eq!(
        actions,
        [
            "authority.created",
            "authority.deleted",
            "authority.updated"
        ]
    );
}

#[tokio::test]
async fn a_change_concerns_the_devices_that_it_touches() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(id(&tenant.device(&fresh_sn()).await).to_owned());
    }
    let someone = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let staff = group(&tenant, "Staff", "staff", &[&someone]).await;
    let others = group(&tenant, "Others", "staff", &[]).await;
    let made = authority(
        &tenant,
        json!({"device_ids": devices[..2], "group_ids": [staff]}),
    )
    .await;
    let path = format!("/v1/authorities/{}", id(&made));
    for change in [
        // One comes and one goes; the one that stays is not planned again.
        json!({"device_ids": [devices[0], devices[2]]}),
        json!({"name": "Renamed"}),
        json!({"group_ids": [staff, others]}),
        json!({"group_ids": [staff, others]}),
    ] {
        api.patch(&path, change).await.expect(200);
    }
    let both = vec![devices[0].clone(), devices[2].clone()];
    let moved = vec![devices[1].clone(), devices[2].clone()];
    assert_eq!(
        noted(&tenant, "authority.updated").await,
        [moved, both.clone()]
    );
    api.delete(&path).await.expect(204);
    assert_eq!(noted(&tenant, "authority.deleted").await, [both]);
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let key = json!({"name": "Reader", "scopes": ["access:read"]});
    let key = tenant.api.post("/v1/api-keys", key).await.expect(201);
    let reader = tenant.api.with_bearer(key["key"].as_str().unwrap());
    for path in ["/v1/schedules", "/v1/doors", "/v1/authorities"] {
        reader.get(path).await.expect(200);
        let refused = reader.post(path, json!({"name": "Mine"})).await;
        assert_eq!(refused.problem(403), "forbidden", "{path}");
        let refused = reader.get("/v1/persons").await;
        assert_eq!(refused.problem(403), "forbidden");
    }
}
