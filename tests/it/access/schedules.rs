//! Schedules: kept as they are said, and not lost while somebody needs them.

use super::{authority, group, id, noted, person, pointers, schedule};
use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_schedule_is_kept_as_it_is_said() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let api = &tenant.api;
    let body = json!({
        "name": "Day shift",
        "weekdays": [
            {"weekday": 1, "periods": [{"from": "06:30", "to": "09:00"}, {"from": "17:00", "to": "23:59"}]},
            {"weekday": 6, "periods": []}],
        "holidays": [
            {"date": "2026-10-02", "open": true, "periods": [{"from": "10:00", "to": "12:00"}]},
            {"date": "2026-10-01", "open": false}],
    });
    let key = [("Idempotency-Key", "shift-1")];
    let made = api
        .send(Method::POST, "/v1/schedules", &key, Some(body.clone()))
        .await;
    let tag = made.headers["etag"].to_str().unwrap().to_owned();
    let made = made.expect(201);
    assert_eq!(made["weekdays"], body["weekdays"]);
    assert_eq!(
        made["holidays"],
        json!([
            {"date": "2026-10-01", "open": false, "periods": []},
            {"date": "2026-10-02", "open": true, "periods": [{"from": "10:00", "to": "12:00"}]}]),
        "in their order"
    );
    let again = api
        .send(Method::POST, "/v1/schedules", &key, Some(body))
        .await
        .expect(201);
    assert_eq!(again["id"], made["id"]);
    let path = format!("/v1/schedules/{}", id(&made));
    assert_eq!(api.get(&path).await.expect(200), made);
    other.api.get(&path).await.expect(404);
    assert_eq!(
        id(&api.list("/v1/schedules?name=SHIFT").await[0]),
        id(&made)
    );
    assert!(api.list("/v1/schedules?name=night").await.is_empty());

    // A second one of the name, and a version that is not the present one.
    let taken = api
        .post("/v1/schedules", json!({"name": "Day shift"}))
        .await;
    assert_eq!(taken.json["pointer"], "/name");
    assert_eq!(taken.problem(409), "already_exists");
    let change = json!({"holidays": null, "name": "Early shift"});
    let current = [("If-Match", tag.as_str())];
    let changed = api
        .send(Method::PATCH, &path, &current, Some(change.clone()))
        .await
        .expect(200);
    assert_eq!(changed["name"], "Early shift");
    assert_eq!(changed["holidays"], json!([]));
    assert_eq!(changed["weekdays"], made["weekdays"]);
    let stale = api.send(Method::PATCH, &path, &current, Some(change)).await;
    assert_eq!(stale.problem(412), "precondition_failed");
    api.delete(&path).await.expect(204);
    api.get(&path).await.expect(404);
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_field_by_field() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let period = |from: &str, to: &str| json!({"from": from, "to": to});
    let body = json!({
        "name": " ",
        "weekdays": [{"weekday": 1, "periods": [period("8:00", "24:00")]}],
        "holidays": [{"date": "2026-02-30", "open": true}],
    });
    let refused = tenant.api.post("/v1/schedules", body).await;
    assert_eq!(
        pointers(&refused),
        [
            "/weekdays/0/periods/0/from",
            "/weekdays/0/periods/0/to",
            "/holidays/0/date",
            "/name"
        ]
    );
    for (weekdays, pointer) in [
        (
            json!([{"weekday": 8, "periods": []}]),
            "/weekdays/0/weekday",
        ),
        (
            json!([{"weekday": 2, "periods": []}, {"weekday": 2, "periods": []}]),
            "/weekdays/1/weekday",
        ),
        (
            json!([{"weekday": 1, "periods": [period("22:00", "06:00")]}]),
            "/weekdays/0/periods/0/to",
        ),
        (
            json!([{"weekday": 1, "periods": vec![period("22:00", "22:30"); 6]}]),
            "/weekdays/0/periods",
        ),
    ] {
        let body = json!({"name": "Shift", "weekdays": weekdays});
        let refused = tenant.api.post("/v1/schedules", body).await;
        assert_eq!(pointers(&refused), [pointer], "{weekdays}");
    }
}

#[tokio::test]
async fn a_schedule_in_use_stays_and_its_change_reaches_its_devices() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let shift = schedule(&tenant, "Shift", "08:00", "18:00").await;
    let unused = schedule(&tenant, "Unused", "08:00", "18:00").await;
    let device = tenant.device(&fresh_sn()).await;
    let someone = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let staff = group(&tenant, "Staff", "staff", &[&someone]).await;
    let join = json!({"device_ids": [device["id"]], "group_ids": [staff], "schedule_id": shift});
    let joined = authority(&tenant, join).await;

    let path = format!("/v1/schedules/{shift}");
    let refused = tenant.api.delete(&path).await;
    let detail = refused.json["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("1 authority uses"), "{detail}");
    assert_eq!(refused.problem(409), "schedule_in_use");

    // A name is nothing to a terminal; times are, where somebody passes by them.
    let renamed = tenant.api.patch(&path, json!({"name": "Renamed"})).await;
    assert_eq!(renamed.expect(200).get("distribution_id"), None);
    let elsewhere = format!("/v1/schedules/{unused}");
    let closed = tenant
        .api
        .patch(&elsewhere, json!({"weekdays": null}))
        .await;
    assert_eq!(closed.expect(200).get("distribution_id"), None);
    assert!(noted(&tenant, "schedule.updated").await.is_empty());
    let holiday = json!({"holidays": [{"date": "2026-10-01", "open": false}]});
    let changed = tenant.api.patch(&path, holiday.clone()).await.expect(200);
    let distribution = changed["distribution_id"].as_str().expect("a distribution");
    assert!(distribution.starts_with("dst_"), "{changed}");
    let same = tenant.api.patch(&path, holiday).await.expect(200);
    assert_eq!(same["version"], changed["version"], "nothing changed");
    assert_eq!(noted(&tenant, "schedule.updated").await, [[id(&device)]]);

    let gone = format!("/v1/authorities/{}", id(&joined));
    tenant.api.delete(&gone).await.expect(204);
    tenant.api.delete(&path).await.expect(204);
}
