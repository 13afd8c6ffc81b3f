//! Sessions: one per terminal, kept alive, dead when silent, told of by the API.

use super::{SOON, close_code, device_with, records};
use gatehouse_simulator::{Event, Faults, Pass, Terminal, TerminalProfile};
use kit::process::Gatehouse;
use kit::world::{Tenant, fresh_sn};
use kit::{RawSocket, until};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_second_login_closes_the_first() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let (device, first) = tenant.terminal(&sn).await;
    let second = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    assert_eq!(close_code(&first).await, Some(4000));
    assert!(second.pass(Pass::stranger()).await.unwrap().is_accepted());
    device_with(&tenant, &device["id"], "online", true).await;
    second.close().await;
    let gone = device_with(&tenant, &device["id"], "online", false).await;
    assert_eq!(gone["sn"], json!(sn));
}

#[tokio::test]
async fn presence_follows_the_connection() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let created = tenant.device(&fresh_sn()).await;
    assert_eq!(created["online"], false);
    assert_eq!(created["last_seen_at"], json!(null));
    let profile = TerminalProfile::new(&tenant.terminal_url, created["sn"].as_str().unwrap());
    let profile = TerminalProfile {
        position: Some(("116.481499".to_owned(), "39.990475".to_owned())),
        keep_alive_every: Duration::from_millis(100),
        ..profile
    };
    let terminal = Terminal::connect(profile).await.unwrap();
    let here = device_with(&tenant, &created["id"], "online", true).await;
    assert!(
        here["last_seen_at"].is_string() && here["connected_at"].is_string(),
        "{here}"
    );
    assert_eq!(here["software_version"], "2.1.9 2020-02-13");
    assert_eq!(tenant.api.list("/v1/devices?online=true").await.len(), 1);
    assert!(tenant.api.list("/v1/devices?online=false").await.is_empty());
    assert!(other.api.list("/v1/devices").await.is_empty());
    terminal
        .wait_for(SOON, |event| matches!(event, Event::KeptAlive))
        .await
        .unwrap();
    terminal.close().await;
    let gone = device_with(&tenant, &created["id"], "online", false).await;
    assert_eq!(gone["sn"], created["sn"]);
    // What the session told is written down with its end.
    let told = device_with(
        &tenant,
        &created["id"],
        "close_reason",
        "closed by the terminal",
    )
    .await;
    assert_eq!(
        (&told["longitude"], &told["latitude"]),
        (&json!(116.481_499), &json!(39.990_475))
    );
    assert!(told["disconnected_at"].is_string());
}

#[tokio::test]
async fn a_cut_connection_is_noticed_too() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    device_with(&tenant, &device["id"], "online", true).await;
    terminal.drop_connection().await;
    device_with(&tenant, &device["id"], "online", false).await;
}

#[tokio::test]
async fn keep_alives_are_answered_and_a_wrong_token_closes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    socket
        .send_json(&json!({"msgType": "keepAlive", "deviceNo": sn, "token": token}))
        .await
        .unwrap();
    let answer = socket.message("keepAliveResp").await;
    assert_eq!(answer, json!({"msgType": "keepAliveResp", "deviceNo": sn}));
    // A message without a token is taken.
    socket
        .send_json(&json!({"msgType": "keepAlive", "deviceNo": sn}))
        .await
        .unwrap();
    socket.message("keepAliveResp").await;
    socket
        .send_json(&json!({"msgType": "keepAlive", "deviceNo": sn, "token": "1234567890123"}))
        .await
        .unwrap();
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn unknown_messages_are_kept_and_counted_and_harm_nobody() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let created = tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    for n in 0..3 {
        let message = json!({"msgType": "onlineDance", "msgID": n.to_string(), "deviceNo": sn, "steps": ["\u{0}", "左", n]});
        socket.send_json(&message).await.unwrap();
    }
    let nothing = json!({"deviceNo": sn, "hello": true});
    socket.send_json(&nothing).await.unwrap();
    socket
        .send_json(&kit::raw::record_message(&sn, &token, "1"))
        .await
        .unwrap();
    assert_eq!(socket.message("uploadRecordResp").await["errorCode"], "100");
    let path = format!(
        "/v1/devices/{}/unknown-messages",
        created["id"].as_str().unwrap()
    );
    let kept = until("the unknown messages", SOON, || async {
        let kept = tenant.api.list(&path).await;
        (kept.len() >= 4).then_some(kept)
    })
    .await;
    assert_eq!(kept.len(), 4);
    assert_eq!(
        kept.iter()
            .filter(|message| message["message_type"] == "onlineDance")
            .count(),
        3
    );
    assert!(
        kept.iter()
            .any(|message| message["body"].as_str().unwrap().contains("左"))
    );
    drop(socket);
    let device = device_with(&tenant, &created["id"], "unknown_messages", 4).await;
    assert_eq!(device["malformed_messages"], 0);
    let other = world.tenant().await;
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
}

#[tokio::test]
async fn the_silent_and_the_undecided_are_closed() {
    let _world = kit::shared().await;
    let hub = Gatehouse::start(
        "all",
        &[
            ("GATEHOUSE_TERMINAL_REGISTER_WITHIN_MS", "300"),
            ("GATEHOUSE_TERMINAL_DEAD_AFTER_MS", "1500"),
        ],
    )
    .await;
    let tenant = Tenant::create(&hub.base_url).await;
    let mut undecided = RawSocket::open(&tenant.terminal_url).await.unwrap();
    assert_eq!(undecided.closed().await, 1008);

    let (silent_sn, lively_sn) = (fresh_sn(), fresh_sn());
    let created = tenant.device(&silent_sn).await;
    tenant.device(&lively_sn).await;
    let lively = TerminalProfile {
        keep_alive_every: Duration::from_millis(200),
        ..TerminalProfile::new(&tenant.terminal_url, &lively_sn)
    };
    let lively = Terminal::connect(lively).await.unwrap();
    let mut silent = TerminalProfile::new(&tenant.terminal_url, &silent_sn);
    silent.faults = Faults {
        never_keep_alive: true,
        ..Faults::default()
    };
    let silent = Terminal::connect(silent).await.unwrap();
    assert_eq!(close_code(&silent).await, Some(1001));
    device_with(&tenant, &created["id"], "close_reason", "no sign of life").await;
    assert!(
        lively.pass(Pass::stranger()).await.unwrap().is_accepted(),
        "who speaks stays"
    );
    assert_eq!(records(&tenant, "", 1).await.len(), 1);
}

#[tokio::test]
async fn a_process_holds_as_many_of_a_tenants_connections_as_it_may() {
    let _world = kit::shared().await;
    let hub = Gatehouse::start("all", &[("GATEHOUSE_TERMINAL_SESSIONS_PER_TENANT", "2")]).await;
    let (tenant, other) = (
        Tenant::create(&hub.base_url).await,
        Tenant::create(&hub.base_url).await,
    );
    let (_, first) = tenant.terminal(&fresh_sn()).await;
    let (_, _second) = tenant.terminal(&fresh_sn()).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let third = TerminalProfile::new(&tenant.terminal_url, &sn);
    assert_eq!(super::refused_handshake(third.clone()).await, 503);
    let (_, _others) = other.terminal(&fresh_sn()).await;
    first.close().await;
    until("room for the third", SOON, || async {
        Terminal::connect(third.clone()).await.ok()
    })
    .await;
}
