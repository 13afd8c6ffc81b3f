//! Who belongs together: groups and their members, departments, and visitors with the codes they show.
//!
//! Deliberately absent: persons themselves (`people`), and that terminals learn of it (`convergence`).

mod departments;
mod members;
mod visit_codes;
mod visits;

use kit::{Reply, Tenant};
use serde_json::{Value, json};

/// A field that must be a text.
fn text(value: &Value, field: &str) -> String {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("no {field}: {value}"))
        .to_owned()
}

/// Makes a person; the id.
async fn person(tenant: &Tenant, kind: &str, name: &str) -> String {
    let body = json!({"name": name, "type": kind});
    text(
        &tenant.api.post("/v1/persons", body).await.expect(201),
        "id",
    )
}

/// Makes a group; the id.
async fn group(tenant: &Tenant, kind: &str, name: &str) -> String {
    let body = json!({"name": name, "type": kind});
    text(&tenant.api.post("/v1/groups", body).await.expect(201), "id")
}

/// A well-formed id of nothing.
fn unknown(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
}

/// The pointer of a refusal for a field.
fn pointer(reply: &Reply) -> &str {
    assert_eq!(reply.status, 422, "{}", reply.json);
    reply.json["pointer"].as_str().expect("a pointer")
}

/// How many changes for terminals were noted for a reason.
async fn noted(tenant: &Tenant, reason: &str) -> i64 {
    sqlx::query_scalar("select count(*) from directory.access_changes where reason = $1")
        .bind(reason)
        .fetch_one(&tenant.rows().await)
        .await
        .expect("the changes can be counted")
}
