//! A terminal that is swapped for another keeps its place; and what a device may forbid and hold.

use crate::terminal_day::{close_code, device_with, refused};
use gatehouse_simulator::{Terminal, TerminalProfile};
use kit::world::fresh_sn;
use serde_json::json;

#[tokio::test]
async fn another_terminal_takes_the_place_and_the_one_before_is_nobody() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (before, after) = (fresh_sn(), fresh_sn());
    let (device, old) = tenant.terminal(&before).await;
    let path = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    let other = tenant.device(&fresh_sn()).await;
    let taken = tenant.api.patch(&path, json!({"sn": other["sn"]})).await;
    assert_eq!(taken.json["pointer"], "/sn");
    assert_eq!(taken.problem(409), "already_exists");
    assert!(old.is_online(), "nothing was swapped");

    // The new one knocked before anybody told of it.
    refused(TerminalProfile::new(&tenant.terminal_url, &after)).await;
    let listed = || async { tenant.api.list("/v1/discovered-devices").await };
    kit::until(
        "the unknown terminal to be listed",
        crate::terminal_day::SOON,
        || async { (!listed().await.is_empty()).then_some(()) },
    )
    .await;
    let changed = tenant
        .api
        .patch(&path, json!({"sn": after}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["id"], &changed["sn"]),
        (&device["id"], &json!(after))
    );
    assert_eq!(changed["name"], device["name"]);
    assert_eq!(close_code(&old).await, Some(4002));
    refused(TerminalProfile::new(&tenant.terminal_url, &before)).await;
    let new = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &after))
        .await
        .expect("it is claimed");
    device_with(&tenant, &device["id"], "online", true).await;
    assert!(new.is_online());
    let numbers = kit::until(
        "only the old one to be unknown",
        crate::terminal_day::SOON,
        || async {
            let listed: Vec<_> = listed().await.iter().map(|one| one["sn"].clone()).collect();
            (!listed.contains(&json!(after)) && !listed.is_empty()).then_some(listed)
        },
    )
    .await;
    assert_eq!(numbers, [json!(before)]);
}

#[tokio::test]
async fn what_a_device_forbids_and_holds_is_kept() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let body = json!({"sn": fresh_sn(), "person_capacity": 3000, "deny_above_celsius": 37.3, "deny_without_mask": true});
    let device = tenant.api.post("/v1/devices", body).await.expect(201);
    let shown = |device: &serde_json::Value| {
        ["person_capacity", "deny_above_celsius", "deny_without_mask"]
            .map(|name| device[name].clone())
    };
    assert_eq!(shown(&device), [json!(3000), json!(37.3), json!(true)]);
    let path = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    let lifted =
        json!({"person_capacity": null, "deny_above_celsius": null, "deny_without_mask": false});
    let lifted = tenant.api.patch(&path, lifted).await.expect(200);
    assert_eq!(shown(&lifted), [json!(null), json!(null), json!(false)]);
    for (field, value) in [
        ("person_capacity", json!(0)),
        ("deny_above_celsius", json!(98.6)),
        ("sn", json!("with space")),
    ] {
        let refused = tenant.api.patch(&path, json!({field: value})).await;
        assert_eq!(refused.json["pointer"], format!("/{field}"));
        assert_eq!(refused.problem(422), "invalid_field");
    }
}
