//! Taking photos, refusing them, and what becomes of their content.

use super::{add_photo, another_portrait, changes_noted, person, portrait, put_photo, text};
use kit::{Gatehouse, Tenant};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A picture by its link, without a credential.
async fn fetch(url: &str) -> (u16, Vec<u8>) {
    let response = kit::api::client()
        .get(url)
        .send()
        .await
        .expect("somebody answers");
    let status = response.status().as_u16();
    (
        status,
        response
            .bytes()
            .await
            .expect("the answer is whole")
            .to_vec(),
    )
}

/// A comment within a JPEG.
fn with_comment(jpeg: &[u8], comment: &str) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).unwrap();
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xFF, 0xFE]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(comment.as_bytes());
    bytes.extend(&jpeg[2..]);
    bytes
}

/// A picture without a face.
fn grey() -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(400, 400, image::Rgb([128, 128, 128]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// The header of a bitmap of this size, and next to nothing behind it.
fn bitmap_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    bytes.extend(200_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(54_u32.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(24_u16.to_le_bytes());
    bytes.resize(200, 0);
    bytes
}

async fn of(tenant: &Tenant, id: &str) -> Value {
    tenant
        .api
        .get(&format!("/v1/persons/{id}"))
        .await
        .expect(200)
}

#[tokio::test]
async fn a_photo_is_cleaned_kept_and_sent_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let rows = tenant.rows().await;
    let id = text(&person(&tenant.api, "张三").await, "id");
    let sent = with_comment(&portrait(), "taken at 52.52 N 13.40 E");
    let photo = put_photo(&tenant.api, &id, &sent).await.expect(200);
    assert_eq!(
        (&photo["slot"], &photo["warnings"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(
        (&photo["width"], &photo["height"]),
        (&json!(400), &json!(400))
    );
    assert_eq!(photo["findings"]["faces"], 1);
    assert!(text(&photo, "distribution_id").starts_with("dst_"));
    let (status, kept) = fetch(&text(&photo, "url")).await;
    assert_eq!(status, 200);
    assert!(kept.starts_with(&[0xFF, 0xD8, 0xFF]));
    assert!(!kept.windows(8).any(|part| part == b"taken at"));

    let now = of(&tenant, &id).await;
    assert_eq!(
        (&now["photo_count"], &now["version"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(now["photos"][0]["id"], photo["id"]);
    assert_eq!(changes_noted(&rows, &tenant).await, 1);

    // The same picture again, with another comment: nothing changes, nothing is sent.
    let again = put_photo(&tenant.api, &id, &portrait()).await.expect(200);
    assert_eq!(again["id"], photo["id"]);
    assert!(again.get("distribution_id").is_none());
    assert_eq!(of(&tenant, &id).await["version"], 2);
    assert_eq!(changes_noted(&rows, &tenant).await, 1);

    // Another one takes its place, and the old picture is gone.
    let other = put_photo(&tenant.api, &id, &another_portrait(8))
        .await
        .expect(200);
    assert_ne!(other["sha256"], photo["sha256"]);
    assert_eq!(of(&tenant, &id).await["photo_count"], 1);
    assert_eq!(fetch(&text(&photo, "url")).await.0, 404);
    assert_eq!(fetch(&text(&other, "url")).await.0, 200);
    let trail = tenant
        .api
        .list("/v1/audit-entries?action=photo.taken")
        .await;
    assert_eq!(trail.len(), 2);
}

#[tokio::test]
async fn there_are_three_photos_and_the_next_move_up() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let id = text(&person(&tenant.api, "张三").await, "id");
    let mut photos = Vec::new();
    for cut in [0, 8, 16] {
        let photo = add_photo(&tenant.api, &id, &another_portrait(cut))
            .await
            .expect(201);
        assert_eq!(photo["slot"], cut / 8 + 1);
        photos.push(photo);
    }
    let same = add_photo(&tenant.api, &id, &another_portrait(8))
        .await
        .expect(200);
    assert_eq!(same["id"], photos[1]["id"]);
    let full = add_photo(&tenant.api, &id, &another_portrait(24)).await;
    assert_eq!(full.problem(409), "conflict");
    // Whoever is not there is told before anything is reckoned.
    let nobody = format!("per_{}", "0".repeat(32));
    assert_eq!(
        put_photo(&tenant.api, &nobody, b"x").await.problem(404),
        "not_found"
    );

    let path = format!("/v1/persons/{id}/photos");
    let gone = text(&photos[0], "id");
    let removed = tenant
        .api
        .delete(&format!("{path}/{gone}"))
        .await
        .expect(200);
    assert!(text(&removed, "distribution_id").starts_with("dst_"));
    let left = tenant.api.get(&path).await.expect(200);
    let left: Vec<(Value, Value)> = left["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|photo| (photo["id"].clone(), photo["slot"].clone()))
        .collect();
    assert_eq!(
        left,
        [
            (photos[1]["id"].clone(), json!(1)),
            (photos[2]["id"].clone(), json!(2))
        ]
    );
    assert_eq!(of(&tenant, &id).await["photo_count"], 2);
    assert_eq!(fetch(&text(&photos[0], "url")).await.0, 404);
    assert_eq!(
        tenant
            .api
            .delete(&format!("{path}/{gone}"))
            .await
            .problem(404),
        "not_found"
    );
}

#[tokio::test]
async fn what_is_no_good_photo_is_refused_in_words_and_codes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let id = text(&person(&tenant.api, "张三").await, "id");
    for (sent, code, senselink, hongtu) in [
        (grey(), "no_face", 10407, 121_032),
        (
            b"Dear Sir or Madam".to_vec(),
            "not_a_picture",
            30005,
            121_021,
        ),
        (
            b"GIF89a\x01\x00\x01\x00".to_vec(),
            "unsupported_format",
            30005,
            121_021,
        ),
        (portrait()[..9000].to_vec(), "damaged", 30005, 121_021),
        (
            bitmap_header(20_000, 20_000),
            "too_many_pixels",
            30005,
            121_021,
        ),
    ] {
        let begun = Instant::now();
        let reply = put_photo(&tenant.api, &id, &sent).await;
        assert!(begun.elapsed() < Duration::from_secs(10));
        let fault = reply.json["photo_faults"][0].clone();
        assert_eq!(fault["code"], code, "{}", reply.json);
        assert_eq!(fault["senselink_code"], senselink);
        assert_eq!(fault["hongtu_code"], hongtu);
        assert_eq!(reply.json["detail"], fault["sentence"]);
        assert_eq!(reply.problem(422), "photo_rejected");
    }
    let large = put_photo(&tenant.api, &id, &vec![0xFF; 10 * 1024 * 1024 + 1]).await;
    assert_eq!(large.problem(413), "too_large");
    assert_eq!(
        put_photo(&tenant.api, &id, b"").await.problem(400),
        "malformed_request"
    );
    let now = of(&tenant, &id).await;
    assert_eq!(
        (&now["photo_count"], &now["version"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_check_alone_says_the_same_and_keeps_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let check = async |sent: Vec<u8>| {
        let reply = tenant
            .api
            .send_bytes(Method::POST, "/v1/photo-checks", None, &sent)
            .await;
        reply.expect(200)
    };
    let good = check(portrait()).await;
    assert_eq!(
        (&good["accepted"], &good["faults"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(good["findings"]["faces"], 1);
    assert!(good["findings"]["face"]["sharpness"].as_f64().unwrap() > 30.0);
    let bad = check(grey()).await;
    assert_eq!(bad["accepted"], false);
    assert_eq!(bad["faults"][0]["code"], "no_face");
    let unreadable = check(b"x".to_vec()).await;
    assert_eq!(
        (&unreadable["accepted"], &unreadable["findings"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(unreadable["faults"][0]["code"], "not_a_picture");
    let rows = tenant.rows().await;
    let kept: i64 =
        sqlx::query_scalar("select count(*) from directory.loose_photos where tenant_id = $1")
            .bind(kit::uuid_of(&tenant.id))
            .fetch_one(&rows)
            .await
            .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn without_the_models_everything_else_works() {
    let world = kit::shared().await;
    let process = Gatehouse::start("all", &[("GATEHOUSE_FACE_MODELS", "/nowhere")]).await;
    let tenant = Tenant::create(&process.base_url).await;
    let id = text(&person(&tenant.api, "张三").await, "id");
    let reply = put_photo(&tenant.api, &id, &portrait()).await;
    assert!(text(&reply.json, "detail").contains("deploy/local/models.sh"));
    assert_eq!(reply.problem(503), "face_models_missing");
    drop((process, world));
}
