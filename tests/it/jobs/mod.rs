//! Many persons in and out: tables and archives, what is wrong with a row, and a process that dies in
//! the middle.

mod exports;
mod files;
mod forgotten;
mod imports;

use kit::{Tenant, until};
use reqwest::Method;
use serde_json::Value;
use std::io::{Cursor, Write};
use std::time::Duration;
use zip::write::{SimpleFileOptions, ZipWriter};

const DONE_WITHIN: Duration = Duration::from_secs(60);
/// Between the parts of a form.
pub const BOUNDARY: &str = "----parts";

/// A form of named parts.
pub fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Posts an import.
pub async fn post(tenant: &Tenant, parts: &[(&str, &[u8])]) -> kit::Reply {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    tenant
        .api
        .send_bytes(
            Method::POST,
            "/v1/imports",
            Some(&content_type),
            &form(parts),
        )
        .await
}

/// Posts an import that is taken, and waits for its end.
pub async fn import(tenant: &Tenant, parts: &[(&str, &[u8])]) -> Value {
    let job = post(tenant, parts).await.expect(202);
    ended(tenant, &job).await
}

/// Waits for the end of a job.
pub async fn ended(tenant: &Tenant, job: &Value) -> Value {
    let path = format!("/v1/jobs/{}", job["id"].as_str().expect("a job has an id"));
    until("the job to end", DONE_WITHIN, || async {
        let job = tenant.api.get(&path).await.expect(200);
        ["succeeded", "failed", "cancelled"]
            .contains(&job["state"].as_str()?)
            .then_some(job)
    })
    .await
}

/// An archive of files.
pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A portrait that passes every check.
pub fn portrait() -> Vec<u8> {
    std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
        .expect("the portrait is checked in")
}

/// The one person with a code.
pub async fn with_code(tenant: &Tenant, code: &str) -> Option<Value> {
    let found = tenant
        .api
        .get(&format!("/v1/persons?code={code}"))
        .await
        .expect(200);
    let id = found["items"].as_array()?.first()?["id"]
        .as_str()?
        .to_owned();
    Some(
        tenant
            .api
            .get(&format!("/v1/persons/{id}"))
            .await
            .expect(200),
    )
}
