//! What jobs keep of people, and that it goes: sealed while it is there, uploads at the end, the rest a
//! week later.

use super::{archive, ended, import, portrait, post};
use kit::{Gatehouse, Tenant, shared, until};
use serde_json::{Value, json};
use sqlx::Row;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(30);
const TABLE: &str = "code,name,phone,pin,id_document_number\n\
G-1,Ada Li,not a phone,48291,110101199003071234\n";

/// What of its input a job still has: the table's key, and photos.
async fn input_of(tenant: &Tenant, job: &Value) -> (Option<String>, i32) {
    let row = sqlx::query(
        "select input_key, cardinality(photo_hashes) as photos from directory.jobs where id = $1",
    )
    .bind(kit::uuid_of(job["id"].as_str().unwrap()))
    .fetch_one(&tenant.rows().await)
    .await
    .expect("the job can be read");
    (row.get("input_key"), row.get("photos"))
}

#[tokio::test]
async fn secrets_of_rows_are_sealed_and_uploads_go_when_the_job_ends() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let photos = archive(&[("G-1.jpg", &portrait()), ("nobody.jpg", b"x")]);
    let job = import(&tenant, &[("file", TABLE.as_bytes()), ("photos", &photos)]).await;
    assert_eq!(job["failed"], 1, "{job}");
    let content: Value = sqlx::query_scalar("select content from directory.job_rows")
        .fetch_one(&tenant.rows().await)
        .await
        .expect("the row is kept");
    let kept = content.to_string();
    assert!(
        kept.contains("Ada Li") && !kept.contains("48291") && !kept.contains("110101199003071234"),
        "{kept}"
    );
    let report = tenant.api.get(job["file_url"].as_str().unwrap()).await;
    let report = String::from_utf8(report.body).unwrap();
    assert!(
        report.contains("48291") && report.contains("110101199003071234"),
        "what is to be mended is shown: {report}"
    );
    until("what was uploaded to go", WITHIN, || async {
        (input_of(&tenant, &job).await == (None, 0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_is_forgotten_a_week_later_and_receipts_wait_for_it() {
    let _world = shared().await;
    let process = Gatehouse::start("directory", &[]).await;
    let tenant = Tenant::create(&process.base_url).await;
    let api = &tenant.api;
    let person = json!({"name": "Ada Li", "code": "G-1"});
    let person = api.post("/v1/persons", person).await.expect(201);
    let export = api.post("/v1/exports", json!({})).await.expect(202);
    let export = ended(&tenant, &export).await;
    let file = export["file_url"].as_str().unwrap().to_owned();
    assert_eq!(api.get(&file).await.status, 200);
    let path = format!("/v1/persons/{}", person["id"].as_str().unwrap());
    let receipt = api.delete(&path).await.expect(202);
    let job_files = |receipt: &Value| -> Value {
        let places = receipt["places"].as_array().expect("places");
        let place = places.iter().find(|place| place["place"] == "job_files");
        place.expect("a receipt speaks of files").clone()
    };
    let place = job_files(&receipt);
    assert_eq!(place["state"], "pending", "{place}");
    assert!(
        place["detail"].as_str().unwrap().contains("7 days"),
        "{place}"
    );

    sqlx::query("update directory.jobs set finished_at = finished_at - interval '8 days'")
        .execute(&tenant.rows().await)
        .await
        .expect("the job can be made old");
    let path = format!("/v1/jobs/{}", export["id"].as_str().unwrap());
    // Not killed: what it has in hand of others goes on at once.
    process.terminate().await;
    process.restart().await;
    until("the job to be forgotten", WITHIN, || async {
        (api.get(&path).await.status == 404).then_some(())
    })
    .await;
    assert_eq!(api.get(&file).await.status, 404);
    process.terminate().await;
    process.restart().await;
    let path = format!("/v1/erasures/{}", receipt["id"].as_str().unwrap());
    until("the receipt to hear of it", WITHIN, || async {
        let receipt = api.get(&path).await.expect(200);
        (job_files(&receipt)["state"] == "done").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_job_keeps_nothing_that_was_uploaded() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let mut table = String::from("code,name\n");
    for number in 0..2_000 {
        table.push_str(&format!("C-{number},Person {number}\n"));
    }
    let job = post(&tenant, &[("file", table.as_bytes())])
        .await
        .expect(202);
    let path = format!("/v1/jobs/{}/cancel", job["id"].as_str().unwrap());
    tenant.api.post(&path, json!({})).await.expect(200);
    until("what was uploaded to go", WITHIN, || async {
        (input_of(&tenant, &job).await == (None, 0)).then_some(())
    })
    .await;
}
