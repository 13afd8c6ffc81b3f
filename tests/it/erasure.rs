//! A person who is erased leaves every place, and the receipt says which places have confirmed.

use crate::jobs::portrait;
use gatehouse_simulator::{Pass, Terminal, TerminalProfile};
use kit::world::fresh_sn;
use kit::{Tenant, shared, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(20);

fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

/// Somebody with a photo, in a group of an authority on a device.
async fn admitted(tenant: &Tenant, device: &Value) -> (String, String) {
    let api = &tenant.api;
    let person = api
        .post("/v1/persons", json!({"name": "Zhao Erased", "code": "Z-1"}))
        .await
        .expect(201);
    let (id, number) = (text(&person, "id"), text(&person, "number"));
    let path = format!("/v1/persons/{id}/photo");
    let reply = api
        .send_bytes(Method::PUT, &path, Some("image/jpeg"), &portrait())
        .await;
    assert!(
        reply.status < 300,
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    let group = api
        .post("/v1/groups", json!({"name": "All", "type": "staff"}))
        .await
        .expect(201);
    let group = text(&group, "id");
    assert!(
        api.put(&format!("/v1/groups/{group}/members/{id}"))
            .await
            .status
            < 300
    );
    let authority = json!({"device_ids": [device["id"]], "group_ids": [group]});
    api.post("/v1/authorities", authority).await.expect(201);
    (id, number)
}

async fn receipt_when(tenant: &Tenant, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, WITHIN, || async {
        let receipt = tenant
            .api
            .get(&format!("/v1/erasures/{id}"))
            .await
            .expect(200);
        is(&receipt).then_some(receipt)
    })
    .await
}

fn place<'a>(receipt: &'a Value, name: &str) -> &'a Value {
    let places = receipt["places"].as_array().expect("a receipt has places");
    let found = places.iter().find(|place| place["place"] == name);
    found.unwrap_or_else(|| panic!("no place {name} in {receipt}"))
}

#[tokio::test]
async fn the_receipt_waits_for_a_terminal_that_is_away_and_completes_itself() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let profile = TerminalProfile {
        reconnect: (Duration::from_secs(4), Duration::from_secs(5)),
        ..TerminalProfile::new(&tenant.terminal_url, &sn)
    };
    let terminal = Terminal::spawn_reconnecting(profile);
    terminal.wait_online(WITHIN).await.expect("it registers");
    let (person, number) = admitted(&tenant, &device).await;
    until("the terminal to hold the person", WITHIN, || async {
        terminal.persons().contains_key(&number).then_some(())
    })
    .await;
    terminal
        .pass(Pass::staff(&number, "Zhao Erased"))
        .await
        .expect("the record is acknowledged");
    let photo = tenant
        .api
        .get(&format!("/v1/persons/{person}"))
        .await
        .expect(200);
    let photo = text(&photo["photos"][0], "url");
    let photo = photo
        .strip_prefix(&world.base_url)
        .map_or(photo.clone(), str::to_owned);
    assert_eq!(world.anonymous().get(&photo).await.status, 200);

    // The terminal goes away, and the person is erased.
    terminal.drop_connection().await;
    until("the platform to know that it is away", WITHIN, || async {
        let device = tenant
            .api
            .get(&format!("/v1/devices/{}", text(&device, "id")))
            .await
            .expect(200);
        (device["online"] == false).then_some(())
    })
    .await;
    let receipt = tenant
        .api
        .delete(&format!("/v1/persons/{person}"))
        .await
        .expect(202);
    let id = text(&receipt, "id");
    assert_eq!(
        tenant
            .api
            .get(&format!("/v1/persons/{person}"))
            .await
            .status,
        404
    );
    assert_eq!(
        tenant
            .api
            .delete(&format!("/v1/persons/{person}"))
            .await
            .status,
        404
    );
    assert_eq!(place(&receipt, "photos")["state"], "done", "{receipt}");
    assert_ne!(
        world.anonymous().get(&photo).await.status,
        200,
        "the picture is still there"
    );
    let terminal_place = place(&receipt, "terminal");
    assert_eq!(terminal_place["state"], "pending");
    assert!(
        text(terminal_place, "detail").contains("offline since"),
        "{receipt}"
    );
    let waiting = receipt_when(&tenant, &id, "records and punches to be done", |receipt| {
        place(receipt, "records")["state"] == "done" && place(receipt, "punches")["state"] == "done"
    })
    .await;
    assert!(waiting["completed_at"].is_null(), "{waiting}");

    // It comes back, is told, and the receipt completes itself.
    let complete = receipt_when(&tenant, &id, "the receipt to complete", |receipt| {
        !receipt["completed_at"].is_null()
    })
    .await;
    assert!(terminal.persons().is_empty(), "{complete}");

    // The record stays and says nothing of whose it was.
    let records = tenant.api.list("/v1/records").await;
    assert_eq!(records.len(), 1);
    let told = records[0].to_string();
    assert!(!told.contains("Zhao") && !told.contains(&person), "{told}");
}

#[tokio::test]
async fn records_go_where_that_is_asked_for() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let (device, terminal) = tenant.terminal(&sn).await;
    let (person, number) = admitted(&tenant, &device).await;
    terminal
        .pass(Pass::staff(&number, "Zhao Erased"))
        .await
        .expect("the record is acknowledged");
    assert_eq!(
        tenant
            .api
            .delete(&format!("/v1/persons/{person}?records=perhaps"))
            .await
            .problem(422),
        "invalid_field"
    );
    let receipt = tenant
        .api
        .delete(&format!("/v1/persons/{person}?records=delete"))
        .await
        .expect(202);
    receipt_when(
        &tenant,
        &text(&receipt, "id"),
        "the receipt to complete",
        |receipt| !receipt["completed_at"].is_null(),
    )
    .await;
    assert!(tenant.api.list("/v1/records").await.is_empty());
    let listed = tenant.api.list("/v1/erasures").await;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn what_a_terminal_uploads_late_brings_nobody_back() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    let rows = tenant.rows().await;
    for (fate, stays) in [("delete", 0), ("pseudonymise", 1)] {
        let body = json!({"name": "Zhao Late", "type": "staff"});
        let person = tenant.api.post("/v1/persons", body).await.expect(201);
        let (person, number) = (text(&person, "id"), text(&person, "number"));
        let path = format!("/v1/persons/{person}?records={fate}");
        tenant.api.delete(&path).await.expect(202);
        let pass = Pass::staff(&number, "Zhao Late")
            .with_photo(gatehouse_simulator::photo::jpeg(4, 1))
            .with_message_id(fate);
        let ack = terminal.pass(pass).await.expect("it is answered");
        assert!(ack.is_accepted(), "{ack:?}");
        let records = tenant.api.list("/v1/records").await;
        assert_eq!(records.len(), stays, "{fate}: {records:?}");
        let row: Vec<String> =
            sqlx::query_scalar("select to_jsonb(r)::text from hub.records r where device_id = $1")
                .bind(kit::uuid_of(&text(&device, "id")))
                .fetch_all(&rows)
                .await
                .unwrap();
        assert_eq!(row.len(), stays);
        for row in row {
            let told: Value = serde_json::from_str(&row).unwrap();
            assert!(!row.contains("Zhao") && !row.contains(&number), "{row}");
            assert!(
                told["snapshot_key"].is_null() && told["raw"] == json!({}),
                "{row}"
            );
        }
    }
}
