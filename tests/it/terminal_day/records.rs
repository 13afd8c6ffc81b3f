//! What people do at a terminal, as the API tells it: every field, both pictures. Two tenants side by
//! side.

use super::record_of;
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_simulator::{IdDocument, Pass, photo};
use kit::world::fresh_sn;
use serde_json::{Value, json};

fn as_time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn two_tenants_with_the_same_serial_number_see_their_own_and_nothing_else() {
    let world = kit::shared().await;
    let (a, b) = (world.tenant().await, world.tenant().await);
    let sn = fresh_sn();
    let (device_a, terminal_a) = a.terminal(&sn).await;
    let (device_b, terminal_b) = b.terminal(&sn).await;
    let (face, stored) = (photo::jpeg(30, 1), photo::jpeg(20, 2));
    let pass = Pass::staff("20001", "张三")
        .with_photo(face.clone())
        .with_compare_photo(stored.clone());
    assert!(
        terminal_a
            .pass(pass.with_temperature("36.5"))
            .await
            .unwrap()
            .is_accepted()
    );
    assert!(
        terminal_b
            .pass(Pass::stranger())
            .await
            .unwrap()
            .is_accepted()
    );

    let of_a = record_of(&a, "张三").await;
    assert_eq!(of_a["device_id"], device_a["id"]);
    let of_b = record_of(&b, "陌生人").await;
    assert_eq!(of_b["device_id"], device_b["id"]);

    // B's key on A's ids.
    let (record, device) = (
        of_a["id"].as_str().unwrap(),
        device_a["id"].as_str().unwrap(),
    );
    for path in [
        format!("/v1/records/{record}"),
        format!("/v1/devices/{device}"),
        format!("/v1/devices/{device}/parameters"),
        format!("/v1/devices/{device}/commands"),
        format!("/v1/devices/{device}/connection"),
        format!("/v1/devices/{device}/unknown-messages"),
    ] {
        assert_eq!(a.api.get(&path).await.status, 200, "{path}");
        assert_eq!(b.api.get(&path).await.problem(404), "not_found", "{path}");
    }
    assert!(
        b.api
            .list(&format!("/v1/records?device_id={device}"))
            .await
            .is_empty()
    );
    assert_eq!(b.api.list("/v1/devices").await.len(), 1);

    // The pictures, by their links alone.
    let anonymous = world.anonymous();
    for (url, bytes) in [
        (&of_a["snapshot_url"], &face),
        (&of_a["compare_url"], &stored),
    ] {
        let path = url
            .as_str()
            .unwrap()
            .strip_prefix(&world.base_url)
            .expect("the public address");
        let picture = anonymous.get(path).await;
        assert_eq!((picture.status, &picture.body), (200, bytes));
        assert_eq!(picture.headers["content-type"], "image/jpeg");
    }
}

#[tokio::test]
async fn a_record_has_every_field_that_the_terminal_told() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    let before = Utc::now();
    let pass = Pass {
        mask: Some(true),
        compare_point: Some("68".to_owned()),
        position: Some(("116.481499".to_owned(), "39.990475".to_owned())),
        ..Pass::staff("20001", "张三")
            .with_temperature("38.1")
            .with_card("0000008899")
    };
    assert!(
        terminal
            .pass(pass.with("snapType", "2"))
            .await
            .unwrap()
            .is_accepted()
    );
    let listed = record_of(&tenant, "张三").await;
    let record = tenant
        .api
        .get(&format!("/v1/records/{}", listed["id"].as_str().unwrap()))
        .await
        .expect(200);
    for (field, value) in [
        ("device_id", device["id"].clone()),
        ("person_id", Value::Null),
        ("person_number", json!("20001")),
        ("person_name", json!("张三")),
        ("type", json!("staff")),
        ("result", json!("passed")),
        ("verification", json!("face_and_card")),
        ("passage", json!("in")),
        ("temperature_verdict", json!("high")),
        ("mask", json!("worn")),
        ("match_score", json!(68.0)),
        ("card_number", json!("0000008899")),
        (
            "position",
            json!({"longitude": 116.481_499, "latitude": 39.990_475}),
        ),
        ("snapshot_url", Value::Null),
        ("photo_fault", Value::Null),
        ("clock_verdict", json!("trusted")),
        ("door_answer", json!("left_to_terminal")),
        ("has_id_document", json!(false)),
    ] {
        assert_eq!(record[field], value, "{field}");
    }
    assert!((record["temperature"].as_f64().unwrap() - 38.1).abs() < 0.001);
    let (passed, received) = (
        as_time(&record["passed_at"]),
        as_time(&record["received_at"]),
    );
    assert!(
        passed >= before - TimeDelta::seconds(2) && passed <= received && received <= Utc::now()
    );
    assert!(
        record["raw"]["token"].is_null() && record["raw"]["department"] == "测试部",
        "{}",
        record["raw"]
    );
    assert!(
        listed.get("raw").is_none(),
        "the list leaves the raw record out"
    );
}

#[tokio::test]
async fn types_results_and_ways_of_verification_are_told_in_words() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    for (name, pass, kind, result, verification) in [
        ("r0", Pass::staff("1", "r0"), "staff", "passed", "face"),
        (
            "r1",
            Pass::staff("1", "r1").with_result("1"),
            "staff",
            "failed",
            "face",
        ),
        (
            "r2",
            Pass::staff("1", "r2").with_result("2"),
            "staff",
            "outside_schedule",
            "face",
        ),
        (
            "r3",
            Pass::staff("1", "r3").with_result("3"),
            "staff",
            "expired",
            "face",
        ),
        (
            "r4",
            Pass::staff("1", "r4").with_result("4"),
            "staff",
            "unauthorized",
            "face",
        ),
        (
            "r9",
            Pass::staff("1", "r9").with_result("9"),
            "staff",
            "failed",
            "face",
        ),
        (
            "card",
            Pass::staff("1", "card").with_card("77"),
            "staff",
            "passed",
            "card",
        ),
        (
            "blocked",
            Pass::staff("1", "blocked").with("priority", "1"),
            "blocklist",
            "passed",
            "face",
        ),
        ("陌生人", Pass::stranger(), "stranger", "failed", "face"),
    ] {
        assert!(terminal.pass(pass).await.unwrap().is_accepted());
        let record = record_of(&tenant, name).await;
        let told = [&record["type"], &record["result"], &record["verification"]];
        assert_eq!(told, [kind, result, verification], "{name}");
    }
}

#[tokio::test]
async fn an_identity_document_is_sealed() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    let document = IdDocument {
        number: "110101199003077571".to_owned(),
        ethnicity: "汉".to_owned(),
        address: "北京市东城区某街1号".to_owned(),
        authority: "北京市公安局".to_owned(),
    };
    let pass = Pass {
        birth: "19900307".to_owned(),
        ..Pass::staff("", "李四")
    };
    assert!(
        terminal
            .pass(pass.with_document(document))
            .await
            .unwrap()
            .is_accepted()
    );
    let record = record_of(&tenant, "李四").await;
    assert_eq!(
        (&record["verification"], &record["has_id_document"]),
        (&json!("id_document"), &json!(true))
    );
    let rows = tenant.rows().await;
    let (row, sealed): (String, Vec<u8>) = sqlx::query_as(
        "select (to_jsonb(r) - 'id_document_sealed')::text, id_document_sealed from hub.records r",
    )
    .fetch_one(&rows)
    .await
    .unwrap();
    for secret in ["110101199003077571", "东城区", "公安局"] {
        assert!(!row.contains(secret), "{secret} stands in the row");
        assert!(!sealed.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
    let whole = tenant
        .api
        .get(&format!("/v1/records/{}", record["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert!(!whole.to_string().contains("110101199003077571"));
}
