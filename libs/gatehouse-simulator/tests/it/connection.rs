//! Registration, keep-alive, closing, and the ways of writing frames.

use std::time::Duration;

use gatehouse_simulator::{Event, Message, SignStyle, SimError, Terminal, sign};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cloud::{Cloud, SN, SOON, Session, soon};

#[tokio::test]
async fn registers_as_the_document_says() {
    let mut cloud = Cloud::start().await;
    let (terminal, session) = cloud.connect(cloud.profile()).await;
    let register = &session.register;
    let field = |key: &str| register[key].as_str().unwrap();
    assert_eq!(field("deviceNo"), SN);
    assert_eq!(field("registerTime").len(), 10, "seconds");
    assert_eq!(
        field("sign"),
        sign(SN, field("registerTime"), field("rand"))
    );
    let mut keys: Vec<&str> = register
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    let expected = "algVersion deviceNo hardwareVersion msgType protocolVersion rand registerTime \
                    sign softwareVersion";
    assert_eq!(keys.join(" "), expected);
    assert!(terminal.is_online());
    let registered = terminal.wait_for(SOON, |event| matches!(event, Event::Registered { .. }));
    let Event::Registered {
        cloud_time_ms,
        token,
        ..
    } = registered.await.unwrap()
    else {
        unreachable!()
    };
    assert_eq!(
        (cloud_time_ms, token),
        (1_585_903_632_011, session.token.clone())
    );
    assert!(
        terminal.clock_ahead_ms() < -100_000_000,
        "the clock follows the cloud's 2020"
    );
}

#[tokio::test]
async fn the_sign_can_be_wrong_or_missing_and_the_clock_can_stay_wrong() {
    let mut cloud = Cloud::start().await;
    for style in [SignStyle::Wrong, SignStyle::Missing, SignStyle::LowerCase] {
        let mut profile = cloud.profile();
        profile.sign = style;
        profile.sync_clock = false;
        profile.clock_skew_ms = 3_600_000;
        let (terminal, session) = cloud.connect(profile).await;
        let register = &session.register;
        let time = register["registerTime"].as_str().unwrap();
        let right = sign(SN, time, register["rand"].as_str().unwrap());
        match style {
            SignStyle::Missing => assert!(register.get("sign").is_none()),
            SignStyle::LowerCase => assert_eq!(register["sign"], right.to_lowercase()),
            SignStyle::Wrong | SignStyle::Correct => assert_ne!(register["sign"], right),
        }
        let ahead = time.parse::<i64>().unwrap() - chrono::Utc::now().timestamp();
        assert!((3_590..=3_600).contains(&ahead), "{ahead}");
        assert_eq!(terminal.clock_ahead_ms(), 3_600_000);
    }
}

#[tokio::test]
async fn a_refusal_tells_both_codes() {
    let mut cloud = Cloud::start().await;
    let answer = json!({
        "msgType": "registerResp", "deviceNo": SN, "token": "", "registerTime": "1585903632011",
        "errorCode": "200"
    });
    let error = cloud.answer_registration(answer, Some(4003)).await;
    assert!(
        matches!(&error, SimError::Refused { error_code, close_code: Some(4003) }
            if error_code == "200"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_against_the_document_is_an_error() {
    let mut cloud = Cloud::start().await;
    let good = json!({
        "msgType": "registerResp", "deviceNo": SN, "token": "1", "registerTime": "1585903632011",
        "errorCode": "100"
    });
    for (key, value) in [
        ("registerTime", json!("1585903632")),
        ("registerTime", json!(1_585_903_632_011_i64)),
        ("token", json!("")),
        ("token", json!("123456789012345678901234567890123")),
        ("deviceNo", json!("another")),
    ] {
        let mut answer = good.clone();
        answer[key] = value;
        let error = cloud.answer_registration(answer, None).await;
        assert!(matches!(error, SimError::Protocol(_)), "{key}: {error}");
    }
}

#[tokio::test]
async fn no_answer_no_server_and_http_refusals_are_told_apart() {
    let cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.connect_timeout = Duration::from_millis(100);
    let (terminal, _socket) = tokio::join!(Terminal::connect(profile), cloud.accept_socket());
    assert!(matches!(terminal.unwrap_err(), SimError::TimedOut { .. }));

    let refuse = async {
        let (mut socket, _) = soon(cloud.listener.accept()).await.unwrap();
        let mut request = [0; 2048];
        let length = socket.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        assert!(
            request.starts_with("GET /terminal/secret HTTP/1.1\r\n"),
            "{request}"
        );
        socket
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        socket
    };
    let (terminal, _socket) = tokio::join!(Terminal::connect(cloud.profile()), refuse);
    assert!(matches!(
        terminal.unwrap_err(),
        SimError::Handshake { status: 404 }
    ));

    let profile = cloud.profile();
    drop(cloud);
    assert!(matches!(
        Terminal::connect(profile).await.unwrap_err(),
        SimError::Connect { .. }
    ));
    let nowhere = gatehouse_simulator::TerminalProfile::new("http://localhost/", SN);
    assert!(matches!(
        Terminal::connect(nowhere).await.unwrap_err(),
        SimError::Url { .. }
    ));
}

#[tokio::test]
async fn a_silent_terminal_never_registers_and_sees_the_close() {
    let cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.faults.never_register = true;
    let (terminal, socket) = tokio::join!(Terminal::connect(profile), cloud.accept_socket());
    let terminal = terminal.unwrap();
    assert!(!terminal.is_online());
    let mut session = Session::new(socket);
    session.close(4001).await;
    let closed = |event: &Event| {
        matches!(
            event,
            Event::Closed {
                code: Some(4001),
                ..
            }
        )
    };
    terminal.wait_for(SOON, closed).await.unwrap();
    let error = terminal
        .pass(gatehouse_simulator::Pass::stranger())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            SimError::Closed {
                code: Some(4001),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn keeps_alive_with_token_and_position_and_gives_up_on_a_deaf_cloud() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.keep_alive_every = Duration::from_millis(20);
    profile.position = Some(("116.481499".to_owned(), "39.990475".to_owned()));
    let (terminal, mut session) = cloud.connect(profile).await;
    let keep_alive = session.next().await;
    assert_eq!(
        keep_alive,
        json!({
            "msgType": "keepAlive", "deviceNo": SN, "token": session.token,
            "locationx": "116.481499", "locationy": "39.990475"
        })
    );
    session
        .send(json!({"msgType": "keepAliveResp", "deviceNo": SN}))
        .await;
    terminal
        .wait_for(SOON, |event| *event == Event::KeptAlive)
        .await
        .unwrap();
    terminal
        .wait_for(SOON, |event| {
            matches!(event, Event::Closed { code: None, reason } if reason.contains("keep-alive"))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn closing_says_goodbye_and_cutting_does_not() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let (_, frame) = tokio::join!(terminal.close(), async {
        let frame = session.next_frame().await;
        // Reading on sends the answer to the close frame.
        assert!(session.next_frame().await.is_none());
        frame
    });
    assert!(matches!(frame, Some(Message::Close(_))), "{frame:?}");

    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    terminal.drop_connection().await;
    assert!(!terminal.is_online());
    assert!(session.next_frame().await.is_none());

    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    drop(terminal);
    assert!(session.next_frame().await.is_none());
}

#[tokio::test]
async fn a_second_login_is_seen_as_a_close_code() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    session.close(4009).await;
    let closed = terminal
        .wait_for(SOON, |event| matches!(event, Event::Closed { .. }))
        .await;
    let expected = Event::Closed {
        code: Some(4009),
        reason: "as the test says".to_owned(),
    };
    assert_eq!(closed.unwrap(), expected);
}

#[tokio::test]
async fn raw_binary_fragmented_and_padded_frames() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    terminal.send_raw(Message::text("{broken")).await.unwrap();
    assert_eq!(session.next_text().await, "{broken");
    terminal
        .send_raw(Message::binary(vec![0xff, 0xfe]))
        .await
        .unwrap();
    assert_eq!(
        session.next_frame().await,
        Some(Message::binary(vec![0xff, 0xfe]))
    );
    session.send(json!(["not an object"])).await;
    terminal
        .wait_for(SOON, |event| matches!(event, Event::Unreadable { .. }))
        .await
        .unwrap();

    let mut profile = cloud.profile();
    profile.faults.fragment_bytes = Some(7);
    let (_terminal, session) = cloud.connect(profile).await;
    assert_eq!(
        session.register["deviceNo"], SN,
        "fragments are put together again"
    );

    for (nul_padding, bom, binary) in [
        (true, false, false),
        (false, true, false),
        (false, false, true),
    ] {
        let mut profile = cloud.profile();
        profile.nul_padding = nul_padding;
        profile.bom = bom;
        profile.faults.binary_frames = binary;
        profile.connect_timeout = Duration::from_millis(100);
        let cloud = async {
            let mut session = Session::new(cloud.accept_socket().await);
            session.next_frame().await.unwrap()
        };
        let (_, frame) = tokio::join!(Terminal::connect(profile), cloud);
        assert_eq!(frame.is_binary(), binary);
        let text = frame.into_text().unwrap();
        assert_eq!(text.ends_with("}\0\0\0"), nul_padding);
        assert_eq!(text.starts_with("\u{feff}{"), bom);
    }
}

#[tokio::test]
async fn other_token_and_device_number_after_registration() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.keep_alive_every = Duration::from_millis(10);
    profile.faults.wrong_token = Some("stolen".to_owned());
    profile.faults.other_device_no = Some("FaceDevice001".to_owned());
    profile.quirks.token_with_trailing_space = true;
    let (_terminal, mut session) = cloud.connect(profile).await;
    assert_eq!(session.register["deviceNo"], SN);
    let keep_alive = session.next().await;
    assert_eq!(keep_alive["token"], "stolen ");
    assert_eq!(keep_alive["deviceNo"], "FaceDevice001");
}
