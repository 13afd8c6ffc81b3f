//! Who may ask for what, whose terminal it is, and the trail that is left.

use super::{carry_out, commands_of, terminal};
use crate::accounts::{key_with, user_of};
use kit::{Tenant, until};
use serde_json::{Value, json};

const DAILY: [&str; 6] = [
    "open_door",
    "capture_photo",
    "get_parameters",
    "count_persons",
    "list_persons",
    "read_person",
];

fn request(kind: &str) -> Value {
    let mut request = json!({"type": kind});
    match kind {
        "read_person" => request["index"] = json!(0),
        "set_parameters" => request["parameters"] = json!({"voiceVolume": "3"}),
        "upgrade_firmware" => {
            request["url"] = json!("http://h/f.bin");
            request["size"] = json!(1);
            request["update_type"] = json!("application");
        }
        _ => {}
    }
    request
}

#[tokio::test]
async fn operators_do_the_daily_work_and_viewers_look() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&kit::world::fresh_sn()).await;
    let path = commands_of(&device);
    let operator = user_of(&tenant, "operator").await;
    let viewer = user_of(&tenant, "viewer").await;
    let admin = user_of(&tenant, "admin").await;
    let read_only = key_with(&tenant, &["devices:read"]).await;
    let operates = key_with(&tenant, &["devices:operate"]).await;
    for kind in DAILY {
        operator.post(&path, request(kind)).await.expect(201);
        operates.post(&path, request(kind)).await.expect(201);
        assert_eq!(
            viewer.post(&path, request(kind)).await.problem(403),
            "forbidden",
            "{kind}"
        );
        assert_eq!(
            read_only.post(&path, request(kind)).await.problem(403),
            "forbidden",
            "{kind}"
        );
    }
    for kind in [
        "reboot",
        "set_parameters",
        "upgrade_firmware",
        "clear_records",
    ] {
        assert_eq!(
            operator.post(&path, request(kind)).await.problem(403),
            "forbidden",
            "{kind}"
        );
        assert_eq!(
            operates.post(&path, request(kind)).await.problem(403),
            "forbidden",
            "{kind}"
        );
        admin.post(&path, request(kind)).await.expect(201);
    }
    let parameters = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    assert_eq!(
        operator
            .patch(&parameters, json!({"voiceVolume": "3"}))
            .await
            .problem(403),
        "forbidden"
    );
    viewer.get(&parameters).await.expect(200);
    assert_eq!(viewer.list(&path).await.len(), 16);
    // A key that may not read may not look at what it asked for either.
    assert_eq!(operates.get(&path).await.problem(403), "forbidden");
}

#[tokio::test]
async fn another_tenants_terminal_is_not_there() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let done = carry_out(&tenant.api, &device, json!({"type": "open_door"})).await;
    let path = commands_of(&device);
    assert_eq!(
        other
            .api
            .post(&path, json!({"type": "open_door"}))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
    let one = format!("{path}/{}", done["id"].as_str().unwrap());
    assert_eq!(other.api.get(&one).await.problem(404), "not_found");
    // Nor is a command of another device of the same tenant, or one that never was.
    let second = tenant.device(&kit::world::fresh_sn()).await;
    let crossed = format!("{}/{}", commands_of(&second), done["id"].as_str().unwrap());
    assert_eq!(tenant.api.get(&crossed).await.problem(404), "not_found");
    assert_eq!(
        tenant
            .api
            .get(&format!("{path}/cmd_{}", "0".repeat(32)))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(
        tenant
            .api
            .get(&format!("{path}/nonsense"))
            .await
            .problem(404),
        "not_found"
    );
    let no_device = format!("/v1/devices/dev_{}/commands", "0".repeat(32));
    assert_eq!(
        tenant
            .api
            .post(&no_device, json!({"type": "open_door"}))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(terminal.door_openings(), 1);
}

#[tokio::test]
async fn a_device_that_pushes_over_http_takes_no_commands() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant
        .api
        .post("/v1/devices", json!({"sn": "P-1", "protocol": "http_push"}))
        .await
        .expect(201);
    assert_eq!(
        tenant
            .api
            .post(&commands_of(&device), json!({"type": "open_door"}))
            .await
            .problem(409),
        "conflict"
    );
}

async fn trail(tenant: &Tenant, query: &str, count: usize) -> Vec<Value> {
    until(
        &format!("{count} entries in the trail"),
        super::SOON,
        || async {
            let entries = tenant.api.list(&format!("/v1/audit-entries?{query}")).await;
            (entries.len() >= count).then_some(entries)
        },
    )
    .await
}

#[tokio::test]
async fn whoever_asks_leaves_a_trail() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (device, _terminal) = terminal(&tenant, |_| {}).await;
    let operator = user_of(&tenant, "operator").await;
    let me = operator.get("/v1/me").await.expect(200);
    let opened = operator
        .send(
            reqwest::Method::POST,
            &format!("{}?wait=10s", commands_of(&device)),
            &[("X-Request-Id", "front-desk-7")],
            Some(json!({"type": "open_door", "message": "给王五开门"})),
        )
        .await
        .expect(201);
    let patch = format!("/v1/devices/{}/parameters", device["id"].as_str().unwrap());
    tenant
        .api
        .patch(&patch, json!({"devicePassword": "135791"}))
        .await
        .expect(200);

    let entries = trail(&tenant, "action=command.created", 1).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!(
        (&entry["actor_kind"], &entry["actor_id"]),
        (&json!("user"), &me["id"])
    );
    assert_eq!(
        (&entry["subject_kind"], &entry["subject_id"]),
        (&json!("device"), &device["id"])
    );
    assert_eq!(entry["request_id"], "front-desk-7");
    assert_eq!(
        (&entry["detail"]["command_id"], &entry["detail"]["type"]),
        (&opened["id"], &json!("open_door"))
    );
    let desired = trail(&tenant, "action=parameters.desired", 1).await;
    assert_eq!(desired[0]["detail"]["names"], json!(["devicePassword"]));
    assert_eq!(desired[0]["actor_kind"], "api_key");
    let subject = format!("subject={}", device["id"].as_str().unwrap());
    let all = trail(&tenant, &subject, 3).await;
    let actions: Vec<&str> = all
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert!(actions.contains(&"device.created"), "{actions:?}");
    // Neither secrets nor names.
    let told = Value::from(all).to_string();
    assert!(!told.contains("135791") && !told.contains("王五"), "{told}");
    assert!(
        other
            .api
            .list(&format!("/v1/audit-entries?{subject}"))
            .await
            .is_empty()
    );
    assert_eq!(
        operator.get("/v1/audit-entries").await.problem(403),
        "forbidden"
    );
}
