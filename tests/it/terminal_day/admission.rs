//! Who is admitted: claimed serial numbers on a valid token, bound ones at any path, signatures as
//! the device's setting has it; and what those hear who are not.

use super::{SOON, device, device_with, refused, refused_handshake};
use crate::terminal_day::close_code;
use gatehouse_simulator::{Event, Faults, Pass, Quirks, SignStyle, Terminal, TerminalProfile};
use kit::raw::{Incoming, register_message};
use kit::world::fresh_sn;
use kit::{RawSocket, until};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_answer_to_a_registration_has_the_documents_form() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let mut socket = RawSocket::open(&tenant.terminal_url).await.unwrap();
    let before_ms = chrono::Utc::now().timestamp_millis();
    socket.send_json(&register_message(&sn)).await.unwrap();
    let answer = match socket.next().await {
        Incoming::Message(answer) => answer,
        other => panic!("{other:?}"),
    };
    let mut keys: Vec<&str> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["deviceNo", "errorCode", "msgType", "registerTime", "token"]
    );
    assert_eq!(answer["msgType"], "registerResp");
    assert_eq!(answer["deviceNo"], json!(sn));
    assert_eq!(answer["errorCode"], "100");
    let time = answer["registerTime"].as_str().unwrap();
    assert_eq!(time.len(), 13, "milliseconds: {time}");
    let time_ms: i64 = time.parse().unwrap();
    assert!(
        (before_ms..=chrono::Utc::now().timestamp_millis()).contains(&time_ms),
        "{time_ms}"
    );
    let token = answer["token"].as_str().unwrap();
    assert!(
        token.len() == 13 && token.bytes().all(|b| b.is_ascii_digit()),
        "{token}"
    );
    // The cloud reads the parameters once, of itself (2.1.7).
    let read = socket.message("onlineGetDevInfo").await;
    assert_eq!(read["deviceNo"], json!(sn), "{read}");
    assert!(read["msgID"].is_string(), "{read}");
}

#[tokio::test]
async fn parameters_are_read_after_a_registration_and_kept() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, _terminal) = tenant.terminal(&fresh_sn()).await;
    let path = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    let parameters = until("the reported parameters", SOON, || async {
        let parameters = tenant.api.get(&path).await.expect(200);
        parameters["reported"].is_object().then_some(parameters)
    })
    .await;
    assert_eq!(parameters["reported"]["voiceVolume"], "1");
    assert_eq!(parameters["reported"]["faceRegisterConfidenceScore"], "92");
    assert_eq!(
        parameters["reported"]["devicePassword"], "••••",
        "secrets are masked"
    );
    assert_eq!(parameters["desired"], json!({}));
    assert_eq!(parameters["difference"], json!({}));
}

#[tokio::test]
async fn an_unknown_serial_number_is_listed_refused_claimed_and_then_admitted() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let other = world.tenant().await;
    let sn = fresh_sn();
    // Known to another tenant: that makes it no less unknown here.
    other.device(&sn).await;

    for _ in 0..2 {
        let (code, close) = refused(TerminalProfile::new(&tenant.terminal_url, &sn)).await;
        assert_eq!((code.as_str(), close), ("200", Some(1008)));
    }
    let found = tenant.api.list("/v1/discovered-devices").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["sn"], json!(sn));
    assert_eq!(found[0]["protocol"], "terminal_ws");
    assert_eq!(found[0]["attempts"], 2);
    assert_eq!(found[0]["remote_address"], "127.0.0.1");
    assert_eq!(found[0]["software_version"], "2.1.9 2020-02-13");
    assert!(other.api.list("/v1/discovered-devices").await.is_empty());

    let claimed = tenant.device(&sn).await;
    assert!(
        tenant.api.list("/v1/discovered-devices").await.is_empty(),
        "a claimed number is no discovery"
    );
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    device_with(&tenant, &claimed["id"], "online", true).await;
    drop(terminal);
}

#[tokio::test]
async fn a_discovered_number_can_be_forgotten() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let sn = fresh_sn();
    refused(TerminalProfile::new(&tenant.terminal_url, &sn)).await;
    let found = tenant.api.list("/v1/discovered-devices").await;
    let path = format!(
        "/v1/discovered-devices/{}",
        found[0]["id"].as_str().unwrap()
    );
    assert_eq!(other.api.delete(&path).await.problem(404), "not_found");
    tenant.api.delete(&path).await.expect(204);
    assert_eq!(tenant.api.delete(&path).await.problem(404), "not_found");
    assert!(tenant.api.list("/v1/discovered-devices").await.is_empty());
}

#[tokio::test]
async fn a_device_of_another_protocol_is_not_admitted() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant
        .api
        .post("/v1/devices", json!({"sn": sn, "protocol": "http_push"}))
        .await
        .expect(201);
    let (code, close) = refused(TerminalProfile::new(&tenant.terminal_url, &sn)).await;
    assert_eq!((code.as_str(), close), ("200", Some(1008)));
    assert!(
        tenant.api.list("/v1/discovered-devices").await.is_empty(),
        "it is no stranger either"
    );
}

#[tokio::test]
async fn a_bad_token_is_refused_before_there_is_a_socket() {
    let world = kit::shared().await;
    let host = world.base_url.replacen("http", "ws", 1);
    for path in [
        "terminal/nonsense",
        "terminal/%00",
        "terminal/0123456789012345678901234567890123456789012",
    ] {
        let status = refused_handshake(TerminalProfile::new(&format!("{host}/{path}"), "1")).await;
        assert_eq!(status, 401, "{path}");
    }
}

#[tokio::test]
async fn signatures_are_judged_as_the_device_has_it() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for (setting, style, verdict) in [
        ("off", SignStyle::Wrong, Some("wrong")),
        ("warn", SignStyle::Missing, Some("missing")),
        ("warn", SignStyle::Wrong, Some("wrong")),
        ("enforce", SignStyle::Correct, Some("valid")),
        ("enforce", SignStyle::LowerCase, Some("valid")),
        ("enforce", SignStyle::Wrong, None),
        ("enforce", SignStyle::Missing, None),
    ] {
        let sn = fresh_sn();
        let created = tenant
            .api
            .post("/v1/devices", json!({"sn": sn, "sign_check": setting}))
            .await
            .expect(201);
        let profile = TerminalProfile {
            sign: style,
            ..TerminalProfile::new(&tenant.terminal_url, &sn)
        };
        match verdict {
            Some(verdict) => {
                let terminal = Terminal::connect(profile).await.unwrap();
                let device = device(&tenant, &created["id"]).await;
                assert_eq!(device["sign_verdict"], verdict, "{setting} {style:?}");
                drop(terminal);
            }
            None => {
                let (code, close) = refused(profile).await;
                assert_eq!(
                    (code.as_str(), close),
                    ("201", Some(1008)),
                    "{setting} {style:?}"
                );
            }
        }
    }
    assert!(tenant.api.list("/v1/discovered-devices").await.is_empty());
}

#[tokio::test]
async fn a_bound_serial_number_is_admitted_at_any_path() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let sn = fresh_sn();
    let created = tenant.device(&sn).await;
    let anywhere = format!("{}/face/ws?x=1", world.base_url.replacen("http", "ws", 1));
    let profile = TerminalProfile::new(&anywhere, &sn);

    // Claimed alone does not make it known without a token: a serial number is no secret.
    let (code, _) = refused(profile.clone()).await;
    assert_eq!(code, "200");

    let operator = world.operator();
    let binding = |tenant_id: &str| format!("/v1/tenants/{tenant_id}/terminal-bindings/{sn}");
    assert_eq!(
        tenant.api.put(&binding(&tenant.id)).await.problem(401),
        "unauthenticated"
    );
    operator.put(&binding(&tenant.id)).await.expect(201);
    operator.put(&binding(&tenant.id)).await.expect(200);
    assert_eq!(
        operator.put(&binding(&other.id)).await.problem(409),
        "already_exists"
    );

    let terminal = Terminal::connect(profile.clone()).await.unwrap();
    let ack = terminal.pass(Pass::staff("20001", "张三")).await.unwrap();
    assert!(ack.is_accepted());
    assert_eq!(
        super::record_of(&tenant, "张三").await["device_id"],
        created["id"]
    );
    let root = format!("{}/", world.base_url.replacen("http", "ws", 1));
    let again = Terminal::connect(TerminalProfile::new(&root, &sn))
        .await
        .unwrap();
    assert_eq!(close_code(&terminal).await, Some(4000));
    drop(again);

    operator.delete(&binding(&tenant.id)).await.expect(204);
    let (code, _) = refused(profile).await;
    assert_eq!(code, "200");
}

#[tokio::test]
async fn a_bound_number_that_nobody_claimed_is_listed_for_its_tenant() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let binding = format!("/v1/tenants/{}/terminal-bindings/{sn}", tenant.id);
    world.operator().put(&binding).await.expect(201);
    let anywhere = format!("{}/", world.base_url.replacen("http", "ws", 1));
    refused(TerminalProfile::new(&anywhere, &sn)).await;
    assert_eq!(
        tenant.api.list("/v1/discovered-devices").await[0]["sn"],
        json!(sn)
    );
}

#[tokio::test]
async fn a_registered_connection_stays_who_it_is() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (first, second) = (fresh_sn(), fresh_sn());
    tenant.device(&first).await;
    tenant.device(&second).await;
    let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &first).await;
    // The same again is a new registration, as after a restart of the terminal's program.
    socket.send_json(&register_message(&first)).await.unwrap();
    assert_eq!(socket.message("registerResp").await["errorCode"], "100");
    socket.send_json(&register_message(&second)).await.unwrap();
    assert_eq!(socket.message("registerResp").await["errorCode"], "200");
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn what_comes_before_a_registration_is_not_answered() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let mut socket = RawSocket::open(&tenant.terminal_url).await.unwrap();
    socket
        .send_json(&kit::raw::record_message(&sn, "1", "1001"))
        .await
        .unwrap();
    socket
        .send_json(&json!({"msgType": "keepAlive", "deviceNo": sn}))
        .await
        .unwrap();
    socket.send_json(&register_message(&sn)).await.unwrap();
    match socket.next().await {
        Incoming::Message(answer) => assert_eq!(answer["msgType"], "registerResp", "{answer}"),
        other => panic!("{other:?}"),
    }
    assert!(tenant.api.list("/v1/records").await.is_empty());
}

#[tokio::test]
async fn the_documents_own_contradictions_make_no_difference() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let created = tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    profile.quirks = Quirks {
        keys_with_trailing_space: true,
        trailing_comma: true,
        no_comma_before_data: true,
        parameters_without_msg_type: true,
        duplicate_parameter: true,
        token_with_trailing_space: true,
        ..Quirks::default()
    };
    profile.faults = Faults {
        other_device_no: Some("wannen".to_owned()),
        ..Faults::default()
    };
    profile.keep_alive_every = Duration::from_millis(50);
    let terminal = Terminal::connect(profile).await.unwrap();
    terminal
        .wait_for(SOON, |event| matches!(event, Event::KeptAlive))
        .await
        .unwrap();
    let ack = terminal.pass(Pass::staff("20001", "李四")).await.unwrap();
    assert!(ack.is_accepted());
    let path = format!("/v1/devices/{}/parameters", created["id"].as_str().unwrap());
    let reported = until("the parameters", SOON, || async {
        let parameters = tenant.api.get(&path).await.expect(200);
        parameters["reported"]
            .is_object()
            .then(|| parameters["reported"].clone())
    })
    .await;
    assert_eq!(
        reported["faceRFIDCardEnable"], "0",
        "of a name that comes twice, the last value counts"
    );
    assert!(terminal.is_online());
    assert!(
        !terminal
            .events()
            .iter()
            .any(|event| matches!(event, Event::Unreadable { .. }))
    );
}
