//! Imports: tried first, reported row by row, mended and uploaded again.

use super::{archive, ended, import, portrait, post, with_code};
use kit::{Gatehouse, Tenant, shared, until};
use serde_json::{Value, json};
use std::time::Duration;

const TABLE: &str = "code,name,type,phone,card_no,groups,valid_to\n\
E-1,张三丰,员工,13800138000,0010,Everybody,2030/1/31\n\
E-2,Ada Li,staff,not a phone,0011,Everybody,\n\
,Nobody,staff,,,,\n\
E-3,Bo Yu,staff,13900139000,0010,,\n\
E-1,Again,staff,,,,\n\
E-4,Cy Ma,staff,,0012,Nowhere,\n";

async fn tenant_with_group(world: &kit::World) -> Tenant {
    let tenant = world.tenant().await;
    tenant
        .api
        .post("/v1/groups", json!({"name": "Everybody", "type": "staff"}))
        .await
        .expect(201);
    tenant
}

fn faults_of(rows: &[Value], row: i64) -> String {
    let found = rows.iter().find(|found| found["row"] == row);
    found.unwrap_or_else(|| panic!("row {row} is not reported: {rows:?}"))["faults"].to_string()
}

#[tokio::test]
async fn a_table_is_tried_reported_mended_and_taken() {
    let world = shared().await;
    let tenant = tenant_with_group(&world).await;
    let photo = portrait();
    let photos = archive(&[
        ("staff/E-1.jpg", &photo),
        ("E-2.jpg", b"no picture"),
        ("notes.txt", b"x"),
    ]);
    let files: [(&str, &[u8]); 2] = [("file", TABLE.as_bytes()), ("photos", &photos)];

    // Tried: everything is reported, and nothing is there.
    let tried = import(&tenant, &[files[0], files[1], ("dry_run", b"true")]).await;
    assert_eq!(
        (&tried["state"], &tried["total"], &tried["failed"]),
        (&json!("succeeded"), &json!(6), &json!(5)),
        "{tried}"
    );
    let path = format!("/v1/jobs/{}/rows", tried["id"].as_str().unwrap());
    let rows = tenant.api.list(&path).await;
    assert_eq!(rows.len(), 6, "a dry run reports every row: {rows:?}");
    assert!(
        with_code(&tenant, "E-1").await.is_none(),
        "a dry run keeps nothing"
    );

    // Taken: what can be is, what cannot be says why.
    let taken = import(&tenant, &files).await;
    assert_eq!(
        (&taken["succeeded"], &taken["failed"]),
        (&json!(1), &json!(5)),
        "{taken}"
    );
    let path = format!(
        "/v1/jobs/{}/rows?outcome=failed",
        taken["id"].as_str().unwrap()
    );
    let rows = tenant.api.list(&path).await;
    assert!(faults_of(&rows, 4).contains("code"), "{rows:?}");
    assert!(faults_of(&rows, 5).contains("0010"), "{rows:?}");
    assert!(faults_of(&rows, 6).contains("row 2"), "{rows:?}");
    assert!(faults_of(&rows, 7).contains("Nowhere"), "{rows:?}");
    let first = with_code(&tenant, "E-1").await.expect("E-1 is taken");
    assert_eq!(
        (&first["name"], &first["photos"].as_array().map(Vec::len)),
        (&json!("张三丰"), &Some(1)),
        "{first}"
    );
    assert!(
        with_code(&tenant, "E-2").await.is_none(),
        "a row is taken as a whole or not at all"
    );

    // The report has only the rows that failed, and is a table again.
    let file = taken["file_url"].as_str().expect("there is a report");
    let report = tenant.api.get(file).await;
    let text = String::from_utf8(report.body).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(
        text.contains("what_was_wrong") && !text.contains("张三丰"),
        "{text}"
    );
    let mended = text
        .replace("not a phone", "13700137000")
        .replace("Nowhere", "Everybody");
    let mended = mended
        .replace(",Nobody", "E-9,Nobody")
        .replacen("E-1,Again", "E-8,Again", 1);
    let again = import(&tenant, &[("file", mended.as_bytes())]).await;
    let rows = tenant
        .api
        .list(&format!("/v1/jobs/{}/rows", again["id"].as_str().unwrap()))
        .await;
    assert!(again["failed"].as_i64().unwrap() <= 1, "{again} {rows:?}");
    assert!(with_code(&tenant, "E-2").await.is_some() && with_code(&tenant, "E-4").await.is_some());

    // The same once more changes nothing.
    let before = with_code(&tenant, "E-2").await.unwrap();
    import(&tenant, &[("file", mended.as_bytes())]).await;
    assert_eq!(
        with_code(&tenant, "E-2").await.unwrap()["version"],
        before["version"]
    );
}

#[tokio::test]
async fn a_job_goes_on_where_a_dead_process_left_it() {
    let _world = shared().await;
    let process = Gatehouse::start("directory", &[]).await;
    let tenant = Tenant::create(&process.base_url).await;
    let mut table = String::from("code,name\n");
    for number in 0..400 {
        table.push_str(&format!("K-{number},Person {number}\n"));
    }
    let job = post(&tenant, &[("file", table.as_bytes())])
        .await
        .expect(202);
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    until("some rows to be done", Duration::from_secs(30), || async {
        let job = tenant.api.get(&path).await.expect(200);
        (job["done"].as_i64()? > 0).then_some(())
    })
    .await;
    process.kill();
    process.restart().await;
    let job = tenant.api.get(&path).await.expect(200);
    // Another process takes the job over when its lease has run out, a minute later at most.
    let ended = if job["state"] == "succeeded" {
        job
    } else {
        ended_slowly(&tenant, &job).await
    };
    assert_eq!(
        (&ended["succeeded"], &ended["failed"]),
        (&json!(400), &json!(0)),
        "{ended}"
    );
    assert_eq!(tenant.api.list("/v1/persons").await.len(), 400);
}

async fn ended_slowly(tenant: &Tenant, job: &Value) -> Value {
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    until(
        "the job to be taken over",
        Duration::from_secs(90),
        || async {
            let job = tenant.api.get(&path).await.expect(200);
            (job["done"] == 400).then_some(())
        },
    )
    .await;
    ended(tenant, job).await
}
