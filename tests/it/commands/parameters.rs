//! Setting parameters: read, changed, written whole, read again, compared.

use super::{carry_out, commands_of, terminal};
use gatehouse_simulator::{Event, Faults};
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_is_proven_by_reading_it_again() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.faults = Faults {
            wants_full_parameter_set: true,
            ..Faults::default()
        };
    })
    .await;
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    let before = terminal.parameters();
    let from = terminal.event_count();
    let command = json!({"type": "set_parameters", "parameters": {"voiceVolume": "3", "banner": "你好", "devicePassword": "246810"}});
    let done = carry_out(&tenant.api, &device, command).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(
        done["parameters"]["parameters"],
        json!({"voiceVolume": "3", "banner": "你好", "devicePassword": "••••"})
    );

    let messages: Vec<(String, Value)> = terminal
        .events()
        .into_iter()
        .skip(from)
        .filter_map(|event| match event {
            Event::Command { msg_type, body, .. } => Some((msg_type, Value::clone(&body))),
            _ => None,
        })
        .collect();
    let types: Vec<&str> = messages
        .iter()
        .map(|(msg_type, _)| msg_type.as_str())
        .collect();
    assert_eq!(
        types,
        ["onlineGetDevInfo", "onlineSetDevInfo", "onlineGetDevInfo"]
    );
    let written = &messages[1].1;
    assert_eq!(written["voiceVolume"], "3");
    assert_eq!(
        written["ntpAddress"], "ntp1.aliyun.com",
        "what nobody changes is written as it was"
    );
    // Nothing else changed at the terminal; but of a week, which it told in eight parts, seven are written.
    let after = terminal.parameters();
    let changed = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value));
    let changed: Vec<&str> = changed.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        changed,
        ["banner", "devicePassword", "passTime", "voiceVolume"]
    );
    assert_eq!(
        (
            before["passTime"].split(';').count(),
            after["passTime"].split(';').count()
        ),
        (8, 7)
    );
    assert_eq!(after["devicePassword"], "246810");

    let path = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    let shadow = tenant.api.get(&path).await.expect(200);
    assert_eq!(
        shadow["desired"],
        json!({"voiceVolume": "3", "banner": "你好", "devicePassword": "••••"})
    );
    assert_eq!(shadow["reported"]["voiceVolume"], "3");
    assert_eq!(shadow["difference"], json!({}));
}

#[tokio::test]
async fn a_parameter_that_is_silently_ignored_is_found_out() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.faults = Faults {
            silently_ignored_parameter: Some("voiceVolume".to_owned()),
            ..Faults::default()
        };
    })
    .await;
    let command =
        json!({"type": "set_parameters", "parameters": {"voiceVolume": "9", "recogDistance": "2"}});
    let done = carry_out(&tenant.api, &device, command).await;
    assert_eq!(
        (&done["state"], &done["error"]["code"]),
        (&json!("failed"), &json!("unproven")),
        "{done}"
    );
    assert_eq!(
        done["result"]["differing"],
        json!({"voiceVolume": {"asked": "9", "reported": "1"}})
    );
    assert!(
        done["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("voiceVolume")
    );
    assert_eq!(terminal.parameters()["recogDistance"], "2");
    let path = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    let shadow = tenant.api.get(&path).await.expect(200);
    assert_eq!(
        shadow["difference"],
        json!({"voiceVolume": {"desired": "9", "reported": "1"}})
    );
    // It is not written again and again within this connection.
    carry_out(&tenant.api, &device, json!({"type": "count_persons"})).await;
    let writes = terminal
        .events()
        .iter()
        .filter(|e| matches!(e, Event::Command { msg_type, .. } if msg_type == "onlineSetDevInfo"))
        .count();
    assert_eq!(writes, 1);
}

#[tokio::test]
async fn secrets_are_masked_wherever_they_would_be_shown() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, _terminal) = terminal(&tenant, |profile| {
        profile
            .parameters
            .insert("devicePassword".to_owned(), "884422".to_owned());
        profile
            .parameters
            .insert("deviceKey".to_owned(), "key-771133".to_owned());
        profile
            .parameters
            .insert("wirelessPassword".to_owned(), "wifi-5566".to_owned());
    })
    .await;
    let read = carry_out(&tenant.api, &device, json!({"type": "get_parameters"})).await;
    assert_eq!(read["state"], "succeeded");
    assert_eq!(read["result"]["parameters"]["voiceVolume"], "1");
    let path = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    let shadow = tenant.api.get(&path).await.expect(200);
    let listed = tenant.api.get(&commands_of(&device)).await.expect(200);
    let rows: Vec<(String,)> = sqlx::query_as(
        "select to_jsonb(c)::text from hub.commands c union all select to_jsonb(p)::text from hub.parameters p \
         union all select to_jsonb(o)::text from hub.outbox o",
    )
    .fetch_all(&tenant.rows().await)
    .await
    .unwrap();
    for secret in ["884422", "key-771133", "wifi-5566"] {
        for (place, shown) in [("command", &read), ("shadow", &shadow), ("list", &listed)] {
            assert!(
                !shown.to_string().contains(secret),
                "{secret} is shown in the {place}"
            );
        }
        assert!(
            !rows.iter().any(|(row,)| row.contains(secret)),
            "{secret} stands in a row"
        );
    }
    for name in ["devicePassword", "deviceKey", "wirelessPassword"] {
        assert_eq!(read["result"]["parameters"][name], "••••", "{name}");
        assert_eq!(shadow["reported"][name], "••••", "{name}");
    }
}

#[tokio::test]
async fn values_out_of_range_are_refused_by_their_pointers() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let path = commands_of(&device);
    let long = "长".repeat(129);
    for (command, pointer) in [
        (
            json!({"type": "set_parameters", "parameters": {"voiceVolume": "11"}}),
            "/parameters/voiceVolume",
        ),
        (
            json!({"type": "set_parameters", "parameters": {"voiceVolume": "loud"}}),
            "/parameters/voiceVolume",
        ),
        (
            json!({"type": "set_parameters", "parameters": {"irLiveLevel": 4}}),
            "/parameters/irLiveLevel",
        ),
        (
            json!({"type": "set_parameters", "parameters": {"passTime": "06:00"}}),
            "/parameters/passTime",
        ),
        (
            json!({"type": "set_parameters", "parameters": {"deviceNumber": "x"}}),
            "/parameters/deviceNumber",
        ),
        (
            json!({"type": "set_parameters", "parameters": {"nonsense": "1"}}),
            "/parameters/nonsense",
        ),
        (
            json!({"type": "set_parameters", "parameters": {}}),
            "/parameters",
        ),
        (json!({"type": "open_door", "message": long}), "/message"),
        (json!({"type": "open_door", "message": "a\nb"}), "/message"),
        (json!({"type": "upgrade_firmware"}), "/url"),
        (
            json!({"type": "upgrade_firmware", "url": "ftp://h/f", "size": 1, "update_type": "kernel"}),
            "/url",
        ),
        (
            json!({"type": "upgrade_firmware", "url": "http://h/f", "size": 0, "update_type": "kernel"}),
            "/size",
        ),
    ] {
        let refusal = tenant.api.post(&path, command.clone()).await;
        assert_eq!(
            refusal.json["pointer"], pointer,
            "{command}: {}",
            refusal.json
        );
        assert_eq!(refusal.problem(422), "invalid_field", "{command}");
    }
    // Several faults are told at once.
    let two =
        json!({"type": "set_parameters", "parameters": {"voiceVolume": "11", "ntpCycle": "99"}});
    let faults = tenant.api.post(&path, two).await.expect(422)["faults"].clone();
    let pointers: Vec<&Value> = faults
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| &fault["pointer"])
        .collect();
    assert_eq!(
        pointers,
        ["/parameters/ntpCycle", "/parameters/voiceVolume"]
    );
    for shapeless in [
        json!({"type": "explode"}),
        json!({}),
        json!({"type": "read_person"}),
        json!({"type": "read_person", "index": -1}),
        json!({"type": "open_door", "mesage": "x"}),
        json!({"type": "capture_photo", "kind": "selfie"}),
        json!({"type": "set_parameters", "parameters": {"voiceVolume": null}}),
    ] {
        let refusal = tenant.api.post(&path, shapeless.clone()).await;
        assert!(
            matches!(refusal.status, 400 | 422),
            "{shapeless}: {}",
            refusal.json
        );
    }
    assert!(
        tenant.api.list(&path).await.is_empty(),
        "what is refused is not stored"
    );
    assert!(
        !terminal.events().iter().any(
            |e| matches!(e, Event::Command { msg_type, .. } if msg_type != "onlineGetDevInfo")
        )
    );
}
