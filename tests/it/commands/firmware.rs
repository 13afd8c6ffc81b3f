//! Firmware: uploaded, fetched by a terminal at a signed link, with its progress and its ways to fail.

use super::{SOON, carry_out, end_of, give, terminal};
use gatehouse_simulator::{Event, Upgrade};
use kit::Api;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

async fn upload(api: &Api, query: &str, body: Vec<u8>) -> kit::Reply {
    let path = format!("/v1/firmware?{query}");
    api.send_bytes(Method::POST, &path, Some("application/octet-stream"), &body)
        .await
}

#[tokio::test]
async fn a_terminal_fetches_and_installs_an_uploaded_file() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let file: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let firmware = upload(
        &tenant.api,
        "name=FY-A2&version=2.2.0&update_type=application",
        file.clone(),
    )
    .await
    .expect(201);
    assert_eq!(
        (&firmware["size"], &firmware["update_type"]),
        (&json!(300_000), &json!("application"))
    );
    assert_eq!(firmware["sha256"].as_str().unwrap().len(), 64);
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let path = give(
        &tenant.api,
        &device,
        json!({"type": "upgrade_firmware", "firmware_id": firmware["id"]}),
    )
    .await;
    let done = end_of(&tenant.api, &path).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    assert!(
        matches!(done["progress"]["code"].as_str(), Some("500" | "501")),
        "{done}"
    );
    let upgraded = terminal
        .wait_for(SOON, |event| matches!(event, Event::Upgraded { .. }))
        .await
        .unwrap();
    let Event::Upgraded { bytes, url } = upgraded else {
        panic!("{upgraded:?}")
    };
    assert_eq!(bytes, 300_000, "the terminal really fetched it");
    assert!(
        url.starts_with(&world.base_url) && url.len() <= 256,
        "{url}"
    );
    let command = terminal.events().into_iter().find_map(|event| match event {
        Event::Command { msg_type, body, .. } if msg_type == "onlineUpdate" => Some(body),
        _ => None,
    });
    let command = command.unwrap();
    assert_eq!(
        (&command["updateType"], &command["updateKey"]),
        (&json!("1"), &json!("300000"))
    );
}

#[tokio::test]
async fn a_file_elsewhere_is_named_by_its_address() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| profile.upgrade.download = false).await;
    let command = json!({
        "type": "upgrade_firmware", "url": "http://files.example/fw.bin", "size": 123_456, "update_type": "kernel",
    });
    assert_eq!(
        carry_out(&tenant.api, &device, command).await["state"],
        "succeeded"
    );
    let upgraded = terminal
        .wait_for(SOON, |event| matches!(event, Event::Upgraded { .. }))
        .await
        .unwrap();
    assert!(
        matches!(upgraded, Event::Upgraded { ref url, .. } if url == "http://files.example/fw.bin")
    );
}

#[tokio::test]
async fn every_way_to_fail_is_told_in_words() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let step = Duration::from_millis(10);
    for (code, words) in [
        ("502", "could not download"),
        ("503", "length"),
        ("504", "hash"),
        ("505", "version"),
        ("506", "could not install"),
        ("507", "already upgrading"),
    ] {
        let (device, _terminal) = terminal(&tenant, |profile| {
            profile.upgrade = Upgrade {
                download: false,
                fails_with: Some(code.to_owned()),
                step,
            };
        })
        .await;
        let command = json!({"type": "upgrade_firmware", "url": "http://h/f.bin", "size": 1, "update_type": "application"});
        let done = carry_out(&tenant.api, &device, command).await;
        assert_eq!(
            (&done["state"], &done["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{done}"
        );
        let detail = done["error"]["detail"].as_str().unwrap();
        assert!(
            detail.contains(words) && detail.contains("固件"),
            "{code}: {detail}"
        );
    }
}

#[tokio::test]
async fn a_wrong_length_and_an_address_that_nobody_answers() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, _terminal) = terminal(&tenant, |_| {}).await;
    let healthz = format!("{}/healthz", world.base_url);
    for (url, size, code) in [
        (healthz.as_str(), 1_000, "503"),
        ("http://127.0.0.1:1/f.bin", 10, "502"),
    ] {
        let command = json!({"type": "upgrade_firmware", "url": url, "size": size, "update_type": "file_system"});
        let done = carry_out(&tenant.api, &device, command).await;
        assert_eq!(
            (&done["state"], &done["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{done}"
        );
    }
}

#[tokio::test]
async fn files_belong_to_their_tenant_and_can_be_removed() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let firmware = upload(
        &tenant.api,
        "name=a&version=1&update_type=kernel",
        vec![7; 100],
    )
    .await
    .expect(201);
    let path = format!("/v1/firmware/{}", firmware["id"].as_str().unwrap());
    assert_eq!(tenant.api.get(&path).await.expect(200)["name"], "a");
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
    assert_eq!(other.api.delete(&path).await.problem(404), "not_found");
    let theirs = other.device("1").await;
    let foreign = json!({"type": "upgrade_firmware", "firmware_id": firmware["id"]});
    let refusal = other.api.post(&super::commands_of(&theirs), foreign).await;
    assert!(
        matches!(refusal.status, 201 | 404 | 422),
        "{}",
        refusal.json
    );
    if refusal.status == 201 {
        // Taken, then never sent: with a terminal there it must fail.
        let terminal = gatehouse_simulator::Terminal::connect(
            gatehouse_simulator::TerminalProfile::new(&other.terminal_url, "1"),
        )
        .await
        .unwrap();
        let done = end_of(
            &other.api,
            &format!(
                "{}/{}",
                super::commands_of(&theirs),
                refusal.json["id"].as_str().unwrap()
            ),
        )
        .await;
        assert_eq!(done["state"], "failed", "{done}");
        drop(terminal);
    }
    for (query, pointer) in [
        ("name=&version=1&update_type=kernel", "/name"),
        ("name=a&version=1&update_type=2", "/update_type"),
    ] {
        let refusal = upload(&tenant.api, query, vec![1]).await;
        assert_eq!(
            (refusal.status, &refusal.json["pointer"]),
            (422, &json!(pointer)),
            "{}",
            refusal.json
        );
    }
    assert_eq!(tenant.api.list("/v1/firmware").await.len(), 1);
    tenant.api.delete(&path).await.expect(204);
    assert_eq!(tenant.api.get(&path).await.problem(404), "not_found");
}
