//! Each type of command carried out, with what it brings.

use super::{SOON, carry_out, terminal};
use gatehouse_simulator::{Camera, DoorCause, Event, Terminal, TerminalProfile, photo};
use kit::world::fresh_sn;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_door_opens_and_says_what_was_asked() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    let done = carry_out(
        &tenant.api,
        &device,
        json!({"type": "open_door", "message": "欢迎光临"}),
    )
    .await;
    assert_eq!(
        (&done["state"], &done["error"], &done["type"]),
        (&json!("succeeded"), &Value::Null, &json!("open_door"))
    );
    assert_eq!(done["parameters"], json!({"message": "欢迎光临"}));
    assert_eq!(
        (&done["origin"], &done["device_id"]),
        (&json!("api"), &device["id"])
    );
    assert!(done["sent_at"].is_string() && done["finished_at"].is_string());
    assert_eq!(terminal.door_openings(), 1);
    let opened = |event: &Event| matches!(event, Event::DoorOpened { message, cause: DoorCause::Command, .. } if message == "欢迎光临");
    terminal.wait_for(SOON, opened).await.unwrap();
    // Without words it opens in silence.
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "open_door"})).await["state"],
        "succeeded"
    );
    assert_eq!(terminal.door_openings(), 2);
    assert!(
        !terminal
            .events()
            .iter()
            .any(|event| matches!(event, Event::Misaddressed { .. } | Event::Unreadable { .. }))
    );
}

#[tokio::test]
async fn a_terminal_starts_again_and_comes_back() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let device = tenant.device(&sn).await;
    let profile = TerminalProfile {
        reboot_after: Duration::from_millis(50),
        boot_time: Duration::from_millis(100),
        reconnect: (Duration::from_millis(50), Duration::from_millis(200)),
        ..TerminalProfile::new(&tenant.terminal_url, &sn)
    };
    let terminal = Terminal::spawn_reconnecting(profile);
    terminal.wait_online(SOON).await.unwrap();
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "reboot"})).await["state"],
        "succeeded"
    );
    terminal
        .wait_for(SOON, |event| matches!(event, Event::Rebooted))
        .await
        .unwrap();
    terminal.wait_online(SOON).await.unwrap();
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await["state"],
        "succeeded"
    );
}

#[tokio::test]
async fn pictures_come_back_as_links() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let view = photo::jpeg(40, 11);
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.camera = Camera::Shows(view.clone().into())
    })
    .await;
    for kind in [
        json!({"type": "capture_photo", "kind": "face"}),
        json!({"type": "capture_photo", "kind": "scene"}),
        json!({"type": "capture_photo"}),
    ] {
        let done = carry_out(&tenant.api, &device, kind).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        let url = done["result"]["photo_url"].as_str().unwrap();
        assert!(done["result"]["photo_url_expires_at"].is_string());
        let picture = world
            .anonymous()
            .get(url.strip_prefix(&world.base_url).unwrap())
            .await;
        assert_eq!((picture.status, picture.body), (200, view.clone()));
    }
    let asked: Vec<Value> = terminal
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Command { msg_type, body, .. } if msg_type == "onlineGetPhoto" => {
                Some(body["photoType"].clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(asked, [json!("0"), json!("1"), json!("0")]);

    terminal.set_camera(Camera::NoFace);
    let none = carry_out(
        &tenant.api,
        &device,
        json!({"type": "capture_photo", "kind": "face"}),
    )
    .await;
    assert_eq!(
        (&none["state"], &none["error"]["code"]),
        (&json!("failed"), &json!("601"))
    );
    assert!(
        none["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("no face"),
        "{none}"
    );
    assert_eq!(
        carry_out(
            &tenant.api,
            &device,
            json!({"type": "capture_photo", "kind": "scene"})
        )
        .await["state"],
        "succeeded"
    );
    terminal.set_camera(Camera::TimesOut);
    let late = carry_out(&tenant.api, &device, json!({"type": "capture_photo"})).await;
    assert_eq!(
        (&late["state"], &late["error"]["code"]),
        (&json!("failed"), &json!("600"))
    );
    terminal.set_camera(Camera::Shows(b"this is no picture".as_slice().into()));
    let broken = carry_out(&tenant.api, &device, json!({"type": "capture_photo"})).await;
    assert_eq!(
        (&broken["state"], &broken["error"]["code"]),
        (&json!("failed"), &json!("picture_unreadable"))
    );
    assert_eq!(broken["result"], Value::Null);
}

#[tokio::test]
async fn records_are_cleared() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    assert_eq!(
        carry_out(&tenant.api, &device, json!({"type": "clear_records"})).await["state"],
        "succeeded"
    );
    terminal
        .wait_for(SOON, |event| matches!(event, Event::RecordsCleared))
        .await
        .unwrap();
}

#[tokio::test]
async fn commands_are_listed_newest_first_by_state_and_type() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    for command in ["count_persons", "open_door", "clear_records"] {
        carry_out(&tenant.api, &device, json!({"type": command})).await;
    }
    terminal.close().await;
    crate::terminal_day::device_with(&tenant, &device["id"], "online", false).await;
    super::give(&tenant.api, &device, json!({"type": "get_parameters"})).await;
    let path = super::commands_of(&device);
    let types = |items: Vec<Value>| -> Vec<String> {
        items
            .iter()
            .map(|item| item["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = types(tenant.api.list(&path).await);
    assert_eq!(
        all,
        [
            "get_parameters",
            "clear_records",
            "open_door",
            "count_persons"
        ]
    );
    assert_eq!(
        types(tenant.api.list(&format!("{path}?state=queued")).await),
        ["get_parameters"]
    );
    assert_eq!(
        types(tenant.api.list(&format!("{path}?type=open_door")).await),
        ["open_door"]
    );
    assert_eq!(
        tenant
            .api
            .get(&format!("{path}?state=gone"))
            .await
            .problem(422),
        "invalid_field"
    );
    let page = tenant.api.get(&format!("{path}?limit=3")).await.expect(200);
    let rest = format!(
        "{path}?limit=3&cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    assert_eq!(
        types(
            tenant.api.get(&rest).await.expect(200)["items"]
                .as_array()
                .unwrap()
                .clone()
        ),
        ["count_persons"]
    );
}
