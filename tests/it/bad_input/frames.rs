//! Frames that are no messages, and what is no frame at all.

use super::Neighbour;
use crate::terminal_day::device_with;
use kit::RawSocket;
use kit::raw::{BINARY, Incoming, TEXT, frame_header, record_message, register_message};
use kit::world::fresh_sn;
use serde_json::json;

const MIB: usize = 1024 * 1024;

/// Bytes that are no JSON object, in whatever way.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let deep_list = format!(
        "{{\"msgType\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let wide: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\":{n}")).collect();
    vec![
        ("nothing", Vec::new()),
        ("NUL alone", vec![0; 100]),
        ("half an object", b"{\"msgType\":\"keepAli".to_vec()),
        ("a list", b"[1,2,3]".to_vec()),
        ("a number", b"42".to_vec()),
        ("null", b"null".to_vec()),
        ("words", "这不是消息".as_bytes().to_vec()),
        (
            "two objects",
            b"{\"msgType\":\"keepAlive\"}{\"msgType\":\"keepAlive\"}".to_vec(),
        ),
        ("deep", deep.into_bytes()),
        ("a deep list", deep_list.into_bytes()),
        ("wide", format!("{{{}}}", wide.join(",")).into_bytes()),
        (
            "a record without an id",
            b"{\"msgType\":\"uploadRecord\"}".to_vec(),
        ),
        ("a lone surrogate", b"{\"msgType\":\"\\ud800\"".to_vec()),
    ]
}

#[tokio::test]
async fn before_a_registration_anything_but_one_closes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    for (what, bytes) in nonsense()
        .into_iter()
        .filter(|(what, _)| *what != "a record without an id")
    {
        let mut socket = RawSocket::open(&tenant.terminal_url).await.unwrap();
        socket.send(TEXT, &bytes).await.unwrap();
        assert_eq!(socket.closed().await, 1008, "{what}");
    }
    // A registration of nobody, and one that says too much.
    for message in [
        json!({"msgType": "register"}),
        json!({"msgType": "register", "deviceNo": "x".repeat(5_000)}),
    ] {
        let mut socket = RawSocket::open(&tenant.terminal_url).await.unwrap();
        socket.send_json(&message).await.unwrap();
        assert_eq!(socket.closed().await, 1008);
    }
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn after_it_nonsense_is_counted_and_not_answered() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let all = nonsense();
    for (place, (what, bytes)) in all.iter().enumerate() {
        let opcode = if place % 2 == 0 { TEXT } else { BINARY };
        socket.send(opcode, bytes).await.unwrap();
        let id = place.to_string();
        socket
            .send_json(&record_message(&sn, &token, &id))
            .await
            .unwrap();
        let answer = socket.message("uploadRecordResp").await;
        assert_eq!(
            (&answer["msgID"], &answer["errorCode"]),
            (&json!(id), &json!("100")),
            "{what}"
        );
    }
    // Bytes that are not UTF-8 are tolerated where nobody promised text.
    socket
        .send(BINARY, &[0xFF, 0xFE, 0x80, 0x81])
        .await
        .unwrap();
    socket
        .send_json(&record_message(&sn, &token, "end"))
        .await
        .unwrap();
    assert_eq!(socket.message("uploadRecordResp").await["msgID"], "end");
    drop(socket);
    let count = i64::try_from(all.len()).unwrap() + 1;
    device_with(&tenant, &device["id"], "malformed_messages", count).await;
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn nonsense_upon_nonsense_closes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    for _ in 0..19 {
        socket.send(TEXT, b"garbage").await.unwrap();
    }
    // One good message makes up for it.
    socket
        .send_json(&record_message(&sn, &token, "1"))
        .await
        .unwrap();
    socket.message("uploadRecordResp").await;
    for _ in 0..20 {
        socket.send(TEXT, b"garbage").await.unwrap();
    }
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    socket
        .send(
            TEXT,
            b"{\"msgType\":\"keepAlive\",\"deviceNo\":\"\xD5\xC5\xC8\xFD\"}",
        )
        .await
        .unwrap();
    assert_eq!(socket.closed().await, 1007);
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn a_huge_message_is_refused_at_its_header() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    for length in [5 * MIB, 1 << 40, usize::MAX >> 1] {
        let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
        socket
            .send_bytes(&frame_header(0x80 | TEXT, length))
            .await
            .unwrap();
        assert_eq!(socket.closed().await, 1009, "{length}");
    }
    // In pieces that are small each.
    let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let piece = vec![b' '; MIB];
    let mut bytes = frame_header(TEXT, piece.len());
    bytes.extend_from_slice(&piece);
    socket.send_bytes(&bytes).await.unwrap();
    for _ in 0..3 {
        let mut bytes = frame_header(0x00, piece.len());
        bytes.extend_from_slice(&piece);
        socket.send_bytes(&bytes).await.unwrap();
    }
    socket.send_bytes(&frame_header(0x80, MIB)).await.unwrap();
    assert_eq!(socket.closed().await, 1009);
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn the_largest_message_is_taken() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    // Base64 makes four of three: 3.9 MiB together.
    let pass = gatehouse_simulator::Pass::staff("1", "张三")
        .with_photo(gatehouse_simulator::photo::jpeg(1_480, 1))
        .with_compare_photo(gatehouse_simulator::photo::jpeg(1_480, 2));
    assert!(terminal.pass(pass).await.unwrap().is_accepted());
    let record = crate::terminal_day::record_of(&tenant, "张三").await;
    let path = record["compare_url"]
        .as_str()
        .unwrap()
        .strip_prefix(&world.base_url)
        .unwrap()
        .to_owned();
    assert_eq!(
        world.anonymous().get(&path).await.body,
        gatehouse_simulator::photo::jpeg(1_480, 2)
    );
}

#[tokio::test]
async fn what_is_no_frame_closes_with_1002() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let unmasked = [0x81, 0x02, b'{', b'}'].to_vec();
    let reserved_opcode = frame_header(0x80 | 3, 0);
    let mut nothing_to_continue = frame_header(0x80, 2);
    nothing_to_continue.extend_from_slice(b"{}");
    let long_ping = frame_header(0x89, 300);
    for (what, bytes) in [
        ("unmasked", unmasked),
        ("reserved opcode", reserved_opcode),
        ("nothing to continue", nothing_to_continue),
        ("a long ping", [long_ping, vec![0; 300]].concat()),
    ] {
        let (mut socket, _) = RawSocket::registered(&tenant.terminal_url, &sn).await;
        socket.send_bytes(&bytes).await.unwrap();
        let code = socket.closed().await;
        assert_eq!(code, 1002, "{what}");
    }
    neighbour.was_undisturbed().await;
}

#[tokio::test]
async fn a_request_that_is_no_handshake_gets_a_problem() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let path = tenant
        .terminal_url
        .splitn(4, '/')
        .nth(3)
        .unwrap()
        .to_owned();
    let anonymous = world.anonymous();
    assert_eq!(
        anonymous.get(&format!("/{path}")).await.problem(400),
        "malformed_request"
    );
    assert_eq!(
        anonymous.post("/some/path", json!({})).await.problem(404),
        "no_such_operation"
    );
    // An upgrade to a socket with half of its headers.
    let half = [("Upgrade", "websocket"), ("Connection", "Upgrade")];
    let reply = anonymous
        .send(reqwest::Method::GET, &format!("/{path}"), &half, None)
        .await;
    assert!((400..500).contains(&reply.status), "{}", reply.status);
}

#[tokio::test]
async fn a_socket_that_is_dropped_at_any_moment_leaves_nothing_behind() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let neighbour = Neighbour::of(&tenant).await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    drop(RawSocket::open(&tenant.terminal_url).await.unwrap());
    let mut socket = RawSocket::open(&tenant.terminal_url).await.unwrap();
    socket.send_json(&register_message(&sn)).await.unwrap();
    drop(socket);
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let text = record_message(&sn, &token, "1").to_string();
    socket
        .send_bytes(&frame_header(0x80 | TEXT, text.len()))
        .await
        .unwrap();
    socket.send_bytes(&text.as_bytes()[..20]).await.unwrap();
    drop(socket);
    device_with(&tenant, &device["id"], "online", false).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    socket
        .send_json(&record_message(&sn, &token, "2"))
        .await
        .unwrap();
    match socket.next().await {
        Incoming::Message(_) => {}
        other => panic!("{other:?}"),
    }
    neighbour.was_undisturbed().await;
}
