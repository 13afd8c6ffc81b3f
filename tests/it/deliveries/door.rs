//! Whom the platform knows it decides about, at this moment and by its own authorities; and whoever
//! must not enter raises an alarm.

use super::{authorize, group, holds, leave, person, terminal, text};
use crate::terminal_day::record_of;
use gatehouse_simulator::Pass;
use kit::until;
use serde_json::json;

#[tokio::test]
async fn the_platform_decides_by_its_authorities() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let path = format!("/v1/devices/{}", text(&device, "id"));
    tenant
        .api
        .patch(&path, json!({"door_decision": "cloud"}))
        .await
        .expect(200);
    let wang = person(&tenant, json!({"name": "Wang", "type": "staff"})).await;
    let group = group(&tenant, "staff", std::slice::from_ref(&wang)).await;
    authorize(&tenant, &device, &group, None).await;
    holds(&terminal, &[&wang]).await;
    let ack = until("the platform to decide", super::SOON, || async {
        let ack = terminal
            .pass(Pass::staff(&wang.number, "warm-up"))
            .await
            .unwrap();
        (!ack.control_state.is_empty()).then_some(ack)
    })
    .await;
    assert_eq!(
        (ack.control_state.as_str(), ack.msg.as_str()),
        ("open", "请通行")
    );
    let record = tenant.api.list("/v1/records").await.remove(0);
    assert_eq!(record["person_id"], wang.id.as_str(), "{record}");
    assert!(
        record["door_reason"]
            .as_str()
            .is_some_and(|r| !r.is_empty()),
        "{record}"
    );

    // What the terminal was told does not count any more, from this moment on.
    leave(&tenant, &group, &wang).await;
    let ack = terminal
        .pass(Pass::staff(&wang.number, "without authority"))
        .await
        .unwrap();
    assert_eq!(
        (ack.control_state.as_str(), ack.msg.as_str()),
        ("close", "未授权")
    );
    let record = record_of(&tenant, "without authority").await;
    assert_eq!(record["door_answer"], "close", "{record}");
    assert!(
        record["door_reason"]
            .as_str()
            .is_some_and(|r| r.ends_with('.')),
        "{record}"
    );
}

#[tokio::test]
async fn whoever_must_not_enter_raises_an_alarm_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let barred = person(&tenant, json!({"name": "Barred", "type": "blocklist"})).await;
    let listed = person(&tenant, json!({"name": "Listed", "type": "staff"})).await;
    let staff = person(&tenant, json!({"name": "Staff", "type": "staff"})).await;
    let blocklist = group(&tenant, "blocklist", std::slice::from_ref(&listed)).await;
    let kept_out = json!({"name": "Kept out", "type": "staff", "priority": "never"});
    let kept_out = person(&tenant, kept_out).await;
    let house = group(&tenant, "staff", &[listed.clone(), staff.clone()]).await;
    authorize(&tenant, &device, &blocklist, None).await;
    authorize(&tenant, &device, &house, None).await;
    let passes = [
        Pass::staff(&barred.number, "Barred").with_message_id("b1"),
        Pass::staff(&listed.number, "Listed").with_message_id("l1"),
        Pass::staff(&staff.number, "Staff").with_message_id("s1"),
        Pass::staff(&kept_out.number, "Kept out")
            .with("priority", "1")
            .with_message_id("k1"),
        Pass::staff("999999999", "On the terminal's own")
            .with("priority", "1")
            .with_message_id("o1"),
    ];
    for pass in &passes {
        assert!(terminal.pass(pass.clone()).await.unwrap().is_accepted());
    }
    let alarms = tenant.api.list("/v1/alarms?acknowledged=false").await;
    let persons: Vec<&serde_json::Value> = alarms.iter().map(|alarm| &alarm["person_id"]).collect();
    assert_eq!(
        persons,
        [&json!(null), &json!(listed.id), &json!(barred.id)],
        "newest first"
    );
    for alarm in &alarms {
        assert_eq!(alarm["device_id"], device["id"]);
        let record = tenant
            .api
            .get(&format!("/v1/records/{}", text(alarm, "record_id")))
            .await
            .expect(200);
        assert_eq!(record["person_id"], alarm["person_id"]);
    }
    let path = format!("/v1/alarms/{}", text(&alarms[2], "id"));
    let note = json!({"note": "Seen."});
    let seen = tenant
        .api
        .post(&format!("{path}/acknowledge"), note)
        .await
        .expect(200);
    assert!(
        seen["acknowledged_at"].is_string() && seen["note"] == "Seen.",
        "{seen}"
    );
    let again = tenant
        .api
        .post(&format!("{path}/acknowledge"), json!({"note": "Again."}))
        .await
        .expect(200);
    assert_eq!(again, seen, "the first stays");
    assert_eq!(tenant.api.get(&path).await.expect(200), seen);
    assert_eq!(
        tenant.api.list("/v1/alarms?acknowledged=false").await.len(),
        2
    );
    assert_eq!(
        tenant.api.list("/v1/alarms?acknowledged=true").await.len(),
        1
    );
    assert_eq!(tenant.api.list("/v1/alarms").await.len(), 3);
}

#[tokio::test]
async fn nobody_gets_in_who_was_erased_while_the_terminal_still_holds_them() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let path = format!("/v1/devices/{}", text(&device, "id"));
    tenant
        .api
        .patch(&path, json!({"door_decision": "cloud"}))
        .await
        .expect(200);
    let ack = until("the platform to decide", super::SOON, || async {
        let pass = Pass::staff("999999999", "On the terminal's own");
        let ack = terminal.pass(pass).await.unwrap();
        (!ack.control_state.is_empty()).then_some(ack)
    })
    .await;
    assert_eq!(ack.control_state, "open", "the terminal's own people");

    let gone = person(&tenant, json!({"name": "Gone", "type": "staff"})).await;
    let path = format!("/v1/persons/{}", gone.id);
    tenant.api.delete(&path).await.expect(202);
    let ack = terminal
        .pass(Pass::staff(&gone.number, "Gone"))
        .await
        .unwrap();
    assert_eq!(
        (ack.control_state.as_str(), ack.msg.as_str()),
        ("close", "未授权")
    );
}
