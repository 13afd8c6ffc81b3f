//! Firmware: the progress messages, a real download, every failure.

use gatehouse_simulator::{Event, TerminalProfile, Upgrade};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cloud::{Cloud, SOON, Session};

/// Serves one answer per connection for ever.
async fn file_server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = socket.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /firmware?version=2 HTTP/1.0\r\n"));
            socket.write_all(&answer).await.unwrap();
        }
    });
    format!("http://{address}/firmware?version=2")
}

fn ok(body: &[u8], announced: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn quick(cloud: &Cloud) -> TerminalProfile {
    let step = std::time::Duration::from_millis(5);
    TerminalProfile {
        upgrade: Upgrade {
            step,
            ..Upgrade::default()
        },
        ..cloud.profile()
    }
}

/// The codes of one upgrade, up to the last.
async fn codes(session: &mut Session, url: &str, key: &str) -> Vec<String> {
    let fields = json!({"updateType": "1", "updateUrl": url, "updateKey": key});
    session.order("onlineUpdate", fields).await;
    let mut codes = Vec::new();
    loop {
        let step = session.next().await;
        assert_eq!(
            (&step["msgType"], &step["msgID"]),
            (&json!("onlineUpdateResp"), &json!("000002"))
        );
        let code = step["errorCode"].as_str().unwrap().to_owned();
        let is_progress = matches!(code.as_str(), "500" | "501");
        codes.push(code);
        if !is_progress {
            return codes;
        }
    }
}

#[tokio::test]
async fn downloads_and_compares_the_length() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(quick(&cloud)).await;
    let body = vec![7; 100_000];
    let url = file_server(ok(&body, 100_000)).await;
    assert_eq!(
        codes(&mut session, &url, "100000").await,
        ["500", "501", "100"]
    );
    let upgraded = Event::Upgraded {
        url: url.clone(),
        bytes: 100_000,
    };
    terminal
        .wait_for(SOON, |event| *event == upgraded)
        .await
        .unwrap();
    assert_eq!(codes(&mut session, &url, "99999").await, ["500", "503"]);

    let cut_off = file_server(ok(&body, 100_001)).await;
    assert_eq!(
        codes(&mut session, &cut_off, "100001").await,
        ["500", "502"]
    );
    let absent = file_server(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()).await;
    assert_eq!(codes(&mut session, &absent, "1").await, ["500", "502"]);
    assert_eq!(
        codes(&mut session, "https://localhost/", "1").await,
        ["500", "502"]
    );

    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\n\r\n").into_bytes();
    let elsewhere = file_server(redirect).await;
    assert_eq!(
        codes(&mut session, &elsewhere, "100000").await,
        ["500", "501", "100"]
    );
}

#[tokio::test]
async fn fails_in_every_way_of_the_document() {
    let mut cloud = Cloud::start().await;
    for (code, expected) in [
        ("502", vec!["500", "502"]),
        ("503", vec!["500", "503"]),
        ("504", vec!["500", "504"]),
        ("505", vec!["500", "505"]),
        ("506", vec!["500", "501", "506"]),
        ("507", vec!["507"]),
    ] {
        let mut profile = quick(&cloud);
        profile.upgrade.download = false;
        profile.upgrade.fails_with = Some(code.to_owned());
        let (_terminal, mut session) = cloud.connect(profile).await;
        assert_eq!(codes(&mut session, "http://unused/", "1").await, expected);
    }
}

#[tokio::test]
async fn one_upgrade_at_a_time() {
    let mut cloud = Cloud::start().await;
    let mut profile = quick(&cloud);
    profile.upgrade.download = false;
    profile.upgrade.step = SOON;
    let (_terminal, mut session) = cloud.connect(profile).await;
    let fields = json!({"updateType": "3", "updateUrl": "http://unused/", "updateKey": "1"});
    assert_eq!(
        session.ask("onlineUpdate", fields.clone()).await["errorCode"],
        "500"
    );
    assert_eq!(
        session.ask("onlineUpdate", fields).await["errorCode"],
        "507"
    );
    // The door still opens meanwhile.
    assert_eq!(
        session.ask("onlineOpen", json!({"msg": ""})).await["errorCode"],
        "100"
    );
}
