//! One command at a time per terminal, urgent ones first; the same request twice, once carried out.

use super::{SOON, carry_out, commands_of, end_of, give, terminal};
use gatehouse_simulator::{Answer, Event, Respond, Upgrade};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn one_is_in_flight_and_the_door_goes_first() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    let from = terminal.event_count();
    terminal.set_respond(Respond::slowly(Duration::from_millis(300)));
    let mut paths = vec![give(&tenant.api, &device, json!({"type": "count_persons"})).await];
    let asked = |event: &Event| matches!(event, Event::Command { .. });
    terminal.wait_for_after(from, SOON, asked).await.unwrap();
    // These wait; the last one given is the first to go.
    for command in ["clear_records", "capture_photo", "open_door"] {
        paths.push(give(&tenant.api, &device, json!({"type": command})).await);
    }
    for path in &paths {
        assert_eq!(end_of(&tenant.api, path).await["state"], "succeeded");
    }
    let (mut in_flight, mut order) = (0, Vec::new());
    for event in terminal.events().into_iter().skip(from) {
        match event {
            Event::Command { msg_type, .. } => {
                in_flight += 1;
                order.push(msg_type);
            }
            Event::Answered { .. } => in_flight -= 1,
            _ => {}
        }
        assert!(in_flight <= 1, "two at once: {order:?}");
    }
    assert_eq!(
        order,
        [
            "onlineGetRegisterCount",
            "onlineOpen",
            "onlineGetPhoto",
            "onlineDeleteSnapRecord"
        ]
    );
}

#[tokio::test]
async fn a_door_opens_while_firmware_is_installed() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.upgrade = Upgrade {
            download: false,
            fails_with: None,
            step: Duration::from_millis(700),
        };
    })
    .await;
    let command = json!({"type": "upgrade_firmware", "url": "http://h/f.bin", "size": 1, "update_type": "application"});
    let upgrade = give(&tenant.api, &device, command).await;
    let begun = |event: &Event| matches!(event, Event::Answered { msg_type, error_code, .. } if msg_type == "onlineUpdateResp" && error_code == "500");
    terminal.wait_for(SOON, begun).await.unwrap();
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
        "succeeded"
    );
    let on_the_way = tenant.api.get(&upgrade).await.expect(200);
    assert_eq!(on_the_way["state"], "sent", "{on_the_way}");
    // Whatever is not urgent waits.
    let count = give(&tenant.api, &device, json!({"type": "count_persons"})).await;
    assert_eq!(end_of(&tenant.api, &upgrade).await["state"], "succeeded");
    // Its turn comes with the end of the upgrade, and not when somebody looks for forgotten commands.
    let counted = tenant
        .api
        .get(&format!("{count}?wait=5s"))
        .await
        .expect(200);
    assert_eq!(counted["state"], "succeeded", "{counted}");
    let answers: Vec<String> = terminal
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Answered {
                msg_type,
                error_code,
                ..
            } if msg_type != "onlineGetDevInfoResp" => Some(format!("{msg_type} {error_code}")),
            _ => None,
        })
        .collect();
    let expected = [
        "onlineUpdateResp 500",
        "onlineOpenResp 100",
        "onlineUpdateResp 501",
        "onlineUpdateResp 100",
        "onlineGetRegisterCountResp 100",
    ];
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn the_same_request_twice_is_carried_out_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let path = format!("{}?wait=10s", commands_of(&device));
    let key = [("Idempotency-Key", "door-1")];
    let command = || Some(json!({"type": "open_door", "message": "once"}));
    let send = || tenant.api.send(Method::POST, &path, &key, command());
    // At the same moment, too.
    let (one, two) = tokio::join!(send(), send());
    let three = send().await;
    let replayed: Vec<bool> = [&one, &two, &three]
        .map(|r| r.headers.contains_key("idempotent-replayed"))
        .to_vec();
    assert_eq!(
        replayed.iter().filter(|replayed| **replayed).count(),
        2,
        "{replayed:?}"
    );
    let ids: Vec<Value> = [one, two, three]
        .into_iter()
        .map(|reply| reply.expect(201)["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    end_of(
        &tenant.api,
        &format!("{}/{}", commands_of(&device), ids[0].as_str().unwrap()),
    )
    .await;
    assert_eq!(terminal.door_openings(), 1);

    let other = Some(json!({"type": "open_door", "message": "twice"}));
    assert_eq!(
        tenant
            .api
            .send(Method::POST, &path, &key, other)
            .await
            .problem(422),
        "idempotency_mismatch"
    );
    let bad_key = [("Idempotency-Key", "two words")];
    assert_eq!(
        tenant
            .api
            .send(Method::POST, &path, &bad_key, command())
            .await
            .problem(400),
        "malformed_request"
    );
    // Another tenant's key of the same name is another key.
    let stranger = world.tenant().await;
    let (theirs, opened) = super::terminal(&stranger, |_| {}).await;
    let path = format!("{}?wait=10s", commands_of(&theirs));
    let done = stranger
        .api
        .send(Method::POST, &path, &key, command())
        .await
        .expect(201);
    assert_eq!(
        (&done["state"], opened.door_openings()),
        (&json!("succeeded"), 1)
    );
}

#[tokio::test]
async fn many_doors_at_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let mut doors = Vec::new();
    for _ in 0..8 {
        doors.push(terminal(&tenant, |_| {}).await);
    }
    let openings = doors.iter().flat_map(|(device, _)| {
        (0..4).map(|_| carry_out(&tenant.api, device, json!({"type": "open_door"})))
    });
    for done in futures_util::future::join_all(openings).await {
        assert_eq!(done["state"], "succeeded", "{done}");
    }
    assert!(
        doors
            .iter()
            .all(|(_, terminal)| terminal.door_openings() == 4)
    );
}

#[tokio::test]
async fn a_slow_terminal_holds_up_no_other() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (slow, lazy) = terminal(&tenant, |_| {}).await;
    let (quick, _) = (terminal(&tenant, |_| {}).await, ());
    lazy.set_respond(Respond::always(Answer::After(Duration::from_secs(2))));
    let waiting = give(&tenant.api, &slow, json!({"type": "count_persons"})).await;
    assert_eq!(
        carry_out(&tenant.api, &quick.0, json!({"type": "open_door"})).await["state"],
        "succeeded"
    );
    assert_eq!(
        tenant.api.get(&waiting).await.expect(200)["finished_at"],
        Value::Null
    );
    assert_eq!(end_of(&tenant.api, &waiting).await["state"], "succeeded");
}
