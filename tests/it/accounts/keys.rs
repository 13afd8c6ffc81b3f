//! API keys: shown once, bounded by scopes, time and addresses, switched off; and how many requests
//! they may send.

use super::{key_with, user_of};
use chrono::{TimeDelta, Utc};
use kit::process::Gatehouse;
use kit::{Api, Tenant, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Verified credentials are believed for five seconds.
const BELIEVED: Duration = Duration::from_secs(10);

async fn make(tenant: &Tenant, body: Value) -> (String, Api) {
    let made = tenant.api.post("/v1/api-keys", body).await.expect(201);
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    (path, tenant.api.with_bearer(made["key"].as_str().unwrap()))
}

async fn refused(key: &Api, status: u16) {
    until(
        &format!("the key to be refused with {status}"),
        BELIEVED,
        || async { (key.get("/v1/tenant").await.status == status).then_some(()) },
    )
    .await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_as_its_hash() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (path, key) = make(
        &tenant,
        json!({"name": "Reception", "scopes": ["tenant:read"]}),
    )
    .await;
    key.get("/v1/tenant").await.expect(200);
    let secret = key.bearer.clone().unwrap();
    let shown = tenant.api.get(&path).await.expect(200);
    let listed = Value::from(tenant.api.list("/v1/api-keys").await);
    assert!(
        shown.get("key").is_none()
            && !shown.to_string().contains(&secret)
            && !listed.to_string().contains(&secret)
    );
    assert!(secret.starts_with(shown["hint"].as_str().unwrap()));
    assert!(shown["hint"].as_str().unwrap().len() < 12);
    let rows: Vec<(String,)> = sqlx::query_as(
        "select to_jsonb(k)::text from directory.api_keys k union all select to_jsonb(i)::text from directory.idempotency_keys i \
         union all select to_jsonb(a)::text from directory.audit_entries a",
    )
    .fetch_all(&tenant.rows().await)
    .await
    .unwrap();
    assert!(!rows.iter().any(|(row,)| row.contains(&secret)));
    until("its use to be noted", Duration::from_secs(10), || async {
        tenant.api.get(&path).await.expect(200)["last_used_at"]
            .is_string()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn scopes_bound_what_a_key_may() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let paths = [
        ("tenant:read", "/v1/tenant"),
        ("devices:read", "/v1/devices"),
        ("records:read", "/v1/records"),
        ("accounts:read", "/v1/users"),
        ("audit:read", "/v1/audit-entries"),
    ];
    for (scope, _) in paths {
        let key = key_with(&tenant, &[scope]).await;
        for (other, path) in paths {
            let status = key.get(path).await.status;
            assert_eq!(
                status,
                if other == scope { 200 } else { 403 },
                "{scope} at {path}"
            );
        }
        assert_eq!(
            key.post("/v1/devices", json!({"sn": "x"}))
                .await
                .problem(403),
            "forbidden"
        );
    }
    for (body, pointer) in [
        (json!({"name": "x", "scopes": ["everything"]}), "/scopes"),
        (json!({"name": "x", "scopes": []}), "/scopes"),
        (json!({"name": "", "scopes": ["tenant:read"]}), "/name"),
        (
            json!({"name": "x", "scopes": ["tenant:read"], "allowed_addresses": ["here"]}),
            "/allowed_addresses",
        ),
        (
            json!({"name": "x", "scopes": ["tenant:read"], "expires_at": "2001-01-01T00:00:00Z"}),
            "/expires_at",
        ),
    ] {
        let refusal = tenant.api.post("/v1/api-keys", body.clone()).await;
        assert!(
            refusal.json["pointer"]
                .as_str()
                .unwrap()
                .starts_with(pointer),
            "{body}: {}",
            refusal.json
        );
        assert_eq!(refusal.problem(422), "invalid_field");
    }
}

#[tokio::test]
async fn keys_are_no_way_up() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let clerk = key_with(
        &tenant,
        &["accounts:write", "accounts:read", "devices:read"],
    )
    .await;
    let escalating = json!({"name": "up", "scopes": ["devices:operate", "devices:read"]});
    assert_eq!(
        clerk.post("/v1/api-keys", escalating).await.problem(403),
        "forbidden"
    );
    let made = clerk
        .post(
            "/v1/api-keys",
            json!({"name": "same", "scopes": ["devices:read"]}),
        )
        .await
        .expect(201);
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(
        clerk
            .patch(&path, json!({"scopes": ["devices:read", "devices:write"]}))
            .await
            .problem(403),
        "forbidden"
    );
    // Nor by what a stronger key has already: neither longer, nor from more places.
    let all = tenant.api.list("/v1/api-keys").await;
    let strong = all
        .iter()
        .find(|key| key["scopes"].as_array().unwrap().len() == 13)
        .unwrap();
    let strong = format!("/v1/api-keys/{}", strong["id"].as_str().unwrap());
    assert_eq!(
        clerk
            .patch(&strong, json!({"expires_at": null}))
            .await
            .problem(403),
        "forbidden"
    );
    assert_eq!(
        clerk
            .patch(&strong, json!({"allowed_addresses": []}))
            .await
            .problem(403),
        "forbidden"
    );
    // Nor by a user with a known password.
    for role in ["admin", "operator", "viewer", "owner"] {
        let user = json!({"email": super::fresh_email(), "name": "x", "role": role, "password": "known to the clerk"});
        assert_eq!(
            clerk.post("/v1/users", user).await.problem(403),
            "forbidden",
            "{role}"
        );
    }
    let admin = user_of(&tenant, "admin").await;
    admin
        .post(
            "/v1/api-keys",
            json!({"name": "x", "scopes": ["devices:operate", "accounts:write"]}),
        )
        .await
        .expect(201);
}

#[tokio::test]
async fn a_key_ends_by_time_by_switch_and_by_removal() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let soon = Utc::now() + TimeDelta::milliseconds(1_500);
    let (_, brief) = make(
        &tenant,
        json!({"name": "brief", "scopes": ["tenant:read"], "expires_at": soon}),
    )
    .await;
    brief.get("/v1/tenant").await.expect(200);
    let (path, key) = make(
        &tenant,
        json!({"name": "switched", "scopes": ["tenant:read"]}),
    )
    .await;
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
    assert_eq!(other.api.delete(&path).await.problem(404), "not_found");
    tenant
        .api
        .patch(&path, json!({"disabled": true}))
        .await
        .expect(200);
    refused(&key, 401).await;
    tenant
        .api
        .patch(&path, json!({"disabled": false}))
        .await
        .expect(200);
    key.get("/v1/tenant").await.expect(200);
    tenant.api.delete(&path).await.expect(204);
    refused(&key, 401).await;
    refused(&brief, 401).await;
}

#[tokio::test]
async fn a_key_is_bound_to_its_addresses() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let body = json!({"name": "office", "scopes": ["tenant:read"], "allowed_addresses": ["192.0.2.0/24", "2001:db8::7"]});
    let (path, key) = make(&tenant, body).await;
    let from = |address: &'static str| {
        let key = key.clone();
        async move {
            key.send(
                Method::GET,
                "/v1/tenant",
                &[("X-Forwarded-For", address)],
                None,
            )
            .await
        }
    };
    assert_eq!(from("192.0.2.77").await.status, 200);
    assert_eq!(from("2001:db8::7").await.status, 200);
    assert_eq!(
        from("198.51.100.7, 192.0.2.8").await.status,
        200,
        "the nearest hop that is no proxy of ours"
    );
    for elsewhere in [
        "192.0.3.1",
        "2001:db8::8",
        "192.0.2.8, 198.51.100.7",
        "127.0.0.1",
    ] {
        assert_eq!(
            from(elsewhere).await.problem(403),
            "forbidden",
            "{elsewhere}"
        );
    }
    assert_eq!(key.get("/v1/tenant").await.problem(403), "forbidden");
    tenant
        .api
        .patch(&path, json!({"allowed_addresses": []}))
        .await
        .expect(200);
    refused(&key, 200).await;
}

#[tokio::test]
async fn requests_are_limited_per_key_and_per_tenant() {
    let _world = kit::shared().await;
    let limits = [
        ("GATEHOUSE_RATE_LIMIT_PER_KEY", "5"),
        ("GATEHOUSE_RATE_LIMIT_PER_TENANT", "9"),
    ];
    let small = Gatehouse::start("all", &limits).await;
    let tenant = Tenant::create(&small.base_url).await;
    let second = key_with(&tenant, &["tenant:read"]).await;
    let mut remaining = Vec::new();
    let limited = loop {
        let reply = tenant.api.get("/v1/tenant").await;
        if reply.status != 200 {
            break reply;
        }
        assert_eq!(reply.headers["ratelimit-limit"], "5");
        assert!(reply.headers.contains_key("ratelimit-reset"));
        remaining.push(
            reply.headers["ratelimit-remaining"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
        assert!(remaining.len() < 10, "{remaining:?}");
    };
    assert_eq!(
        remaining,
        ["3", "2", "1", "0"],
        "making the second key was the first request"
    );
    let wait: u64 = limited.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=61).contains(&wait));
    assert_eq!(limited.problem(429), "rate_limited");
    // Another key has its own allowance, until the tenant's is spent.
    let statuses = [
        second.get("/v1/tenant").await.status,
        second.get("/v1/tenant").await.status,
    ];
    assert_eq!(statuses, [200, 200]);
    let mut last = 200;
    for _ in 0..5 {
        last = second.get("/v1/tenant").await.status;
    }
    assert_eq!(last, 429);
    // Another tenant is not concerned.
    let other = Tenant::create(&small.base_url).await;
    other.api.get("/v1/tenant").await.expect(200);
}
