//! Persons and their photos: what is taken, what is refused and why, who is found, what terminals
//! are to learn of.

mod criteria;
mod finding;
mod flat_cost;
mod persons;
mod photos;
mod same_content;

use kit::{Api, Reply, Tenant};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

/// A field that must be a text.
fn text(object: &Value, field: &str) -> String {
    let value = &object[field];
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {object}"));
    text.to_owned()
}

/// A person of this name.
async fn person(api: &Api, name: &str) -> Value {
    api.post("/v1/persons", json!({"name": name, "type": "staff"}))
        .await
        .expect(201)
}

/// A face that every level of criteria accepts.
fn portrait() -> Vec<u8> {
    std::fs::read(kit::environment::root().join("tests/kit/fixtures/portrait.jpg"))
        .expect("the portrait is checked in")
}

/// Another content with the same face: a comment makes it another file, not another picture, so one
/// row of pixels is cut off instead.
fn another_portrait(cut: u32) -> Vec<u8> {
    let picture = image::load_from_memory(&portrait())
        .expect("the portrait is a picture")
        .into_rgb8();
    let (width, height) = picture.dimensions();
    let cropped = image::imageops::crop_imm(&picture, 0, 0, width - cut, height).to_image();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 92)
        .encode_image(&cropped)
        .expect("it can be encoded");
    bytes
}

async fn put_photo(api: &Api, person: &str, picture: &[u8]) -> Reply {
    let path = format!("/v1/persons/{person}/photo");
    api.send_bytes(Method::PUT, &path, Some("image/jpeg"), picture)
        .await
}

async fn add_photo(api: &Api, person: &str, picture: &[u8]) -> Reply {
    let path = format!("/v1/persons/{person}/photos");
    api.send_bytes(Method::POST, &path, None, picture).await
}

/// How many changes were noted for terminals.
async fn changes_noted(rows: &PgPool, tenant: &Tenant) -> i64 {
    sqlx::query_scalar("select count(*) from directory.access_changes where tenant_id = $1")
        .bind(kit::uuid_of(&tenant.id))
        .fetch_one(rows)
        .await
        .expect("rows can be counted")
}
