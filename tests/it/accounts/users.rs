//! Users and roles: nobody gives more than they have, and a tenant keeps an owner.

use super::{fresh_email, make_user, owner_of, sign_in, user_of};
use kit::{Api, Tenant};
use reqwest::Method;
use serde_json::{Value, json};

fn path_of(user: &Value) -> String {
    format!("/v1/users/{}", user["id"].as_str().unwrap())
}

async fn the_owner(tenant: &Tenant) -> Value {
    let users = tenant.api.list("/v1/users").await;
    users
        .into_iter()
        .find(|user| user["role"] == "owner")
        .unwrap()
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let owner = owner_of(&tenant).await;
    let first = path_of(&the_owner(&tenant).await);
    for change in [json!({"role": "admin"}), json!({"disabled": true})] {
        assert_eq!(owner.patch(&first, change).await.problem(409), "conflict");
    }
    assert_eq!(owner.delete(&first).await.problem(409), "conflict");
    let second = json!({"email": fresh_email(), "name": "Wang", "role": "owner"});
    let second = owner.post("/v1/users", second).await.expect(201);
    owner
        .patch(&first, json!({"role": "admin"}))
        .await
        .expect(200);
    let now_owner = sign_in(
        &tenant.api,
        second["email"].as_str().unwrap(),
        second["password"].as_str().unwrap(),
    )
    .await
    .expect(200);
    let now_owner = super::as_user(&tenant.api, &now_owner);
    assert_eq!(
        now_owner.delete(&path_of(&second)).await.problem(409),
        "conflict"
    );
    now_owner.delete(&first).await.expect(204);
}

#[tokio::test]
async fn two_owners_who_demote_each_other_leave_one() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let owner = owner_of(&tenant).await;
    let first = the_owner(&tenant).await;
    let second = owner
        .post(
            "/v1/users",
            json!({"email": fresh_email(), "name": "Wang", "role": "owner"}),
        )
        .await
        .expect(201);
    let (first, second) = (path_of(&first), path_of(&second));
    let (one, two) = tokio::join!(
        owner.patch(&first, json!({"role": "viewer"})),
        owner.patch(&second, json!({"role": "viewer"})),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert_ne!(statuses[1], 200, "{statuses:?}");
    let owners = tenant
        .api
        .list("/v1/users")
        .await
        .into_iter()
        .filter(|user| user["role"] == "owner")
        .count();
    assert_eq!(owners, 1);
}

#[tokio::test]
async fn nobody_gives_or_touches_more_than_they_have() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let admin = user_of(&tenant, "admin").await;
    let operator = user_of(&tenant, "operator").await;
    let owner = the_owner(&tenant).await;
    let new = |role: &str| json!({"email": fresh_email(), "name": "Li", "role": role});
    assert_eq!(
        admin.post("/v1/users", new("owner")).await.problem(403),
        "forbidden"
    );
    assert_eq!(
        tenant
            .api
            .post("/v1/users", new("owner"))
            .await
            .problem(403),
        "forbidden",
        "a key is no owner"
    );
    assert_eq!(
        admin
            .patch(&path_of(&owner), json!({"password": "taken over now"}))
            .await
            .problem(403),
        "forbidden"
    );
    assert_eq!(
        tenant
            .api
            .patch(&path_of(&owner), json!({"disabled": true}))
            .await
            .problem(403),
        "forbidden"
    );
    assert_eq!(
        admin.delete(&path_of(&owner)).await.problem(403),
        "forbidden"
    );
    let viewer = admin.post("/v1/users", new("viewer")).await.expect(201);
    assert_eq!(
        admin
            .patch(&path_of(&viewer), json!({"role": "owner"}))
            .await
            .problem(403),
        "forbidden"
    );
    for api in [&operator, &user_of(&tenant, "viewer").await] {
        assert_eq!(
            api.post("/v1/users", new("viewer")).await.problem(403),
            "forbidden"
        );
        assert_eq!(api.get("/v1/users").await.problem(403), "forbidden");
        assert_eq!(
            api.post(
                "/v1/api-keys",
                json!({"name": "x", "scopes": ["tenant:read"]})
            )
            .await
            .problem(403),
            "forbidden"
        );
        assert_eq!(
            api.post("/v1/terminal-tokens", json!({"name": "x"}))
                .await
                .problem(403),
            "forbidden"
        );
    }
    // Nobody of a tenant has the operator's power.
    for api in [&tenant.api, &owner_of(&tenant).await] {
        assert_eq!(api.get("/v1/tenants").await.status, 401);
        assert_eq!(
            api.post("/v1/tenants", json!({"name": "x", "timezone": "UTC"}))
                .await
                .status,
            401
        );
    }
}

#[tokio::test]
async fn each_role_has_its_powers() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let may = |api: Api| async move {
        let mut powers = Vec::new();
        for (power, path) in [
            ("tenant", "/v1/tenant"),
            ("devices", "/v1/devices"),
            ("records", "/v1/records"),
            ("accounts", "/v1/users"),
            ("keys", "/v1/api-keys"),
            ("tokens", "/v1/terminal-tokens"),
            ("audit", "/v1/audit-entries"),
        ] {
            match api.get(path).await.status {
                200 => powers.push(power),
                status => assert_eq!(status, 403, "{path}"),
            }
        }
        let device = json!({"sn": kit::world::fresh_sn()});
        match api.post("/v1/devices", device).await.status {
            201 => powers.push("devices:write"),
            status => assert_eq!(status, 403),
        }
        match api
            .patch("/v1/tenant", json!({"name": "Renamed"}))
            .await
            .status
        {
            200 => powers.push("tenant:write"),
            status => assert_eq!(status, 403),
        }
        powers
    };
    let all = [
        "tenant",
        "devices",
        "records",
        "accounts",
        "keys",
        "tokens",
        "audit",
        "devices:write",
        "tenant:write",
    ];
    assert_eq!(may(owner_of(&tenant).await).await, all);
    assert_eq!(may(user_of(&tenant, "admin").await).await, all);
    assert_eq!(
        may(user_of(&tenant, "operator").await).await,
        ["tenant", "devices", "records"]
    );
    assert_eq!(
        may(user_of(&tenant, "viewer").await).await,
        ["tenant", "devices", "records"]
    );
}

#[tokio::test]
async fn users_are_made_changed_and_removed() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (user, email, password) = make_user(&tenant, "viewer").await;
    let path = path_of(&user);
    let shown = tenant.api.get(&path).await;
    assert_eq!(shown.headers["etag"], "\"1\"");
    let shown = shown.expect(200);
    assert!(
        shown.get("password").is_none() && !shown.to_string().contains("argon2"),
        "{shown}"
    );
    assert_eq!(other.api.get(&path).await.problem(404), "not_found");
    assert_eq!(
        other
            .api
            .patch(&path, json!({"name": "x"}))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(other.api.delete(&path).await.problem(404), "not_found");

    let again = json!({"email": email.to_uppercase(), "name": "Li", "role": "viewer"});
    let taken = tenant.api.post("/v1/users", again).await;
    assert_eq!(taken.json["pointer"], "/email");
    assert_eq!(taken.problem(409), "already_exists");
    for (field, bad) in [
        ("email", json!("nobody")),
        ("name", json!("")),
        ("role", json!("king")),
        ("password", json!("short")),
    ] {
        let mut body = json!({"email": fresh_email(), "name": "Li", "role": "viewer"});
        body[field] = bad;
        let refusal = tenant.api.post("/v1/users", body).await;
        assert_eq!(refusal.json["pointer"], format!("/{field}"));
        assert_eq!(refusal.problem(422), "invalid_field");
    }

    let stale = [("If-Match", "\"7\"")];
    let change = || Some(json!({"role": "operator"}));
    assert_eq!(
        tenant
            .api
            .send(Method::PATCH, &path, &stale, change())
            .await
            .problem(412),
        "precondition_failed"
    );
    let current = [("If-Match", "\"1\"")];
    let changed = tenant
        .api
        .send(Method::PATCH, &path, &current, change())
        .await;
    assert_eq!(changed.headers["etag"], "\"2\"");
    assert_eq!(changed.expect(200)["role"], "operator");
    assert_eq!(
        tenant
            .api
            .send(Method::PATCH, &path, &current, change())
            .await
            .problem(412),
        "precondition_failed"
    );
    sign_in(&tenant.api, &email, &password).await.expect(200);
    tenant.api.delete(&path).await.expect(204);
    assert_eq!(tenant.api.get(&path).await.problem(404), "not_found");
    assert_eq!(sign_in(&tenant.api, &email, &password).await.status, 401);
    let actions: Vec<Value> = tenant
        .api
        .list(&format!(
            "/v1/audit-entries?subject={}",
            user["id"].as_str().unwrap()
        ))
        .await
        .iter()
        .map(|e| e["action"].clone())
        .collect();
    assert_eq!(
        actions,
        [
            "user.deleted",
            "user.signed_in",
            "user.updated",
            "user.created"
        ]
    );
}
