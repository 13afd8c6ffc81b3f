//! Exports: what goes out can come in again.

use super::{ended, import, with_code};
use kit::{shared, until};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_is_exported_comes_in_again_without_a_change() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let person = json!({"name": "=Ada; \"Li\"", "code": "X-1", "phone": "13800138000", "birthday": "2001-02-28",
                        "cards": ["0010", "0011"], "id_document_number": "110101199003071234", "pin": "4829",
                        "valid_to": "2030-01-31T18:00:00", "priority": "always", "remark": "line"});
    tenant.api.post("/v1/persons", person).await.expect(201);
    for format in ["csv", "xlsx"] {
        let job = tenant
            .api
            .post("/v1/exports", json!({"format": format}))
            .await
            .expect(202);
        let job = ended(&tenant, &job).await;
        assert_eq!(
            (&job["state"], &job["done"]),
            (&json!("succeeded"), &json!(1)),
            "{job}"
        );
        let file = tenant.api.get(job["file_url"].as_str().unwrap()).await;
        assert_eq!(file.status, 200);
        for secret in ["4829", "110101199003071234"] {
            assert!(
                !file
                    .body
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{format} tells a secret"
            );
        }
        let before = with_code(&tenant, "X-1").await.unwrap();
        let back = import(&tenant, &[("file", &file.body)]).await;
        assert_eq!(
            (&back["succeeded"], &back["failed"]),
            (&json!(1), &json!(0)),
            "{format}: {back}"
        );
        let after = with_code(&tenant, "X-1").await.unwrap();
        assert_eq!(
            after["version"], before["version"],
            "{format}: {before} {after}"
        );
    }
}

#[tokio::test]
async fn an_export_asked_for_twice_is_one_and_stands_in_the_trail() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let headers = [("Idempotency-Key", "export-1")];
    let ask = async || {
        tenant
            .api
            .send(Method::POST, "/v1/exports", &headers, Some(json!({})))
            .await
            .expect(202)
    };
    let (first, second) = (ask().await, ask().await);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(tenant.api.list("/v1/jobs").await.len(), 1);
    until(
        "the trail to tell of it",
        Duration::from_secs(20),
        || async {
            let trail = tenant.api.list("/v1/audit-entries").await;
            let told = trail
                .iter()
                .filter(|entry| entry["action"] == "persons.export");
            (told.count() == 1).then_some(())
        },
    )
    .await;
}
