//! Why somebody may pass, and what the terminal knows of it.

use super::{authority, group, id, person, pointers, portrait};
use kit::world::fresh_sn;
use kit::{Tenant, until};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

async fn explain(tenant: &Tenant, body: Value) -> Value {
    tenant
        .api
        .post("/v1/access:explain", body)
        .await
        .expect(200)
}

/// A schedule of Tuesday mornings, with a holiday on a Tuesday.
async fn mornings(tenant: &Tenant) -> String {
    let body = json!({"name": "Day shift",
        "weekdays": [{"weekday": 2, "periods": [{"from": "06:30", "to": "09:00"}]}],
        "holidays": [{"date": "2026-12-01", "open": false}]});
    let schedule = tenant.api.post("/v1/schedules", body).await.expect(201);
    id(&schedule).to_owned()
}

#[tokio::test]
async fn the_reason_is_told_with_what_decided() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let sn = fresh_sn();
    let device = json!({"sn": sn, "deny_above_celsius": 37.3, "deny_without_mask": true});
    let device = tenant.api.post("/v1/devices", device).await.expect(201);
    let someone = person(
        &tenant,
        json!({"name": "Li Wei", "type": "staff", "code": "A-17"}),
    )
    .await;
    let staff = group(&tenant, "Workshop", "staff", &[&someone]).await;
    let shift = mornings(&tenant).await;
    let ask = |at: &str| json!({"person": someone, "device": device["id"], "at": at});

    let told = explain(&tenant, ask("2026-11-24T07:00:00")).await;
    assert_eq!(
        (&told["allow"], &told["reason"]),
        (&json!(false), &json!("no_authority")),
        "{told}"
    );
    assert_eq!(told["terminal"]["state"], Value::Null);
    assert_eq!(
        told["terminal"]["sentence"],
        "the terminal is told nothing of the person"
    );

    let made = authority(
        &tenant,
        json!({"device_ids": [device["id"]], "group_ids": [staff], "schedule_id": shift}),
    )
    .await;
    let told = explain(&tenant, ask("2026-11-24T06:12:00")).await;
    assert_eq!(
        told["sentence"],
        "not in schedule 'Day shift': Tuesday 06:12 is outside 06:30-09:00"
    );
    assert_eq!(
        (&told["allow"], &told["reason"]),
        (&json!(false), &json!("outside_schedule"))
    );
    assert_eq!(told["at"], "2026-11-23T22:12:00Z");
    assert_eq!(
        (&told["local_time"], &told["timezone"]),
        (&json!("2026-11-24T06:12:00"), &json!("Asia/Shanghai"))
    );
    // By code and serial number, as an instant.
    let told = explain(
        &tenant,
        json!({"person": "A-17", "device": sn, "at": "2026-11-23T22:30:00Z"}),
    )
    .await;
    assert_eq!(
        (&told["allow"], &told["reason"]),
        (&json!(true), &json!("in_schedule")),
        "{told}"
    );
    assert_eq!(
        (&told["person_id"], &told["device_id"]),
        (&json!(someone), &device["id"])
    );
    assert_eq!(
        (
            &told["authority_id"],
            &told["group_id"],
            &told["schedule_id"]
        ),
        (&made["id"], &json!(staff), &json!(shift))
    );
    assert_eq!(
        (&told["group_name"], &told["schedule_name"]),
        (&json!("Workshop"), &json!("Day shift"))
    );
    let told = explain(&tenant, ask("2026-12-01T07:00:00")).await;
    assert_eq!(
        (&told["allow"], &told["reason"]),
        (&json!(false), &json!("holiday")),
        "{told}"
    );
    for (measured, reason) in [
        (json!({"temperature_celsius": 38.1}), "temperature"),
        (json!({"mask": "not_worn"}), "mask"),
        (
            json!({"mask": "worn", "temperature_celsius": 36.6}),
            "in_schedule",
        ),
    ] {
        let mut body = ask("2026-11-24T07:00:00");
        body.as_object_mut()
            .unwrap()
            .extend(measured.as_object().unwrap().clone());
        assert_eq!(explain(&tenant, body).await["reason"], reason);
    }

    // What is not there, or another tenant's, is named.
    let stranger = json!({"person": someone, "device": device["id"], "at": "soon"});
    let refused = other.api.post("/v1/access:explain", stranger).await;
    assert_eq!(pointers(&refused), ["/person", "/device", "/at"]);
}

#[tokio::test]
async fn the_person_comes_before_the_schedule() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let device = tenant.device(&fresh_sn()).await;
    let someone = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let staff = group(&tenant, "Workshop", "staff", &[&someone]).await;
    let banned = group(&tenant, "Banned", "blocklist", &[]).await;
    let shift = mornings(&tenant).await;
    authority(
        &tenant,
        json!({"device_ids": [device["id"]], "group_ids": [staff], "schedule_id": shift}),
    )
    .await;
    authority(
        &tenant,
        json!({"device_ids": [device["id"]], "group_ids": [banned]}),
    )
    .await;
    let reason = async || {
        let body = json!({"person": someone, "device": device["id"], "at": "2026-11-24T12:00:00"});
        let told = explain(&tenant, body).await;
        (
            told["allow"].as_bool().unwrap(),
            told["reason"].as_str().unwrap().to_owned(),
        )
    };
    let path = format!("/v1/persons/{someone}");
    for (change, allow, expected) in [
        (json!({}), false, "outside_schedule"),
        (json!({"priority": "always"}), true, "always"),
        (
            json!({"valid_from": "2026-11-24T12:00:01"}),
            false,
            "not_yet_valid",
        ),
        (
            json!({"valid_from": null, "valid_to": "2026-11-24T12:00:00"}),
            false,
            "expired",
        ),
        (
            json!({"valid_to": null, "priority": "never"}),
            false,
            "never",
        ),
        (
            json!({"priority": "always", "disabled": true}),
            false,
            "disabled",
        ),
        (json!({"disabled": false}), true, "always"),
    ] {
        api.patch(&path, change.clone()).await.expect(200);
        assert_eq!(reason().await, (allow, expected.to_owned()), "{change}");
    }
    let joined = format!("/v1/groups/{banned}/members/{someone}");
    api.put(&joined).await.expect(204);
    assert_eq!(reason().await, (false, "blocklisted".to_owned()));
}

#[tokio::test]
async fn what_the_terminal_knows_is_told_beside_the_decision() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let someone = person(&tenant, json!({"name": "Li Wei", "type": "staff"})).await;
    let staff = group(&tenant, "Workshop", "staff", &[&someone]).await;
    authority(
        &tenant,
        json!({"device_ids": [device["id"]], "group_ids": [staff]}),
    )
    .await;
    let ask = json!({"person": someone, "device": device["id"]});
    let in_state = async |state: &str| {
        until(&format!("the state {state}"), SOON, || async {
            let told = explain(&tenant, ask.clone()).await;
            assert_eq!(told["allow"], true, "whatever the terminal knows");
            (told["terminal"]["state"] == state).then_some(told["terminal"].clone())
        })
        .await
    };
    let told = in_state("failed").await;
    assert_eq!(
        (&told["is_current"], &told["holds_person"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(told["error"]["code"], "no_photo");
    portrait(&tenant, &someone).await;
    let told = in_state("pending").await;
    assert_eq!(told["online"], false);
    let sentence = told["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("the terminal does not know the person yet: it is offline"),
        "{sentence}"
    );
    let profile = gatehouse_simulator::TerminalProfile::new(&tenant.terminal_url, &sn);
    let terminal = gatehouse_simulator::Terminal::connect(profile)
        .await
        .unwrap();
    let told = in_state("applied").await;
    assert_eq!(
        (&told["is_current"], &told["holds_person"]),
        (&json!(true), &json!(true))
    );
    let sentence = told["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("the terminal knows it: it confirmed at "),
        "{sentence}"
    );
    assert_eq!(terminal.persons().len(), 1);
}
