//! What all lists and changes have in common, shown on devices: pages by cursor, ETags, keys that
//! make a repeat harmless.

use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn pages_follow_each_other_while_things_are_added() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(tenant.device(&fresh_sn()).await["id"].clone());
    }
    let first = tenant.api.get("/v1/devices?limit=3").await.expect(200);
    let ids = |page: &Value| -> Vec<Value> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["id"].clone())
            .collect()
    };
    assert_eq!(
        ids(&first),
        made.iter().rev().take(3).cloned().collect::<Vec<_>>(),
        "newest first"
    );
    // One that is added meanwhile moves nothing.
    tenant.device(&fresh_sn()).await;
    let next = |page: &Value| {
        format!(
            "/v1/devices?limit=3&cursor={}",
            page["next_cursor"].as_str().unwrap()
        )
    };
    let second = tenant.api.get(&next(&first)).await.expect(200);
    let third = tenant.api.get(&next(&second)).await.expect(200);
    assert!(
        third.get("next_cursor").is_none_or(Value::is_null),
        "{third}"
    );
    let seen: BTreeSet<String> = [&first, &second, &third]
        .iter()
        .flat_map(|page| ids(page))
        .map(|id| id.to_string())
        .collect();
    assert_eq!(seen, made.iter().map(Value::to_string).collect());
    assert_eq!(tenant.api.list("/v1/devices").await.len(), 8);
    // A cursor of one tenant shows another tenant nothing.
    let other = world.tenant().await;
    assert!(ids(&other.api.get(&next(&first)).await.expect(200)).is_empty());
}

#[tokio::test]
async fn devices_are_found_by_number_name_and_protocol() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for (sn, name, protocol) in [
        ("A-1", "North gate", "terminal_ws"),
        ("A-2", "South gate", "terminal_ws"),
        ("P-1", "50%_off", "http_push"),
    ] {
        tenant
            .api
            .post(
                "/v1/devices",
                json!({"sn": sn, "name": name, "protocol": protocol}),
            )
            .await
            .expect(201);
    }
    for (query, expected) in [
        ("sn=A-2", vec!["A-2"]),
        ("sn=A", vec![]),
        ("name=GATE", vec!["A-2", "A-1"]),
        ("name=%25_", vec!["P-1"]),
        ("name=_", vec!["P-1"]),
        ("protocol=http_push", vec!["P-1"]),
        ("online=true", vec![]),
        ("online=false&name=north", vec!["A-1"]),
    ] {
        let found = tenant.api.list(&format!("/v1/devices?{query}")).await;
        let found: Vec<&str> = found
            .iter()
            .map(|device| device["sn"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    assert_eq!(
        tenant
            .api
            .get("/v1/devices?protocol=smoke")
            .await
            .problem(422),
        "invalid_field"
    );
}

#[tokio::test]
async fn a_device_changes_only_from_the_version_that_was_read() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let created = tenant.device(&fresh_sn()).await;
    let path = format!("/v1/devices/{}", created["id"].as_str().unwrap());
    assert_eq!(tenant.api.get(&path).await.headers["etag"], "\"1\"");
    let patch = |etag: &'static str, body: Value| {
        let (api, path) = (tenant.api.clone(), path.clone());
        async move {
            api.send(Method::PATCH, &path, &[("If-Match", etag)], Some(body))
                .await
        }
    };
    let changed = patch("\"1\"", json!({"name": "New", "direction": null})).await;
    assert_eq!(changed.headers["etag"], "\"2\"");
    let changed = changed.expect(200);
    assert_eq!(
        (
            &changed["name"],
            &changed["direction"],
            &changed["location"]
        ),
        (&json!("New"), &Value::Null, &json!("Hall"))
    );
    assert_eq!(
        patch("\"1\"", json!({"name": "Newer"})).await.problem(412),
        "precondition_failed"
    );
    patch("*", json!({"name": "Any"})).await.expect(200);
    let stale = tenant
        .api
        .send(Method::DELETE, &path, &[("If-Match", "\"1\"")], None)
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
    assert_eq!(
        other
            .api
            .patch(&path, json!({"name": "x"}))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(other.api.delete(&path).await.problem(404), "not_found");
    // What can never change says so.
    let number = tenant.api.patch(&path, json!({"number": 7})).await;
    assert!(matches!(number.status, 400 | 422), "{}", number.json);
    tenant.api.delete(&path).await.expect(204);
    assert_eq!(tenant.api.get(&path).await.problem(404), "not_found");
    // The number is free again.
    tenant.device(created["sn"].as_str().unwrap()).await;
}

#[tokio::test]
async fn a_repeated_creation_makes_one_device() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let sn = fresh_sn();
    let body = || Some(json!({"sn": sn, "name": "Door"}));
    let key = [("Idempotency-Key", "claim-1")];
    let send = || tenant.api.send(Method::POST, "/v1/devices", &key, body());
    let (one, two) = tokio::join!(send(), send());
    let three = send().await;
    assert!(three.headers.contains_key("idempotent-replayed"));
    let ids: BTreeSet<String> = [one, two, three]
        .into_iter()
        .map(|reply| reply.expect(201)["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(tenant.api.list("/v1/devices").await.len(), 1);
    let changed = Some(json!({"sn": sn, "name": "Gate"}));
    assert_eq!(
        tenant
            .api
            .send(Method::POST, "/v1/devices", &key, changed)
            .await
            .problem(422),
        "idempotency_mismatch"
    );
    assert_eq!(
        tenant
            .api
            .post("/v1/devices", json!({"sn": sn}))
            .await
            .problem(409),
        "already_exists"
    );
    other
        .api
        .send(Method::POST, "/v1/devices", &key, body())
        .await
        .expect(201);
    // What failed may be tried again under the same key.
    let key = [("Idempotency-Key", "claim-2")];
    let bad = Some(json!({"sn": fresh_sn(), "timezone": "Mars"}));
    assert_eq!(
        tenant
            .api
            .send(Method::POST, "/v1/devices", &key, bad)
            .await
            .problem(422),
        "invalid_field"
    );
    let good = Some(json!({"sn": fresh_sn(), "timezone": "Asia/Tokyo"}));
    tenant
        .api
        .send(Method::POST, "/v1/devices", &key, good)
        .await
        .expect(201);
}
