//! Too much at once: held back or turned away, while others go on.

use super::{Neighbour, resident_bytes};
use crate::terminal_day::refused;
use gatehouse_simulator::{Terminal, TerminalProfile};
use kit::RawSocket;
use kit::process::Gatehouse;
use kit::raw::{Incoming, TEXT, frame_header, record_message};
use kit::world::{Tenant, fresh_sn};
use serde_json::json;
use std::time::{Duration, Instant};

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn a_terminal_that_floods_is_read_at_its_rate() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let text = json!({"msgType": "keepAlive", "deviceNo": sn, "token": token}).to_string();
    let mut bytes = Vec::new();
    for _ in 0..800 {
        bytes.extend(frame_header(0x80 | TEXT, text.len()));
        bytes.extend_from_slice(text.as_bytes());
    }
    let begun = Instant::now();
    socket.send_bytes(&bytes).await.unwrap();
    // 400 at once, then 200 a second: the 800th two seconds later at the earliest. None is lost.
    for _ in 0..800 {
        socket.message("keepAliveResp").await;
    }
    assert!(
        begun.elapsed() > Duration::from_millis(1_800),
        "{:?}",
        begun.elapsed()
    );
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn a_tenant_that_floods_is_read_at_its_rate_and_others_are_not() {
    let _world = kit::shared().await;
    let settings = [("GATEHOUSE_TENANT_MESSAGES_PER_SECOND", "100")];
    let hub = Gatehouse::start("all", &settings).await;
    let (loud, calm) = (
        Tenant::create(&hub.base_url).await,
        Tenant::create(&hub.base_url).await,
    );
    let calm_sn = fresh_sn();
    calm.device(&calm_sn).await;
    let (mut other, calm_token) = RawSocket::registered(&calm.terminal_url, &calm_sn).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let sn = fresh_sn();
        loud.device(&sn).await;
        let (mut socket, token) = RawSocket::registered(&loud.terminal_url, &sn).await;
        let text = json!({"msgType": "keepAlive", "deviceNo": sn, "token": token}).to_string();
        let mut bytes = frame_header(0x80 | TEXT, text.len());
        bytes.extend_from_slice(text.as_bytes());
        let begun = Instant::now();
        socket.send_bytes(&bytes.repeat(110)).await.unwrap();
        sockets.push((socket, begun));
    }
    // Meanwhile the other tenant's terminal is answered at once, by itself.
    other
        .send_json(&record_message(&calm_sn, &calm_token, "1"))
        .await
        .unwrap();
    assert_eq!(other.message("uploadRecordResp").await["errorCode"], "100");
    let begun = sockets[0].1;
    for (socket, _) in &mut sockets {
        for _ in 0..110 {
            socket.message("keepAliveResp").await;
        }
    }
    assert!(
        begun.elapsed() > Duration::from_millis(1_800),
        "330 messages at 100 a second: {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_message_that_never_ends_is_given_up() {
    let _world = kit::shared().await;
    let hub = Gatehouse::start("all", &[("GATEHOUSE_TERMINAL_MESSAGE_WITHIN_MS", "600")]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let text = record_message(&sn, &token, "1").to_string();
    socket
        .send_bytes(&frame_header(0x80 | TEXT, text.len()))
        .await
        .unwrap();
    socket.send_bytes(&text.as_bytes()[..50]).await.unwrap();
    assert_eq!(socket.closed().await, 1008);
    // Nor does it help to send a byte now and then, or to begin with a registration.
    let mut drip = RawSocket::open(&tenant.terminal_url).await.unwrap();
    drip.send_bytes(&frame_header(0x80 | TEXT, 1_000))
        .await
        .unwrap();
    let code = loop {
        if drip.send_bytes(b" ").await.is_err() {
            break 0;
        }
        match tokio::time::timeout(Duration::from_millis(50), drip.next()).await {
            Ok(Incoming::Close(code, _)) => break code,
            Ok(Incoming::Message(_)) | Err(_) => {}
            Ok(Incoming::End) => panic!("it ended without a close frame"),
        }
    };
    assert_eq!(code, 1008);
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn half_messages_of_many_cost_bounded_memory() {
    let _world = kit::shared().await;
    let hub = Gatehouse::start("all", &[("GATEHOUSE_TERMINAL_BUFFER_BYTES", "8388608")]).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let neighbour = Neighbour::of(&tenant).await;
    neighbour.goes_on().await;
    let before = resident_bytes(hub.pid());
    let (mut sockets, mut turned_away) = (Vec::new(), 0);
    let piece = vec![b' '; 64 * 1024];
    for _ in 0..40 {
        let sn = fresh_sn();
        tenant.device(&sn).await;
        let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
        let mut sent = socket
            .send_bytes(&frame_header(0x80 | TEXT, 4_000_000))
            .await;
        for _ in 0..60 {
            if sent.is_err() {
                break;
            }
            sent = socket.send_bytes(&piece).await;
        }
        turned_away += usize::from(sent.is_err());
        sockets.push(socket);
    }
    // 150 MB were sent, 8 MiB may be held.
    let mut closed = turned_away;
    for socket in &mut sockets {
        if let Ok(Incoming::Close(..) | Incoming::End) =
            tokio::time::timeout(Duration::from_millis(100), drain(socket)).await
        {
            closed += 1;
        }
    }
    assert!(closed >= 30, "{closed} of 40 were turned away");
    let after = resident_bytes(hub.pid());
    assert!(
        after < before + 80 * MIB,
        "{} MiB before, {} MiB after",
        before / MIB,
        after / MIB
    );
    neighbour.was_undisturbed().await;
}

async fn drain(socket: &mut RawSocket) -> Incoming {
    loop {
        match socket.next().await {
            Incoming::Message(_) => {}
            end => return end,
        }
    }
}

#[tokio::test]
async fn connections_that_never_register_take_turns_and_leave() {
    let _world = kit::shared().await;
    let settings = [
        ("GATEHOUSE_TERMINAL_KNOCKS_PER_ADDRESS", "8"),
        ("GATEHOUSE_TERMINAL_REGISTER_WITHIN_MS", "500"),
    ];
    let hub = Gatehouse::start("all", &settings).await;
    let tenant = Tenant::create(&hub.base_url).await;
    let neighbour = Neighbour::of(&tenant).await;
    let idlers = (0..60).map(|_| async {
        match RawSocket::open(&tenant.terminal_url).await {
            Ok(mut socket) => socket.closed().await,
            Err(status) => status,
        }
    });
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let profile = TerminalProfile {
        reconnect: (Duration::from_millis(100), Duration::from_millis(500)),
        ..TerminalProfile::new(&tenant.terminal_url, &sn)
    };
    let (ends, honest) = tokio::join!(futures_util::future::join_all(idlers), async {
        let terminal = Terminal::spawn_reconnecting(profile);
        terminal.wait_online(Duration::from_secs(30)).await.unwrap();
        terminal
    });
    assert!(ends.iter().all(|end| matches!(end, 1008 | 503)), "{ends:?}");
    assert!(ends.iter().filter(|end| **end == 1008).count() >= 8);
    assert!(honest.is_online());
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn a_flood_of_unknown_serial_numbers_is_refused_and_listed_once_each() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let numbers: Vec<String> = (0..40).map(|_| fresh_sn()).collect();
    for _ in 0..2 {
        let knocks = numbers
            .iter()
            .map(|sn| refused(TerminalProfile::new(&tenant.terminal_url, sn)));
        for (code, close) in futures_util::future::join_all(knocks).await {
            assert_eq!((code.as_str(), close), ("200", Some(1008)));
        }
    }
    let listed = tenant.api.list("/v1/discovered-devices").await;
    assert_eq!(listed.len(), 40);
    assert!(
        listed.iter().all(|found| found["attempts"] == 2),
        "{listed:?}"
    );
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn one_socket_that_registers_again_and_again() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    for _ in 0..50 {
        socket
            .send_json(&kit::raw::register_message(&sn))
            .await
            .unwrap();
    }
    let answer = socket.message("registerResp").await;
    assert_eq!(answer["errorCode"], "100");
    let token = answer["token"].as_str().unwrap();
    socket
        .send_json(&record_message(&sn, token, "1"))
        .await
        .unwrap();
    assert_eq!(socket.message("uploadRecordResp").await["errorCode"], "100");
    neighbour.was_undisturbed().await;
}
