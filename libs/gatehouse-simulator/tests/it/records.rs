//! Records: acknowledged, sent again, kept over connections.

use gatehouse_simulator::{DoorCause, Event, Pass, SimError, Terminal, photo};
use serde_json::json;

use crate::cloud::{Cloud, SN, SOON};

#[tokio::test]
async fn a_pass_is_answered_and_the_cloud_opens_the_door() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let jpeg = photo::jpeg(30, 1);
    let pass = Pass::staff("20001", "张三")
        .with_photo(jpeg.clone())
        .with_temperature("36.5");
    let (ack, record) = tokio::join!(terminal.pass(pass), async {
        let record = session.next().await;
        session
            .acknowledge(&record, "open", "条件符合，道闸开启")
            .await;
        record
    });
    let ack = ack.unwrap();
    assert!(ack.is_accepted());
    assert_eq!(
        (ack.control_state.as_str(), ack.msg.as_str()),
        ("open", "条件符合，道闸开启")
    );
    assert_eq!(
        (&record["msgID"], &record["deviceNo"]),
        (&json!("1001"), &json!(SN))
    );
    assert_eq!(record["token"], session.token);
    let sent = record["recognitionPhoto"].as_str().unwrap();
    assert_eq!(base64_simd::STANDARD.decode_to_vec(sent).unwrap(), jpeg);
    assert_eq!(
        (terminal.door_openings(), terminal.unacknowledged()),
        (1, 0)
    );
    let year = record["passTime"].as_str().unwrap().get(..4);
    assert_eq!(year, Some("2020"), "by the clock that registerResp set");
}

#[tokio::test]
async fn an_empty_control_state_leaves_the_door_to_the_terminal() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    for (pass, opens) in [(Pass::staff("1", "a"), true), (Pass::stranger(), false)] {
        let since = terminal.event_count();
        let (ack, ()) = tokio::join!(terminal.pass(pass), async {
            let record = session.next().await;
            session.acknowledge(&record, "", "").await;
        });
        ack.unwrap();
        let itself = |event: &Event| {
            matches!(
                event,
                Event::DoorOpened {
                    cause: DoorCause::Itself,
                    ..
                }
            )
        };
        let opened = terminal.events().iter().skip(since).any(itself);
        assert_eq!(opened, opens);
    }
    assert_eq!(terminal.door_openings(), 0, "the cloud ordered nothing");
}

#[tokio::test]
async fn a_record_comes_again_until_its_own_id_is_answered() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let pass = Pass::staff("1", "a")
        .with_message_id("77")
        .at_local("2019-11-08 13:05:51.421");
    let (ack, ()) = tokio::join!(terminal.pass(pass), async {
        let first = session.next().await;
        assert_eq!(first["passTime"], "2019-11-08 13:05:51.421");
        assert_eq!(session.next().await, first, "unanswered");
        let mut other = first.clone();
        other["msgID"] = json!("78");
        session.acknowledge(&other, "open", "").await;
        assert_eq!(session.next().await, first, "another id");
        session.acknowledge(&first, "", "").await;
        // A second acknowledgement hurts nobody.
        session.acknowledge(&first, "open", "").await;
    });
    assert!(ack.unwrap().is_accepted());
    let twice =
        |event: &Event| matches!(event, Event::StrayAnswer { msg_id, .. } if msg_id == "77");
    terminal.wait_for(SOON, twice).await.unwrap();
    assert_eq!(terminal.door_openings(), 0);
}

#[tokio::test]
async fn a_refused_record_answers_the_caller_and_comes_again() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let refusal = |id: &serde_json::Value| {
        json!({"msgType": "uploadRecordResp", "msgID": id, "errorCode": "200", "controlState": "",
               "msg": "later"})
    };
    let (ack, ()) = tokio::join!(terminal.pass(Pass::stranger()), async {
        let record = session.next().await;
        session.send(refusal(&record["msgID"])).await;
    });
    assert_eq!(ack.unwrap().error_code, "200");
    assert_eq!(terminal.unacknowledged(), 1);
    let again = session.next().await;
    session.acknowledge(&again, "", "").await;
    let accepted =
        |event: &Event| matches!(event, Event::RecordAnswered { ack, .. } if ack.is_accepted());
    terminal.wait_for(SOON, accepted).await.unwrap();

    let (ack, ()) = tokio::join!(terminal.pass_until_accepted(Pass::stranger()), async {
        let record = session.next().await;
        session.send(refusal(&record["msgID"])).await;
        let again = session.next().await;
        assert_eq!(again, record);
        session.acknowledge(&again, "", "").await;
    });
    assert!(ack.unwrap().is_accepted());
}

#[tokio::test]
async fn records_outlive_the_connection_of_a_reconnecting_terminal() {
    let mut cloud = Cloud::start().await;
    let terminal = Terminal::spawn_reconnecting(cloud.profile());
    let (id, first) = {
        let mut session = cloud.accept().await;
        terminal.wait_online(SOON).await.unwrap();
        let (id, first) = tokio::join!(
            terminal.pass_unacked(Pass::staff("1", "a").at_local("2019-11-08 13:05:51.421")),
            session.next()
        );
        (id.unwrap(), first)
        // The session goes without an answer.
    };
    assert_eq!(first["msgID"], id);
    let mut session = cloud.accept().await;
    let again = session.next().await;
    assert_eq!(
        again["token"], session.token,
        "with the token of the new session"
    );
    assert_ne!(again["token"], first["token"]);
    assert_eq!(
        (&again["msgID"], &again["passTime"]),
        (&first["msgID"], &first["passTime"])
    );
    session.acknowledge(&again, "", "").await;
    let answered = |event: &Event| matches!(event, Event::RecordAnswered { .. });
    terminal.wait_for(SOON, answered).await.unwrap();

    // What happens while there is no connection is sent afterwards.
    let since = terminal.event_count();
    drop(session);
    let closed = |event: &Event| matches!(event, Event::Closed { .. });
    terminal.wait_for_after(since, SOON, closed).await.unwrap();
    let (ack, _session) = tokio::join!(terminal.pass(Pass::stranger()), async {
        let mut session = cloud.accept().await;
        let record = session.next().await;
        assert_eq!(record["msgID"], "1002");
        session.acknowledge(&record, "close", "no").await;
        session
    });
    assert_eq!(ack.unwrap().control_state, "close");
}

#[tokio::test]
async fn ids_may_restart_and_answers_may_be_overlooked() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.faults.restart_message_ids = true;
    profile.faults.answers_overlooked = 1;
    let terminal = Terminal::spawn_reconnecting(profile);
    for _ in 0..2 {
        let mut session = cloud.accept().await;
        let (ack, ()) = tokio::join!(terminal.pass(Pass::stranger()), async {
            let record = session.next().await;
            assert_eq!(record["msgID"], "1001");
            session.acknowledge(&record, "", "").await;
            assert_eq!(session.next().await, record, "the answer was overlooked");
            session.acknowledge(&record, "", "").await;
        });
        ack.unwrap();
    }
}

#[tokio::test]
async fn no_more_records_wait_at_a_time_than_the_window_allows() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.records_in_flight = 2;
    profile.resend_after = SOON;
    let (terminal, mut session) = cloud.connect(profile).await;
    let passes = (0..5).map(|_| terminal.pass(Pass::stranger()));
    let (acks, ()) = tokio::join!(futures_util::future::join_all(passes), async {
        let first = session.next().await;
        let second = session.next().await;
        // Were there a third, it would come before the answer to this.
        session.ask("onlineGetRegisterCount", json!({})).await;
        session.acknowledge(&second, "", "").await;
        let third = session.next().await;
        session.acknowledge(&first, "", "").await;
        session.acknowledge(&third, "", "").await;
        for _ in 0..2 {
            let record = session.next().await;
            session.acknowledge(&record, "", "").await;
        }
    });
    assert!(
        acks.into_iter()
            .all(|ack| ack.is_ok_and(|ack| ack.is_accepted()))
    );
    assert_eq!(terminal.unacknowledged(), 0);
}

#[tokio::test]
async fn the_data_key_without_its_comma_and_broken_photos() {
    let mut cloud = Cloud::start().await;
    let mut profile = cloud.profile();
    profile.quirks.no_comma_before_data = true;
    let (terminal, mut session) = cloud.connect(profile).await;
    let pass = Pass {
        photo_text: Some("%%%".to_owned()),
        ..Pass::stranger()
    };
    let (id, text) = tokio::join!(terminal.pass_unacked(pass), session.next_text());
    assert_eq!(id.unwrap(), "1001");
    assert!(
        text.ends_with(r#""data":""}"#) && !text.contains(r#","data""#),
        "{text}"
    );
    assert!(text.contains(r#""recognitionPhoto":"%%%""#), "{text}");
}

#[tokio::test]
async fn a_lost_connection_ends_the_wait_of_a_plain_terminal() {
    let mut cloud = Cloud::start().await;
    let (terminal, mut session) = cloud.connect(cloud.profile()).await;
    let (ack, ()) = tokio::join!(terminal.pass(Pass::stranger()), async {
        session.next().await;
        session.close(1012).await;
    });
    assert!(matches!(
        ack.unwrap_err(),
        SimError::Closed {
            code: Some(1012),
            ..
        }
    ));
    let error = terminal.pass_unacked(Pass::stranger()).await.unwrap_err();
    assert!(matches!(
        error,
        SimError::Closed {
            code: Some(1012),
            ..
        }
    ));
}
