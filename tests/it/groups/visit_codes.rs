//! The code that a visitor shows: readable by a camera, forged by nobody, dead with the visit.

use super::visits::{in_minutes, visit};
use super::{group, pointer, text};
use kit::Tenant;
use serde_json::{Value, json};

async fn verdict(tenant: &Tenant, token: &str) -> Value {
    tenant
        .api
        .post("/v1/visits:verify", json!({"token": token}))
        .await
        .expect(200)
}

async fn visiting(tenant: &Tenant, from: i64, to: i64) -> (String, Value) {
    let body = json!({"person": {"name": "Guest"}, "starts_at": in_minutes(from), "ends_at": in_minutes(to)});
    let made = visit(tenant, body).await;
    (format!("/v1/visits/{}", text(&made, "id")), made)
}

async fn token(tenant: &Tenant, path: &str) -> String {
    text(
        &tenant.api.get(&format!("{path}/qr")).await.expect(200),
        "token",
    )
}

#[tokio::test]
async fn a_camera_reads_from_the_picture_what_the_verdict_takes() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (path, made) = visiting(&tenant, -5, 60).await;
    let code = tenant.api.get(&format!("{path}/qr")).await.expect(200);
    assert_eq!(code["expires_at"], made["ends_at"]);
    for (query, side) in [("", 300), ("?size=120", 120), ("?size=1000", 1000)] {
        let picture = tenant.api.get(&format!("{path}/qr.png{query}")).await;
        assert_eq!(picture.status, 200);
        assert_eq!(picture.headers.get("content-type").unwrap(), "image/png");
        assert_eq!(picture.headers.get("cache-control").unwrap(), "no-store");
        let picture = image::load_from_memory(&picture.body)
            .expect("a PNG")
            .to_luma8();
        assert_eq!(picture.dimensions(), (side, side));
        let (width, height) = (side as usize, side as usize);
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            picture.get_pixel(x as u32, y as u32).0[0]
        });
        let grids = seen.detect_grids();
        assert_eq!(grids.len(), 1, "one code at {side} pixels");
        let (_, read) = grids[0].decode().expect("it can be read");
        assert_eq!(read, text(&code, "token"));
    }
    for size in ["119", "1001"] {
        assert_eq!(
            pointer(&tenant.api.get(&format!("{path}/qr.png?size={size}")).await),
            "/size"
        );
    }
    let said = verdict(&tenant, &text(&code, "token")).await;
    assert_eq!(
        (&said["admits"], &said["reason"]),
        (&json!(true), &json!("admitted"))
    );
    assert_eq!(said["visit"]["id"], made["id"]);
}

#[tokio::test]
async fn nobody_forges_a_code() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (path, _) = visiting(&tenant, -5, 60).await;
    let token = token(&tenant, &path).await;
    let is_unknown = |said: Value| {
        assert_eq!(
            (&said["admits"], &said["reason"]),
            (&json!(false), &json!("unknown"))
        );
        assert!(said["visit"].is_null());
    };
    is_unknown(verdict(&other, &token).await);
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'Q' } else { b'A' };
        is_unknown(verdict(&tenant, &String::from_utf8(forged).unwrap()).await);
    }
    is_unknown(verdict(&tenant, "").await);
    let long = tenant
        .api
        .post("/v1/visits:verify", json!({"token": "A".repeat(129)}))
        .await;
    assert_eq!(pointer(&long), "/token");
}

#[tokio::test]
async fn a_code_is_worth_what_the_visit_is() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let reason = async |token: &str| {
        let said = verdict(&tenant, token).await;
        assert_eq!(
            said["admits"],
            json!(said["reason"] == "admitted"),
            "{said}"
        );
        assert!(text(&said, "sentence").ends_with('.'));
        text(&said, "reason")
    };
    let (path, made) = visiting(&tenant, 30, 60).await;
    let code = token(&tenant, &path).await;
    assert_eq!(reason(&code).await, "not_yet");
    tenant
        .api
        .patch(&path, json!({"starts_at": in_minutes(-5)}))
        .await
        .expect(200);
    assert_eq!(reason(&code).await, "admitted");

    let guest = text(&made, "person_id");
    let blocked = group(&tenant, "blocklist", "Banned").await;
    let membership = format!("/v1/groups/{blocked}/members/{guest}");
    tenant.api.put(&membership).await.expect(204);
    assert_eq!(reason(&code).await, "blocklisted");
    tenant.api.delete(&membership).await.expect(204);
    let disable = async |disabled: bool| {
        let path = format!("/v1/persons/{guest}");
        tenant.api.patch(&path, json!({"disabled": disabled})).await
    };
    disable(true).await.expect(200);
    assert_eq!(reason(&code).await, "disabled");
    disable(false).await.expect(200);
    assert_eq!(reason(&code).await, "admitted");

    tenant.api.delete(&path).await.expect(204);
    assert_eq!(reason(&code).await, "cancelled");
    for of_it in ["qr", "qr.png"] {
        assert_eq!(
            tenant
                .api
                .get(&format!("{path}/{of_it}"))
                .await
                .problem(409),
            "conflict"
        );
    }

    // Whoever is erased leaves no visit behind.
    let (path, made) = visiting(&tenant, -5, 60).await;
    let code = token(&tenant, &path).await;
    let who = text(&made, "person_id");
    tenant
        .api
        .delete(&format!("/v1/persons/{who}"))
        .await
        .expect(202);
    assert_eq!(reason(&code).await, "unknown");
    assert_eq!(tenant.api.get(&path).await.problem(404), "not_found");
}
