//! Tenants: the command line's contract, everything that a new one gets, switched off and on.

use super::{make_user, owner_of, refresh, sign_in};
use kit::process::run;
use kit::{Api, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn the_command_line_prints_the_contract() {
    let world = kit::shared().await;
    let name = format!("Shell {}", uuid::Uuid::new_v4().simple());
    let cappkey = uuid::Uuid::new_v4().simple().to_string();
    let listen = [("GATEHOUSE_PUBLIC_URL", world.base_url.as_str())];
    let words = [
        "tenant",
        "create",
        "--name",
        &name,
        "--timezone",
        "Asia/Shanghai",
        "--json",
        "--hongtu-key",
        &cappkey,
        "--hongtu-secret",
        "s3cret",
    ];
    let printed = run(&words, &listen);
    assert_eq!(
        printed.trim_end().lines().count(),
        1,
        "one line of JSON and nothing else: {printed}"
    );
    let created: Value = serde_json::from_str(&printed).unwrap();
    // What others' scripts rely on; more may stand beside it.
    for key in [
        "api_key",
        "facejoy",
        "hongtu",
        "push_base_url",
        "senselink",
        "tenant_id",
        "terminal_url",
    ] {
        assert!(
            keys(&created).contains(&key),
            "{key} is missing in {created}"
        );
    }
    assert_eq!(
        keys(&created),
        [
            "api_key",
            "facejoy",
            "hongtu",
            "owner",
            "push_base_url",
            "senselink",
            "tenant_id",
            "terminal_url"
        ]
    );
    assert_eq!(
        keys(&created["senselink"]),
        ["app_key", "app_secret", "base_url", "ws_url"]
    );
    assert_eq!(keys(&created["hongtu"]), ["base_url", "cappkey", "secret"]);
    assert_eq!(
        keys(&created["facejoy"]),
        ["base_url", "password", "user_id"]
    );
    assert_eq!(keys(&created["owner"]), ["email", "password"]);
    assert_eq!(
        (&created["hongtu"]["cappkey"], &created["hongtu"]["secret"]),
        (&json!(cappkey), &json!("s3cret"))
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sockets = world.base_url.replacen("http", "ws", 1);
    assert!(text(&created["terminal_url"]).starts_with(&format!("{sockets}/terminal/")));
    assert!(text(&created["push_base_url"]).starts_with(&format!("{}/push/", world.base_url)));
    assert!(text(&created["tenant_id"]).starts_with("ten_"));

    // All of it works.
    let api = Api::new(&world.base_url, created["api_key"].as_str());
    let tenant = api.get("/v1/tenant").await.expect(200);
    assert_eq!(
        (&tenant["id"], &tenant["name"]),
        (&created["tenant_id"], &json!(name))
    );
    sign_in(
        &api,
        &text(&created["owner"]["email"]),
        &text(&created["owner"]["password"]),
    )
    .await
    .expect(200);
    let sn = kit::world::fresh_sn();
    api.post("/v1/devices", json!({"sn": sn})).await.expect(201);
    let profile = gatehouse_simulator::TerminalProfile::new(&text(&created["terminal_url"]), &sn);
    drop(
        gatehouse_simulator::Terminal::connect(profile)
            .await
            .unwrap(),
    );

    // The same Hongtu key a second time belongs to somebody.
    let again =
        json!({"name": "x", "timezone": "UTC", "hongtu": {"cappkey": cappkey, "secret": "x"}});
    assert_eq!(
        world
            .operator()
            .post("/v1/tenants", again)
            .await
            .problem(409),
        "already_exists"
    );
}

#[tokio::test]
async fn a_tenant_is_made_and_read_by_the_operator_alone() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let operator = world.operator();
    let path = format!("/v1/tenants/{}", tenant.id);
    let shown = operator.get(&path).await.expect(200);
    assert_eq!(
        (&shown["id"], &shown["timezone"], &shown["disabled_at"]),
        (&json!(tenant.id), &json!("Asia/Shanghai"), &Value::Null)
    );
    assert_eq!(tenant.api.get(&path).await.problem(401), "unauthenticated");
    assert_eq!(
        world.anonymous().get(&path).await.problem(401),
        "unauthenticated"
    );
    assert_eq!(
        operator
            .with_bearer("not the operator")
            .get(&path)
            .await
            .problem(401),
        "unauthenticated"
    );
    assert_eq!(
        operator.get("/v1/devices").await.problem(401),
        "unauthenticated",
        "the operator is nobody within a tenant"
    );
    for (body, pointer) in [
        (json!({"name": "", "timezone": "UTC"}), "/name"),
        (
            json!({"name": "x", "timezone": "Mars/Olympus"}),
            "/timezone",
        ),
        (
            json!({"name": "x", "timezone": "UTC", "owner_email": "nobody"}),
            "/owner_email",
        ),
        (
            json!({"name": "x", "timezone": "UTC", "hongtu": {"cappkey": "a b", "secret": "s"}}),
            "/hongtu/cappkey",
        ),
    ] {
        let refusal = operator.post("/v1/tenants", body).await;
        assert_eq!(refusal.json["pointer"], pointer);
        assert_eq!(refusal.problem(422), "invalid_field");
    }
}

#[tokio::test]
async fn a_tenant_changes_itself_but_does_not_switch_itself_on() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let renamed = tenant
        .api
        .patch(
            "/v1/tenant",
            json!({"name": "New name", "timezone": "Europe/Berlin"}),
        )
        .await
        .expect(200);
    assert_eq!(
        (&renamed["name"], &renamed["timezone"], &renamed["version"]),
        (&json!("New name"), &json!("Europe/Berlin"), &json!(2))
    );
    let device = tenant
        .api
        .post("/v1/devices", json!({"sn": "1"}))
        .await
        .expect(201);
    assert_eq!(
        device["timezone"], "Europe/Berlin",
        "new devices begin with the tenant's zone"
    );
    let refusal = tenant
        .api
        .patch("/v1/tenant", json!({"disabled": false}))
        .await;
    assert_eq!(refusal.json["pointer"], "/disabled");
    assert_eq!(refusal.problem(422), "invalid_field");
    assert_eq!(
        tenant
            .api
            .patch("/v1/tenant", json!({"timezone": "Nowhere"}))
            .await
            .problem(422),
        "invalid_field"
    );
    let stale = tenant
        .api
        .send(
            Method::PATCH,
            "/v1/tenant",
            &[("If-Match", "\"1\"")],
            Some(json!({"name": "x"})),
        )
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
}

#[tokio::test]
async fn nothing_of_a_disabled_tenant_is_accepted() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let owner = owner_of(&tenant).await;
    let (_, email, password) = make_user(&tenant, "viewer").await;
    let session = sign_in(&tenant.api, &email, &password).await.expect(200);
    let path = format!("/v1/tenants/{}", tenant.id);
    let off = world
        .operator()
        .patch(&path, json!({"disabled": true}))
        .await
        .expect(200);
    assert!(off["disabled_at"].is_string());
    for (who, api) in [("key", &tenant.api), ("owner", &owner)] {
        until(
            &format!("the {who} to be refused"),
            Duration::from_secs(10),
            || async { (api.get("/v1/tenant").await.status == 401).then_some(()) },
        )
        .await;
    }
    assert_eq!(sign_in(&tenant.api, &email, &password).await.status, 401);
    assert_eq!(
        refresh(&tenant.api, &session["refresh_token"]).await.status,
        401
    );
    let terminal = gatehouse_simulator::TerminalProfile::new(&tenant.terminal_url, "1");
    assert_eq!(crate::terminal_day::refused_handshake(terminal).await, 401);
    other.api.get("/v1/tenant").await.expect(200);
    world
        .operator()
        .patch(&path, json!({"disabled": false}))
        .await
        .expect(200);
    until(
        "the key to be good again",
        Duration::from_secs(10),
        || async { (tenant.api.get("/v1/tenant").await.status == 200).then_some(()) },
    )
    .await;
}
