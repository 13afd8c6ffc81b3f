//! Who opens the door: the terminal itself, or the platform by its answer.

use super::record_of;
use chrono::{TimeDelta, Utc};
use gatehouse_simulator::{DoorCause, Event, Pass};
use kit::until;
use kit::world::fresh_sn;
use serde_json::json;

#[tokio::test]
async fn the_terminal_decides_where_nobody_says_otherwise() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    let ack = terminal.pass(Pass::staff("20001", "张三")).await.unwrap();
    assert_eq!(
        (
            ack.error_code.as_str(),
            ack.control_state.as_str(),
            ack.msg.as_str()
        ),
        ("100", "", "")
    );
    assert_eq!(terminal.door_openings(), 0);
    let opened = |event: &Event| {
        matches!(
            event,
            Event::DoorOpened {
                cause: DoorCause::Itself,
                ..
            }
        )
    };
    terminal.wait_for(super::SOON, opened).await.unwrap();
    assert_eq!(
        record_of(&tenant, "张三").await["door_answer"],
        "left_to_terminal"
    );
}

#[tokio::test]
async fn the_platform_opens_for_who_may_pass_and_for_nobody_else() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    let path = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    tenant
        .api
        .patch(&path, json!({"door_decision": "cloud"}))
        .await
        .expect(200);
    // The live session takes the setting over.
    let ack = until("the platform to decide", super::SOON, || async {
        let ack = terminal
            .pass(Pass::staff("20001", "warm-up"))
            .await
            .unwrap();
        (!ack.control_state.is_empty()).then_some(ack)
    })
    .await;
    assert_eq!(
        (ack.control_state.as_str(), ack.msg.as_str()),
        ("open", "请通行")
    );
    let mut openings = terminal.door_openings();
    assert!(openings >= 1);
    for (name, pass, state) in [
        ("passed", Pass::staff("1", "passed"), "open"),
        (
            "failed",
            Pass::staff("1", "failed").with_result("1"),
            "close",
        ),
        ("late", Pass::staff("1", "late").with_result("2"), "close"),
        (
            "expired",
            Pass::staff("1", "expired").with_result("3"),
            "close",
        ),
        (
            "unauthorized",
            Pass::staff("1", "unauthorized").with_result("4"),
            "close",
        ),
        (
            "nonsense",
            Pass::staff("1", "nonsense").with_result("x"),
            "close",
        ),
        (
            "blocked",
            Pass::staff("1", "blocked").with("priority", "1"),
            "close",
        ),
        ("陌生人", Pass::stranger(), "close"),
        (
            "long ago",
            Pass::staff("1", "long ago").at(Utc::now() - TimeDelta::minutes(5)),
            "close",
        ),
    ] {
        let ack = terminal.pass(pass).await.unwrap();
        assert!(
            ack.is_accepted(),
            "a refusal at the door is a record all the same"
        );
        assert_eq!(ack.control_state, state, "{name}");
        openings += usize::from(state == "open");
        assert_eq!(terminal.door_openings(), openings, "{name}");
        assert_eq!(
            record_of(&tenant, name).await["door_answer"],
            state,
            "{name}"
        );
    }
    // A repeat gets the same answer and opens nothing anew in the books.
    let pass = Pass::staff("1", "twice")
        .with_message_id("t1")
        .at(Utc::now());
    assert_eq!(
        terminal.pass(pass.clone()).await.unwrap().control_state,
        "open"
    );
    assert_eq!(terminal.pass(pass).await.unwrap().error_code, "100");
    record_of(&tenant, "twice").await;
    tenant
        .api
        .patch(&path, json!({"door_decision": "terminal"}))
        .await
        .expect(200);
    until("the terminal to decide again", super::SOON, || async {
        let ack = terminal.pass(Pass::staff("20001", "end")).await.unwrap();
        ack.control_state.is_empty().then_some(())
    })
    .await;
}
