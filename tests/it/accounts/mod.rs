//! Credentials: people who sign in, programs with keys, tenants with all they begin with; and what
//! each may do.
//!
//! Deliberately absent: the table of every operation against every credential (`strangers`).

mod keys;
mod lists;
mod sessions;
mod tenants;
mod users;

use kit::{Api, Reply, Tenant};
use reqwest::Method;
use serde_json::{Value, json};

/// An address that nobody else signs in from: attempts are counted by it.
fn somewhere() -> String {
    let number = uuid::Uuid::new_v4().as_u128();
    let byte = |shift: u32| (number >> shift) & 0xFF;
    format!("10.{}.{}.{}", byte(0), byte(8), byte(16))
}

/// Sends a request without a credential from an address.
async fn from(address: &str, api: &Api, path: &str, body: Value) -> Reply {
    let anonymous = Api::new(&api.base_url, None);
    anonymous
        .send(
            Method::POST,
            path,
            &[("X-Forwarded-For", address)],
            Some(body),
        )
        .await
}

/// Tries to sign in from an address of its own.
async fn sign_in(api: &Api, email: &str, password: &str) -> Reply {
    from(
        &somewhere(),
        api,
        "/v1/auth/login",
        json!({"email": email, "password": password}),
    )
    .await
}

/// Exchanges a refresh token.
async fn refresh(api: &Api, token: &Value) -> Reply {
    from(
        &somewhere(),
        api,
        "/v1/auth/refresh",
        json!({"refresh_token": token}),
    )
    .await
}

/// The API as this session.
fn as_user(api: &Api, session: &Value) -> Api {
    api.with_bearer(session["access_token"].as_str().unwrap())
}

/// An e-mail address that nobody else has.
fn fresh_email() -> String {
    format!("{}@example.com", uuid::Uuid::new_v4().simple())
}

/// Makes a user of this role; the user, and their e-mail address and password.
async fn make_user(tenant: &Tenant, role: &str) -> (Value, String, String) {
    let email = fresh_email();
    let body = json!({"email": email, "name": "Li", "role": role});
    let user = tenant.api.post("/v1/users", body).await.expect(201);
    let password = user["password"]
        .as_str()
        .expect("a generated password")
        .to_owned();
    (user, email, password)
}

/// The API as a new user of this role.
pub(crate) async fn user_of(tenant: &Tenant, role: &str) -> Api {
    let (_, email, password) = make_user(tenant, role).await;
    as_user(
        &tenant.api,
        &sign_in(&tenant.api, &email, &password).await.expect(200),
    )
}

/// The API as the tenant's first owner.
async fn owner_of(tenant: &Tenant) -> Api {
    let owner = &tenant.created["owner"];
    let (email, password) = (
        owner["email"].as_str().unwrap(),
        owner["password"].as_str().unwrap(),
    );
    as_user(
        &tenant.api,
        &sign_in(&tenant.api, email, password).await.expect(200),
    )
}

/// The API with a new key of these scopes.
pub(crate) async fn key_with(tenant: &Tenant, scopes: &[&str]) -> Api {
    let made = tenant
        .api
        .post("/v1/api-keys", json!({"name": "test", "scopes": scopes}))
        .await
        .expect(201);
    tenant.api.with_bearer(made["key"].as_str().unwrap())
}
