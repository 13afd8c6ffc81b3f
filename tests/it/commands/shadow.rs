//! The shadow of a terminal's parameters: what it should have, what it said it has, and how the two
//! come together.

use super::{SOON, carry_out, commands_of};
use gatehouse_simulator::{Event, Faults, Terminal, TerminalProfile};
use kit::world::fresh_sn;
use kit::{Tenant, until};
use reqwest::Method;
use serde_json::{Value, json};

fn path_of(device: &Value) -> String {
    format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap())
}

/// Waits until nothing differs any more.
async fn settled(tenant: &Tenant, device: &Value) -> Value {
    until("the terminal to be as it should", SOON, || async {
        let shadow = tenant.api.get(&path_of(device)).await.expect(200);
        (shadow["reported"].is_object()
            && shadow["difference"] == json!({})
            && shadow["command_id"].is_null())
        .then_some(shadow)
    })
    .await
}

#[tokio::test]
async fn what_is_desired_while_it_is_away_is_applied_when_it_returns() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let fresh = tenant.api.get(&path_of(&device)).await;
    assert_eq!(fresh.headers["etag"], "\"0\"");
    let fresh = fresh.expect(200);
    assert_eq!(
        (
            &fresh["desired"],
            &fresh["reported"],
            &fresh["desired_version"]
        ),
        (&json!({}), &Value::Null, &json!(0))
    );

    let wanted = tenant
        .api
        .patch(
            &path_of(&device),
            json!({"voiceVolume": 6, "banner": "明天"}),
        )
        .await
        .expect(200);
    assert_eq!(
        (&wanted["desired_version"], &wanted["command_id"]),
        (&json!(1), &Value::Null)
    );
    assert!(
        tenant.api.list(&commands_of(&device)).await.is_empty(),
        "nobody is there to write to"
    );

    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    let shadow = settled(&tenant, &device).await;
    assert_eq!(
        (
            &shadow["reported"]["voiceVolume"],
            &shadow["reported"]["banner"]
        ),
        (&json!("6"), &json!("明天"))
    );
    assert_eq!(terminal.parameters()["voiceVolume"], "6");
    let commands = tenant.api.list(&commands_of(&device)).await;
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert_eq!(
        (
            &commands[0]["type"],
            &commands[0]["origin"],
            &commands[0]["state"]
        ),
        (
            &json!("set_parameters"),
            &json!("shadow"),
            &json!("succeeded")
        )
    );

    // Where nothing differs, nothing is written at the next return.
    terminal.close().await;
    let again = TerminalProfile {
        parameters: parameters_with("voiceVolume", "6", "banner", "明天"),
        ..TerminalProfile::new(&tenant.terminal_url, &sn)
    };
    let terminal = Terminal::connect(again).await.unwrap();
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    let wrote = |event: &Event| matches!(event, Event::Command { msg_type, .. } if msg_type == "onlineSetDevInfo");
    assert!(!terminal.events().iter().any(wrote));
    // Somebody turned the knob at the terminal itself: it is turned back.
    terminal.close().await;
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    until("the knob to be turned back", SOON, || async {
        (terminal.parameters()["voiceVolume"] == "6").then_some(())
    })
    .await;
}

fn parameters_with(
    a: &str,
    a_value: &str,
    b: &str,
    b_value: &str,
) -> gatehouse_simulator::Parameters {
    let mut set = gatehouse_simulator::Parameters::default();
    set.insert(a.to_owned(), a_value.to_owned());
    set.insert(b.to_owned(), b_value.to_owned());
    set
}

#[tokio::test]
async fn a_change_reaches_a_terminal_that_is_there_at_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    settled(&tenant, &device).await;
    let changed = tenant
        .api
        .patch(&path_of(&device), json!({"voiceVolume": "8"}))
        .await
        .expect(200);
    assert_eq!(
        changed["difference"],
        json!({"voiceVolume": {"desired": "8", "reported": "1"}})
    );
    assert!(changed["command_id"].is_string(), "{changed}");
    settled(&tenant, &device).await;
    assert_eq!(terminal.parameters()["voiceVolume"], "8");
    // No longer desired: the terminal stays as it is.
    let changed = tenant
        .api
        .patch(&path_of(&device), json!({"voiceVolume": null}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["desired"], &changed["desired_version"]),
        (&json!({}), &json!(2))
    );
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    assert_eq!(terminal.parameters()["voiceVolume"], "8");
}

#[tokio::test]
async fn of_two_who_change_at_once_the_second_is_told() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let device = tenant.device(&fresh_sn()).await;
    let path = path_of(&device);
    let patch = |etag: &'static str, body: Value| {
        let (api, path) = (tenant.api.clone(), path.clone());
        async move {
            api.send(Method::PATCH, &path, &[("If-Match", etag)], Some(body))
                .await
        }
    };
    let first = patch("\"0\"", json!({"voiceVolume": "2"})).await;
    assert_eq!(first.headers["etag"], "\"1\"");
    first.expect(200);
    assert_eq!(
        patch("\"0\"", json!({"voiceVolume": "3"}))
            .await
            .problem(412),
        "precondition_failed"
    );
    assert_eq!(
        tenant.api.get(&path).await.expect(200)["desired"],
        json!({"voiceVolume": "2"})
    );
    // The same again changes nothing, and so makes no version.
    assert_eq!(
        patch("\"1\"", json!({"voiceVolume": "2"}))
            .await
            .expect(200)["desired_version"],
        1
    );
    patch("\"1\"", json!({"banner": "x"})).await.expect(200);
    assert_eq!(
        patch("nonsense", json!({"banner": "y"})).await.problem(400),
        "malformed_request"
    );

    let refusal = tenant
        .api
        .patch(&path, json!({"voiceVolume": 99, "banner": "z"}))
        .await;
    assert_eq!(refusal.json["pointer"], "/voiceVolume");
    assert_eq!(refusal.problem(422), "invalid_field");
    assert_eq!(
        other
            .api
            .patch(&path, json!({"voiceVolume": "2"}))
            .await
            .problem(404),
        "not_found"
    );
    let shadow = tenant.api.get(&path).await.expect(200);
    assert_eq!(
        shadow["desired"],
        json!({"voiceVolume": "2", "banner": "x"})
    );
}

#[tokio::test]
async fn a_terminal_that_does_not_obey_is_not_written_to_for_ever() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    profile.faults = Faults {
        silently_ignored_parameter: Some("voiceVolume".to_owned()),
        ..Faults::default()
    };
    tenant
        .api
        .patch(&path_of(&device), json!({"voiceVolume": "5"}))
        .await
        .expect(200);
    let writes = |terminal: &Terminal| {
        let wrote = |event: &&Event| matches!(event, Event::Command { msg_type, .. } if msg_type == "onlineSetDevInfo");
        terminal.events().iter().filter(wrote).count()
    };
    let terminal = Terminal::connect(profile.clone()).await.unwrap();
    let failed = until("the write to fail", SOON, || async {
        let commands = tenant
            .api
            .list(&format!("{}?state=failed", commands_of(&device)))
            .await;
        commands.into_iter().next()
    })
    .await;
    assert_eq!(failed["error"]["code"], "unproven");
    for _ in 0..2 {
        // Each read is a report, and each report a chance to begin anew.
        carry_out(&tenant.api, &device, json!({"type": "get_parameters"})).await;
    }
    assert_eq!(writes(&terminal), 1);
    // A new connection begins anew.
    terminal.close().await;
    let terminal = Terminal::connect(profile).await.unwrap();
    until("another try", SOON, || async {
        (writes(&terminal) == 1).then_some(())
    })
    .await;
}
