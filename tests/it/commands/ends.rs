//! How commands end that do not succeed: refused in the terminal's codes, not answered, never sent.

use super::{SOON, carry_out, commands_of, end_of, give, terminal};
use crate::terminal_day::device_with;
use gatehouse_simulator::{Answer, Event, Respond, Terminal, TerminalProfile};
use kit::world::fresh_sn;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_terminals_codes_are_told_in_words() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let set = json!({"type": "set_parameters", "parameters": {"voiceVolume": "3"}});
    for (message, code, command) in [
        ("onlineOpen", "200", json!({"type": "open_door"})),
        ("onlineReboot", "203", json!({"type": "reboot"})),
        ("onlineGetPhoto", "600", json!({"type": "capture_photo"})),
        ("onlineGetPhoto", "601", json!({"type": "capture_photo"})),
        ("onlineGetDevInfo", "401", json!({"type": "get_parameters"})),
        ("onlineSetDevInfo", "400", set.clone()),
        ("onlineSetDevInfo", "402", set),
        (
            "onlineDeleteSnapRecord",
            "200",
            json!({"type": "clear_records"}),
        ),
        (
            "onlineGetRegisterCount",
            "200",
            json!({"type": "count_persons"}),
        ),
        ("onlineGetRegister", "200", json!({"type": "list_persons"})),
        (
            "onlineGetRegisterByIndex",
            "303",
            json!({"type": "read_person", "index": 0}),
        ),
        ("onlineOpen", "777", json!({"type": "open_door"})),
        ("onlineOpen", "1000", json!({"type": "open_door"})),
    ] {
        terminal.set_respond(Respond::normally().to(message, Answer::Code(code.to_owned())));
        let done = carry_out(&tenant.api, &device, command).await;
        assert_eq!(
            (&done["state"], &done["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{message}: {done}"
        );
        let detail = done["error"]["detail"].as_str().unwrap();
        assert!(
            detail.len() > 10 && detail.contains(' '),
            "{code}: {detail}"
        );
    }
    assert_eq!(terminal.door_openings(), 0);
    terminal.set_respond(Respond::normally());
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
        "succeeded"
    );
}

#[tokio::test]
async fn nobody_there_and_the_door_stays_shut() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&fresh_sn()).await;
    let begun = Instant::now();
    let done = carry_out(
        &tenant.api,
        &device,
        json!({"type": "open_door", "message": "x"}),
    )
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "the answer came at once"
    );
    assert_eq!(
        (&done["state"], &done["error"]["code"]),
        (&json!("undeliverable"), &json!("not_online"))
    );
    assert_eq!(
        (&done["sent_at"], &done["result"]),
        (&Value::Null, &Value::Null)
    );
    // When the terminal comes, nothing happens.
    let sn = device["sn"].as_str().unwrap();
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, sn))
        .await
        .unwrap();
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await["state"],
        "succeeded"
    );
    assert_eq!(terminal.door_openings(), 0);
    terminal.close().await;
    device_with(&tenant, &device["id"], "online", false).await;
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
        "undeliverable"
    );
}

#[tokio::test]
async fn other_commands_wait_for_the_terminal_and_are_carried_out_when_it_comes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let mut paths = Vec::new();
    for command in [
        json!({"type": "list_persons"}),
        json!({"type": "clear_records"}),
        json!({"type": "set_parameters", "parameters": {"voiceVolume": 7}}),
        json!({"type": "capture_photo"}),
    ] {
        paths.push(give(&tenant.api, &device, command).await);
    }
    for path in &paths {
        let waiting = tenant.api.get(&format!("{path}?wait=0s")).await.expect(200);
        assert_eq!(
            (&waiting["state"], &waiting["sent_at"]),
            (&json!("queued"), &Value::Null)
        );
    }
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    for path in &paths {
        let done = end_of(&tenant.api, path).await;
        assert_eq!(done["state"], "succeeded", "{done}");
    }
    assert_eq!(terminal.parameters()["voiceVolume"], "7");
    // The more urgent first, however they were given.
    let order: Vec<String> = terminal
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Command { msg_type, .. } if msg_type != "onlineGetDevInfo" => Some(msg_type),
            _ => None,
        })
        .collect();
    assert_eq!(
        order,
        [
            "onlineGetPhoto",
            "onlineSetDevInfo",
            "onlineDeleteSnapRecord",
            "onlineGetRegister"
        ]
    );
}

#[tokio::test]
async fn a_command_expires_when_the_terminal_stays_away() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&fresh_sn()).await;
    let path = give(&tenant.api, &device, json!({"type": "capture_photo"})).await;
    let waiting = tenant.api.get(&path).await.expect(200);
    let [created, expires] = ["created_at", "expires_at"].map(|field| {
        waiting[field]
            .as_str()
            .unwrap()
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    });
    assert_eq!((expires - created).num_seconds(), 30);
    // Time passes.
    let passed = "update hub.commands set created_at = created_at - interval '31 s', expires_at = expires_at - interval '31 s'";
    sqlx::query(passed)
        .execute(&tenant.rows().await)
        .await
        .unwrap();
    let done = end_of(&tenant.api, &path).await;
    assert_eq!(
        (&done["state"], &done["error"]["code"], &done["sent_at"]),
        (&json!("expired"), &json!("expired"), &Value::Null)
    );
    let sn = device["sn"].as_str().unwrap();
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, sn))
        .await
        .unwrap();
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    let asked = |event: &Event| matches!(event, Event::Command { msg_type, .. } if msg_type == "onlineGetPhoto");
    assert!(
        !terminal.events().iter().any(asked),
        "what expired is never sent"
    );
}

#[tokio::test]
async fn no_answer_is_a_time_out_and_claims_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.respond = Respond::normally().to("onlineOpen", Answer::Unanswered);
    })
    .await;
    let done = carry_out(&tenant.api, &device, json!({"type": "open_door"})).await;
    assert_eq!(
        (&done["state"], &done["error"]["code"]),
        (&json!("timed_out"), &json!("no_answer"))
    );
    assert!(
        done["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("may or may not"),
        "{done}"
    );
    assert_eq!(terminal.door_openings(), 1, "it did it, and did not say so");
    // The session goes on.
    terminal.set_respond(Respond::normally());
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
        "succeeded"
    );
}

#[tokio::test]
async fn a_connection_that_ends_under_a_command_leaves_it_open_what_was_done() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| profile.respond = Respond::never()).await;
    terminal.set_respond(Respond::never());
    let path = give(&tenant.api, &device, json!({"type": "reboot"})).await;
    // The read after the registration is not answered either: it has the slot for ten seconds.
    let asked = |event: &Event| matches!(event, Event::Command { msg_type, .. } if msg_type == "onlineReboot");
    terminal
        .wait_for(Duration::from_secs(20), asked)
        .await
        .unwrap();
    terminal.drop_connection().await;
    let done = end_of(&tenant.api, &path).await;
    assert_eq!(
        (&done["state"], &done["error"]["code"]),
        (&json!("timed_out"), &json!("connection_lost"))
    );
    // It is not given again to the next session.
    let sn = device["sn"].as_str().unwrap();
    let next = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, sn))
        .await
        .unwrap();
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await["state"],
        "succeeded"
    );
    assert!(!next.events().iter().any(asked));
}

#[tokio::test]
async fn answers_that_come_twice_or_late_change_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    terminal.set_respond(Respond::always(Answer::Twice));
    for _ in 0..2 {
        assert_eq!(
            carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
            "succeeded"
        );
    }
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await["result"],
        json!({"count": 0})
    );
    let set = json!({"type": "set_parameters", "parameters": {"voiceVolume": "4"}});
    assert_eq!(
        carry_out(&tenant.api, &device, set).await["state"],
        "succeeded"
    );
    assert!(terminal.is_online());
    assert_eq!(terminal.door_openings(), 2);
}

#[tokio::test]
async fn patience_is_the_callers() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    terminal.set_respond(
        Respond::normally().to("onlineOpen", Answer::After(Duration::from_millis(1_200))),
    );
    let begun = Instant::now();
    let path = format!("{}?wait=200ms", commands_of(&device));
    let hasty = tenant
        .api
        .post(&path, json!({"type": "open_door"}))
        .await
        .expect(201);
    assert!(begun.elapsed() < Duration::from_millis(1_100));
    assert!(
        matches!(hasty["state"].as_str(), Some("queued" | "sent")),
        "{hasty}"
    );
    let path = format!("{}/{}", commands_of(&device), hasty["id"].as_str().unwrap());
    assert_eq!(end_of(&tenant.api, &path).await["state"], "succeeded");
    for wait in ["61s", "x", "-1"] {
        let refusal = tenant.api.get(&format!("{path}?wait={wait}")).await;
        assert_eq!(refusal.json["pointer"], "/wait", "{wait}");
        assert_eq!(refusal.problem(422), "invalid_field");
    }
    terminal
        .wait_for(SOON, |event| matches!(event, Event::DoorOpened { .. }))
        .await
        .unwrap();
}
