//! Every command but people and firmware, and every way of answering.

use std::time::{Duration, Instant};

use bytes::Bytes;
use gatehouse_simulator::{Answer, Camera, DoorCause, Event, Respond, Terminal, photo};
use serde_json::json;

use crate::cloud::{Cloud, SN, SOON};

#[tokio::test]
async fn opens_the_door_and_says_it() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let answer = session.ask("onlineOpen", json!({"msg": "欢迎光临"})).await;
    assert_eq!(
        (&answer["errorCode"], &answer["msg"]),
        (&json!("100"), &json!("操作成功"))
    );
    let opened = |event: &Event| matches!(event, Event::DoorOpened { .. });
    let Event::DoorOpened { message, cause, .. } = terminal.wait_for(SOON, opened).await.unwrap()
    else {
        unreachable!()
    };
    assert_eq!((message.as_str(), cause), ("欢迎光临", DoorCause::Command));
    assert_eq!(terminal.door_openings(), 1);
    let command = |event: &Event| {
        matches!(event, Event::Command { msg_type, msg_id, body, .. }
            if msg_type == "onlineOpen" && msg_id == "000002" && body["msg"] == "欢迎光临")
    };
    terminal.wait_for(SOON, command).await.unwrap();
}

#[tokio::test]
async fn commands_against_the_document_are_refused() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    for (msg_type, fields) in [
        ("onlineOpen", json!({})),
        ("onlineOpen", json!({"msg": 7})),
        (
            "onlineUpdate",
            json!({"updateType": "2", "updateUrl": "http://a/", "updateKey": "1"}),
        ),
        (
            "onlineUpdate",
            json!({"updateType": "1", "updateUrl": "", "updateKey": "1"}),
        ),
        (
            "onlineUpdate",
            json!({"updateType": "1", "updateUrl": "http://a/", "updateKey": "x"}),
        ),
        ("onlineGetPhoto", json!({"photoType": "5"})),
        ("onlineGetRegisterByIndex", json!({"index": "0"})),
    ] {
        let answer = session.ask(msg_type, fields.clone()).await;
        assert_eq!(answer["errorCode"], "200", "{msg_type} {fields}");
    }
    assert_eq!(
        session.ask("onlineDance", json!({})).await["errorCode"],
        "203"
    );
    let answer = session
        .ask("onlineOpen", json!({"msg": "", "deviceNo": "somebody"}))
        .await;
    assert_eq!(answer["errorCode"], "200");
    let misaddressed = |event: &Event| matches!(event, Event::Misaddressed { device_no, .. } if device_no == "somebody");
    terminal.wait_for(SOON, misaddressed).await.unwrap();
    assert_eq!(terminal.door_openings(), 0);
}

#[tokio::test]
async fn sets_and_tells_its_parameters() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile
        .parameters
        .insert("overlayDeviceName".to_owned(), "前闸门".to_owned());
    profile.faults.silently_ignored_parameter = Some("banner".to_owned());
    let (terminal, mut session) = cloud.connect(profile).await;

    let set = json!({"voiceVolume": "7", "banner": "x", "faceRFIDCardEnable": 2});
    assert_eq!(
        session.ask("onlineSetDevInfo", set).await["errorCode"],
        "100"
    );
    let told = session.ask("onlineGetDevInfo", json!({})).await;
    assert_eq!(told["errorCode"], "100");
    for (name, value) in [
        ("voiceVolume", "7"),
        ("faceRFIDCardEnable", "2"),
        ("banner", ""),
        ("overlayDeviceName", "前闸门"),
        ("deviceNumber", SN),
        ("NfStrength", "-1"),
    ] {
        assert_eq!(told[name], value, "{name}");
        assert_eq!(terminal.parameters()[name], value, "{name}");
    }
    assert!(told.as_object().unwrap().len() > 100, "the whole set");

    let bad = json!({"voiceVolume": "11", "banner": "y"});
    assert_eq!(
        session.ask("onlineSetDevInfo", bad).await["errorCode"],
        "400"
    );
    assert_eq!(
        terminal.parameters()["voiceVolume"],
        "7",
        "nothing of a bad set is taken"
    );
}

#[tokio::test]
async fn some_want_the_whole_set() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.faults.wants_full_parameter_set = true;
    let (terminal, mut session) = cloud.connect(profile).await;
    let part = json!({"voiceVolume": "7"});
    assert_eq!(
        session.ask("onlineSetDevInfo", part).await["errorCode"],
        "400"
    );
    let mut whole = serde_json::to_value(terminal.parameters()).unwrap();
    whole["voiceVolume"] = json!("7");
    whole.as_object_mut().unwrap().remove("passTime");
    assert_eq!(
        session.ask("onlineSetDevInfo", whole).await["errorCode"],
        "100"
    );
}

#[tokio::test]
async fn parameters_with_the_samples_quirks() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.quirks.parameters_without_msg_type = true;
    profile.quirks.duplicate_parameter = true;
    profile
        .parameters
        .insert("faceRFIDCardEnable".to_owned(), "0".to_owned());
    let (_terminal, mut session) = cloud.connect(profile).await;
    session.order("onlineGetDevInfo", json!({})).await;
    let text = session.next_text().await;
    assert!(!text.contains("msgType"), "{text}");
    assert!(
        text.contains(r#""faceRFIDCardEnable":"1","faceRFIDCardEnable":0,"#),
        "{text}"
    );
    assert!(text.contains(r#""msgID":"000002""#), "{text}");
}

#[tokio::test]
async fn takes_photos() {
    let mut cloud = Cloud::start().await;
    let picture = Bytes::from(photo::jpeg(12, 9));
    let mut profile = cloud.profile();
    profile.camera = Camera::Shows(picture.clone());
    let (terminal, mut session) = cloud.connect(profile).await;
    let answer = session
        .ask("onlineGetPhoto", json!({"photoType": "0"}))
        .await;
    let taken = base64_simd::STANDARD
        .decode_to_vec(answer["photo"].as_str().unwrap())
        .unwrap();
    assert_eq!(
        (answer["errorCode"].as_str(), taken),
        (Some("100"), picture.to_vec())
    );

    terminal.set_camera(Camera::NoFace);
    let answer = session
        .ask("onlineGetPhoto", json!({"photoType": "0"}))
        .await;
    assert_eq!(
        (answer["errorCode"].as_str(), answer.get("photo")),
        (Some("601"), None)
    );
    let answer = session
        .ask("onlineGetPhoto", json!({"photoType": "1"}))
        .await;
    assert_eq!(answer["errorCode"], "100");
    terminal.set_camera(Camera::TimesOut);
    let answer = session
        .ask("onlineGetPhoto", json!({"photoType": "1"}))
        .await;
    assert_eq!(answer["errorCode"], "600");
}

#[tokio::test]
async fn clears_its_records() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let answer = session.ask("onlineDeleteSnapRecord", json!({})).await;
    assert_eq!(answer["errorCode"], "100");
    terminal
        .wait_for(SOON, |event| *event == Event::RecordsCleared)
        .await
        .unwrap();
}

#[tokio::test]
async fn reboots_and_comes_back() {
    let mut cloud = Cloud::start().await;
    let terminal = Terminal::spawn_reconnecting(cloud.profile());
    let mut session = cloud.accept().await;
    assert_eq!(
        session.ask("onlineReboot", json!({})).await["errorCode"],
        "100"
    );
    assert!(
        session.next_frame().await.is_none(),
        "cut without a close frame"
    );
    let since = terminal.event_count();
    let session = cloud.accept().await;
    assert_ne!(session.token, "");
    let registered = |event: &Event| matches!(event, Event::Registered { .. });
    terminal
        .wait_for_after(since.saturating_sub(1), SOON, registered)
        .await
        .unwrap();
    assert!(terminal.events().contains(&Event::Rebooted));
}

#[tokio::test]
async fn every_way_of_answering() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let open = json!({"msg": "m"});

    terminal.set_respond(Respond::with_code("200").to("onlineReboot", Answer::Normally));
    assert_eq!(
        session.ask("onlineOpen", open.clone()).await["errorCode"],
        "200"
    );
    assert_eq!(terminal.door_openings(), 0);

    // What is not answered is proved by the answer to the next command being the next message.
    terminal.set_respond(Respond::normally().to("onlineOpen", Answer::Never));
    session.order("onlineOpen", open.clone()).await;
    assert_eq!(
        session.ask("onlineGetRegisterCount", json!({})).await["personNum"],
        "0"
    );
    assert_eq!(terminal.door_openings(), 0);

    terminal.set_respond(Respond::normally().to("onlineOpen", Answer::Unanswered));
    session.order("onlineOpen", open.clone()).await;
    assert_eq!(
        session.ask("onlineGetRegisterCount", json!({})).await["personNum"],
        "0"
    );
    assert_eq!(terminal.door_openings(), 1, "done but not answered");

    terminal.set_respond(Respond::slowly(Duration::from_millis(80)));
    let asked_at = Instant::now();
    assert_eq!(
        session.ask("onlineOpen", open.clone()).await["errorCode"],
        "100"
    );
    assert!(asked_at.elapsed() >= Duration::from_millis(80));

    terminal.set_respond(Respond::always(Answer::Twice));
    let answer = session.ask("onlineOpen", open).await;
    assert_eq!(session.next().await, answer);
    assert_eq!(terminal.door_openings(), 3, "done once each time");
}

#[tokio::test]
async fn messages_with_every_quirk_of_writing() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.quirks.keys_with_trailing_space = true;
    profile.quirks.trailing_comma = true;
    profile.connect_timeout = Duration::from_millis(100);
    let cloud_side = async {
        let mut session = crate::cloud::Session::new(cloud.accept_socket().await);
        session.next_text().await
    };
    let (_, text) = tokio::join!(Terminal::connect(profile), cloud_side);
    assert!(text.starts_with(r#"{"msgType ":"register","#), "{text}");
    assert!(text.ends_with("\",}"), "{text}");

    let mut profile = cloud.profile();
    profile.quirks.count_answer_leading_space = true;
    let (_terminal, mut session) = cloud.connect(profile).await;
    session.order("onlineGetRegisterCount", json!({})).await;
    assert_eq!(
        session.next().await["msgType"],
        " onlineGetRegisterCountResp"
    );
}
