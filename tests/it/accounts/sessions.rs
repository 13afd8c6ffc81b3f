//! Signing in and out: passwords, throttling, refresh tokens that rotate, sessions that end.

use super::{as_user, fresh_email, from, make_user, owner_of, refresh, sign_in, somewhere};
use kit::until;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Verified credentials are believed for five seconds.
const BELIEVED: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_owner_signs_in_and_is_known() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let owner = &tenant.created["owner"];
    let (email, password) = (
        owner["email"].as_str().unwrap(),
        owner["password"].as_str().unwrap(),
    );
    let answer = sign_in(&tenant.api, &email.to_uppercase(), password).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let session = answer.expect(200);
    assert_eq!(
        (&session["token_type"], &session["tenant_id"]),
        (&json!("Bearer"), &json!(tenant.id))
    );
    let me = as_user(&tenant.api, &session)
        .get("/v1/me")
        .await
        .expect(200);
    assert_eq!(
        (&me["kind"], &me["role"], &me["email"]),
        (&json!("user"), &json!("owner"), &json!(email))
    );
    assert_eq!(
        (&me["id"], &me["timezone"]),
        (&session["user_id"], &json!("Asia/Shanghai"))
    );
    // The key has a self as well.
    let key = tenant.api.get("/v1/me").await.expect(200);
    assert_eq!(
        (&key["kind"], &key["tenant_id"]),
        (&json!("api_key"), &json!(tenant.id))
    );
    assert_eq!(key["permissions"].as_array().unwrap().len(), 13);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, _) = make_user(&tenant, "viewer").await;
    let wrong = sign_in(&tenant.api, &email, "not the password").await;
    let unknown = sign_in(&tenant.api, &fresh_email(), "not the password").await;
    assert_eq!(wrong.json["detail"], unknown.json["detail"]);
    assert_eq!(wrong.problem(401), "unauthenticated");
    assert_eq!(unknown.problem(401), "unauthenticated");
    for body in [
        json!({"email": "nobody", "password": "x"}),
        json!({"email": email, "password": ""}),
    ] {
        assert_eq!(
            from(&somewhere(), &tenant.api, "/v1/auth/login", body)
                .await
                .problem(422),
            "invalid_field"
        );
    }
}

#[tokio::test]
async fn attempts_are_throttled_by_e_mail_address_and_by_network_address() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, password) = make_user(&tenant, "viewer").await;
    let mut refused = 0;
    for _ in 0..10 {
        refused += usize::from(sign_in(&tenant.api, &email, "wrong wrong").await.status == 401);
    }
    assert_eq!(refused, 10);
    // Also the right password, and from wherever.
    let throttled = sign_in(&tenant.api, &email, &password).await;
    let wait: u64 = throttled.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(throttled.problem(429), "rate_limited");
    // Others are not concerned.
    let (_, other, password) = make_user(&tenant, "viewer").await;
    sign_in(&tenant.api, &other, &password).await.expect(200);

    let address = somewhere();
    let attempt = || {
        from(
            &address,
            &tenant.api,
            "/v1/auth/refresh",
            json!({"refresh_token": "nonsense"}),
        )
    };
    let mut last = attempt().await.status;
    for _ in 0..80 {
        if last == 429 {
            break;
        }
        assert_eq!(last, 401);
        last = attempt().await.status;
    }
    assert_eq!(last, 429, "an address has sixty attempts a minute");
    let body = json!({"email": other, "password": password});
    assert_eq!(
        from(&address, &tenant.api, "/v1/auth/login", body)
            .await
            .problem(429),
        "rate_limited"
    );
}

#[tokio::test]
async fn refresh_tokens_rotate_and_an_old_one_ends_the_family() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, password) = make_user(&tenant, "operator").await;
    let first = sign_in(&tenant.api, &email, &password).await.expect(200);
    let elsewhere = sign_in(&tenant.api, &email, &password).await.expect(200);
    let second = refresh(&tenant.api, &first["refresh_token"])
        .await
        .expect(200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    as_user(&tenant.api, &second)
        .get("/v1/me")
        .await
        .expect(200);
    let third = refresh(&tenant.api, &second["refresh_token"])
        .await
        .expect(200);
    // Somebody copied the first one: whoever holds the session is signed out.
    assert_eq!(
        refresh(&tenant.api, &first["refresh_token"])
            .await
            .problem(401),
        "unauthenticated"
    );
    assert_eq!(
        refresh(&tenant.api, &third["refresh_token"])
            .await
            .problem(401),
        "unauthenticated"
    );
    // Another sign-in of the same user is another family.
    refresh(&tenant.api, &elsewhere["refresh_token"])
        .await
        .expect(200);
    let trail = tenant
        .api
        .list("/v1/audit-entries?action=user.refresh_token_reused")
        .await;
    assert_eq!(trail.len(), 1);
    assert_eq!(
        refresh(&tenant.api, &json!("nonsense")).await.problem(401),
        "unauthenticated"
    );
}

#[tokio::test]
async fn two_refreshes_at_once_are_one_reuse() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, password) = make_user(&tenant, "viewer").await;
    let session = sign_in(&tenant.api, &email, &password).await.expect(200);
    let token = &session["refresh_token"];
    let (one, two) = tokio::join!(refresh(&tenant.api, token), refresh(&tenant.api, token));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, password) = make_user(&tenant, "viewer").await;
    let session = sign_in(&tenant.api, &email, &password).await.expect(200);
    let body = json!({"refresh_token": session["refresh_token"]});
    from(&somewhere(), &tenant.api, "/v1/auth/logout", body.clone())
        .await
        .expect(204);
    assert_eq!(
        refresh(&tenant.api, &session["refresh_token"])
            .await
            .problem(401),
        "unauthenticated"
    );
    from(&somewhere(), &tenant.api, "/v1/auth/logout", body)
        .await
        .expect(204);
}

#[tokio::test]
async fn a_disabled_user_is_out_within_seconds() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (user, email, password) = make_user(&tenant, "admin").await;
    let session = sign_in(&tenant.api, &email, &password).await.expect(200);
    let admin = as_user(&tenant.api, &session);
    admin.get("/v1/users").await.expect(200);
    let path = format!("/v1/users/{}", user["id"].as_str().unwrap());
    tenant
        .api
        .patch(&path, json!({"disabled": true}))
        .await
        .expect(200);
    assert_eq!(
        refresh(&tenant.api, &session["refresh_token"]).await.status,
        401
    );
    assert_eq!(sign_in(&tenant.api, &email, &password).await.status, 401);
    until("the access token to be refused", BELIEVED, || async {
        (admin.get("/v1/users").await.status == 401).then_some(())
    })
    .await;
    tenant
        .api
        .patch(&path, json!({"disabled": false}))
        .await
        .expect(200);
    sign_in(&tenant.api, &email, &password).await.expect(200);
    assert_eq!(
        refresh(&tenant.api, &session["refresh_token"]).await.status,
        401,
        "the old session stays ended"
    );
}

#[tokio::test]
async fn a_user_changes_their_own_password() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, email, password) = make_user(&tenant, "viewer").await;
    let session = sign_in(&tenant.api, &email, &password).await.expect(200);
    let viewer = as_user(&tenant.api, &session);
    let put = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let viewer = viewer.clone();
        async move {
            viewer
                .send(
                    Method::PUT,
                    "/v1/me/password",
                    &[("X-Forwarded-For", &somewhere())],
                    Some(body),
                )
                .await
        }
    };
    let refusal = put("something else", "a new long password").await;
    assert_eq!(refusal.json["pointer"], "/current_password");
    assert_eq!(refusal.problem(422), "invalid_field");
    assert_eq!(
        put(&password, "short").await.json["pointer"],
        "/new_password"
    );
    put(&password, "a new long password").await.expect(204);
    assert_eq!(sign_in(&tenant.api, &email, &password).await.status, 401);
    assert_eq!(
        refresh(&tenant.api, &session["refresh_token"]).await.status,
        401
    );
    sign_in(&tenant.api, &email, "a new long password")
        .await
        .expect(200);
    // A key has none.
    let body = json!({"current_password": "x", "new_password": "a new long password"});
    assert_eq!(
        tenant
            .api
            .send(Method::PUT, "/v1/me/password", &[], Some(body))
            .await
            .problem(403),
        "forbidden"
    );
}

#[tokio::test]
async fn one_address_in_two_tenants_names_the_tenant() {
    let world = kit::shared().await;
    let (a, b) = (world.tenant().await, world.tenant().await);
    let email = fresh_email();
    let user =
        json!({"email": email, "name": "Li", "role": "viewer", "password": "the same password"});
    a.api.post("/v1/users", user.clone()).await.expect(201);
    b.api.post("/v1/users", user).await.expect(201);
    let asked = sign_in(&a.api, &email, "the same password").await;
    assert!(
        asked.json["detail"].as_str().unwrap().contains(&a.id),
        "{}",
        asked.json
    );
    assert_eq!(asked.problem(422), "tenant_required");
    let body = json!({"email": email, "password": "the same password", "tenant_id": b.id});
    let session = from(&somewhere(), &a.api, "/v1/auth/login", body)
        .await
        .expect(200);
    assert_eq!(session["tenant_id"], json!(b.id));
    // Who does not know the password learns nothing of tenants.
    assert_eq!(
        sign_in(&a.api, &email, "another password")
            .await
            .problem(401),
        "unauthenticated"
    );
}

#[tokio::test]
async fn tokens_that_were_tampered_with_are_none() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let owner = owner_of(&tenant).await;
    owner.get("/v1/users").await.expect(200);
    let token = owner.bearer.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    let (head, last) = token.split_at(token.len() - 2);
    let other = if last == "AA" { "BB" } else { "AA" };
    for forged in [
        unsigned,
        format!("{head}{other}"),
        format!("{}.{}.", parts[0], parts[1]),
        "x.y.z".to_owned(),
        "gk_nonsense".to_owned(),
    ] {
        assert_eq!(
            tenant
                .api
                .with_bearer(&forged)
                .get("/v1/users")
                .await
                .problem(401),
            "unauthenticated",
            "{forged}"
        );
    }
    let headers: [(&str, Value); 1] = [("authorization", json!(format!("Basic {token}")))];
    let reply = world
        .anonymous()
        .send(
            Method::GET,
            "/v1/users",
            &[(headers[0].0, headers[0].1.as_str().unwrap())],
            None,
        )
        .await;
    assert_eq!(reply.problem(401), "unauthenticated");
}
