//! Frames as real terminals send them: padded with NUL, behind a byte order mark, binary, in pieces.

use super::{SOON, record_of};
use gatehouse_simulator::{Event, Faults, Pass, Terminal, TerminalProfile, photo};
use kit::RawSocket;
use kit::raw::{BINARY, TEXT, frame_header, record_message};
use kit::world::fresh_sn;
use std::time::Duration;

#[tokio::test]
async fn padding_marks_binary_frames_and_fragments_make_no_difference() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    type Habit = fn(&mut TerminalProfile);
    let habits: [(&str, Habit); 5] = [
        ("NUL", |profile| profile.nul_padding = true),
        ("BOM", |profile| profile.bom = true),
        ("binary", |profile| profile.faults.binary_frames = true),
        ("fragments", |profile| {
            profile.faults.fragment_bytes = Some(1_000)
        }),
        ("all", |profile| {
            profile.nul_padding = true;
            profile.bom = true;
            profile.faults = Faults {
                binary_frames: true,
                fragment_bytes: Some(333),
                ..Faults::default()
            };
        }),
    ];
    for (name, habit) in habits {
        let sn = fresh_sn();
        let device = tenant.device(&sn).await;
        let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
        profile.keep_alive_every = Duration::from_millis(50);
        habit(&mut profile);
        let terminal = Terminal::connect(profile).await.unwrap();
        terminal
            .wait_for(SOON, |event| matches!(event, Event::KeptAlive))
            .await
            .unwrap();
        let face = photo::jpeg(20, 7);
        let ack = terminal
            .pass(Pass::staff("20001", name).with_photo(face.clone()))
            .await
            .unwrap();
        assert!(ack.is_accepted(), "{name}");
        let record = record_of(&tenant, name).await;
        let path = record["snapshot_url"]
            .as_str()
            .unwrap()
            .strip_prefix(&world.base_url)
            .unwrap()
            .to_owned();
        assert_eq!(world.anonymous().get(&path).await.body, face, "{name}");
        let command = tenant
            .api
            .post(
                &format!(
                    "/v1/devices/{}/commands?wait=10s",
                    device["id"].as_str().unwrap()
                ),
                serde_json::json!({"type": "open_door", "message": name}),
            )
            .await
            .expect(201);
        assert_eq!(command["state"], "succeeded", "{name}: {command}");
    }
}

#[tokio::test]
async fn a_message_in_pieces_with_a_ping_between_and_slowly_byte_by_byte() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let text = record_message(&sn, &token, "1001").to_string();
    let (front, back) = text.as_bytes().split_at(text.len() / 3);
    let mut bytes = frame_header(TEXT, front.len());
    bytes.extend_from_slice(front);
    bytes.extend(frame_header(0x89, 2));
    bytes.extend_from_slice(b"hi");
    bytes.extend(frame_header(0x00, 0));
    bytes.extend(frame_header(0x80, back.len()));
    bytes.extend_from_slice(back);
    for piece in bytes.chunks(7) {
        socket.send_bytes(piece).await.unwrap();
    }
    let answer = socket.message("uploadRecordResp").await;
    assert_eq!(
        (&answer["msgID"], &answer["errorCode"]),
        (&"1001".into(), &"100".into())
    );
    // Two whole messages in one write.
    let mut both = Vec::new();
    for (id, opcode) in [("1002", TEXT), ("1003", BINARY)] {
        let text = record_message(&sn, &token, id).to_string();
        both.extend(frame_header(0x80 | opcode, text.len()));
        both.extend_from_slice(text.as_bytes());
    }
    socket.send_bytes(&both).await.unwrap();
    let mut ids = [
        socket.message("uploadRecordResp").await,
        socket.message("uploadRecordResp").await,
    ]
    .map(|answer| answer["msgID"].as_str().unwrap().to_owned());
    ids.sort_unstable();
    assert_eq!(ids, ["1002", "1003"]);
}

#[tokio::test]
async fn the_answer_to_a_record_has_the_documents_form() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    socket
        .send_json(&record_message(&sn, &token, "a-b 7"))
        .await
        .unwrap();
    let answer = socket.message("uploadRecordResp").await;
    assert_eq!(
        answer["msgID"], "a-b 7",
        "word for word, else it comes for ever"
    );
    assert_eq!(
        (&answer["controlState"], &answer["msg"]),
        (&"".into(), &"".into())
    );
    assert!(
        answer
            .as_object()
            .unwrap()
            .values()
            .all(serde_json::Value::is_string),
        "{answer}"
    );
}
