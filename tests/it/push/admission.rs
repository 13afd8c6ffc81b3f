//! Who is served, and what those hear who are not.

use super::{House, SOON, push_device, push_url};
use gatehouse_simulator::device::DeviceError;
use kit::until;
use kit::world::fresh_sn;
use serde_json::json;

#[tokio::test]
async fn an_unknown_device_is_told_so_listed_claimed_and_then_served() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    // Whatever stands between the token and the verb is the device's own.
    let device = push_device(&format!("{}/deepcloud/api", push_url(&tenant)), &sn);
    let (status, text) = device.send("syheartbeat", b"").await.unwrap();
    assert_eq!(
        (status, text.as_str()),
        (200, r#"{"ret":"1","desc":"设备未注册"}"#)
    );
    let listed = tenant.api.list("/v1/discovered-devices").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["sn"], json!(sn));
    assert_eq!(listed[0]["protocol"], "http_push");

    let claim = json!({"sn": sn, "name": "Gate", "protocol": "http_push"});
    let made = tenant.api.post("/v1/devices", claim).await.expect(201);
    let before_s = chrono::Utc::now().timestamp();
    let answer = device.heartbeat().await.unwrap();
    assert_eq!(answer["desc"], "Success");
    assert!(
        answer["timestamp"].as_i64().unwrap() >= before_s,
        "{answer}"
    );
    let path = format!("/v1/devices/{}", made["id"].as_str().unwrap());
    until("the device to be online", SOON, || async {
        let shown = tenant.api.get(&path).await.expect(200);
        (shown["online"] == true || shown["presence"] == "online").then_some(())
    })
    .await;
    assert!(tenant.api.list("/v1/discovered-devices").await.is_empty());
}

#[tokio::test]
async fn a_token_that_is_nobodys_or_revoked_serves_nobody() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let wrong = push_device(
        &format!("{}/push/{}", world.base_url, "x".repeat(43)),
        &house.sn,
    );
    let answer = wrong.heartbeat().await.unwrap_err();
    assert!(
        matches!(answer, DeviceError::Status { status: 401, ref body } if body.contains(r#""ret":"1""#)),
        "{answer}"
    );

    house.device.heartbeat().await.unwrap();
    let tokens = house.tenant.api.list("/v1/terminal-tokens").await;
    for token in &tokens {
        let path = format!("/v1/terminal-tokens/{}", token["id"].as_str().unwrap());
        let reply = house.tenant.api.delete(&path).await;
        assert!(matches!(reply.status, 200 | 204), "{}", reply.json);
    }
    until("the revoked token to be refused", SOON, || async {
        let refused = house.device.heartbeat().await;
        matches!(refused, Err(DeviceError::Status { status: 401, .. })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_terminal_of_the_other_protocol_is_refused_in_words() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let device = push_device(&push_url(&tenant), &sn);
    let (status, text) = device.send("syface", b"{}").await.unwrap();
    assert_eq!(status, 200);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&answer["ret"], &answer["openDoor"]),
        (&json!("1"), &json!(0))
    );
    assert!(
        answer["desc"].as_str().unwrap().contains("http_push"),
        "{answer}"
    );
}

#[tokio::test]
async fn nonsense_is_refused_counted_and_kept() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    house.device.heartbeat().await.unwrap();
    for (verb, body) in [
        ("syface", "userId=7".as_bytes()),
        ("syattribute", b"{\"Info\":"),
        ("syresult", b"\xff\xfe"),
        ("syface", b""),
        ("syheartbeat", b"alive"),
    ] {
        let (status, text) = house.device.send(verb, body).await.unwrap();
        assert_eq!(status, 200, "{verb}");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["ret"], "1", "{verb}: {answer}");
        assert_ne!(answer["openDoor"], 1, "{verb}");
    }
    let path = format!("/v1/devices/{}/connection", house.device_id);
    let shown = house.tenant.api.get(&path).await.expect(200);
    assert_eq!(shown["malformed_messages"], 5, "{shown}");
    let path = format!("/v1/devices/{}/unknown-messages", house.device_id);
    until("the bodies to be kept", SOON, || async {
        (house.tenant.api.list(&path).await.len() == 5).then_some(())
    })
    .await;
    assert!(house.records().await.is_empty());

    let (status, text) = house.device.send("sydelete", b"{}").await.unwrap();
    assert_eq!(status, 404, "{text}");
    let big = vec![b' '; 4 * 1024 * 1024 + 1];
    match house.device.send("syface", &big).await {
        Ok((status, _)) => assert_eq!(status, 413),
        // The answer may come before the body has gone out, and the connection end with it.
        Err(error) => assert!(matches!(error, DeviceError::Io { .. }), "{error}"),
    }
    house.device.heartbeat().await.unwrap();
}

#[tokio::test]
async fn silence_of_three_intervals_is_an_absence() {
    let world = kit::shared().await;
    let house = House::of(world.tenant().await).await;
    let patient = House::of(house.tenant.clone()).await;
    for house in [&house, &patient] {
        house.device.heartbeat().await.unwrap();
    }
    // One is known to beat every minute; both were last heard 100 s ago.
    let moved = sqlx::query(
        "update hub.terminals set last_seen_at = now() - interval '100 s', connected_at = now() - interval '1 h'",
    );
    moved.execute(&house.rows).await.unwrap();
    sqlx::query("update hub.push_devices set interval_ms = 60000 where device_id = $1")
        .bind(patient.device_uuid())
        .execute(&house.rows)
        .await
        .unwrap();
    let reason = async |device: uuid::Uuid| {
        sqlx::query_scalar::<_, Option<String>>(
            "select close_reason from hub.terminals where device_id = $1",
        )
        .bind(device)
        .fetch_one(&house.rows)
        .await
        .unwrap()
    };
    until("the silent device to be missed", SOON, || async {
        (reason(house.device_uuid()).await.as_deref() == Some("silent")).then_some(())
    })
    .await;
    assert_eq!(reason(patient.device_uuid()).await, None);
}
