//! What photos are held against.

use super::{person, portrait, put_photo, text};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/v1/photo-criteria";

#[tokio::test]
async fn a_tenant_chooses_what_its_photos_are_held_against() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let choose = async |body: Value| api.send(Method::PUT, PATH, &[], Some(body)).await;
    let usual = api.get(PATH).await.expect(200);
    assert_eq!((&usual["level"], &usual["version"]), (&json!(3), &json!(0)));
    let id = text(&person(api, "张三").await, "id");

    let own = choose(json!({"thresholds": {"face_size_min_px": 400}}))
        .await
        .expect(200);
    assert_eq!((&own["level"], &own["version"]), (&json!(4), &json!(1)));
    assert_eq!(own["thresholds"]["face_size_min_px"], 400.0);
    let reply = put_photo(api, &id, &portrait()).await;
    let fault = reply.json["photo_faults"][0].clone();
    assert_eq!(
        (&fault["code"], &fault["limit"]),
        (&json!("face_too_small"), &json!(400.0))
    );
    assert!(fault["measured"].as_f64().unwrap() < 400.0);
    assert_eq!(fault["senselink_code"], 1_030_201);
    assert_eq!(reply.problem(422), "photo_rejected");

    for level in [1, 3] {
        assert_eq!(
            choose(json!({"level": level})).await.expect(200)["level"],
            level
        );
    }
    put_photo(api, &id, &portrait()).await.expect(200);
    let stale = api
        .send(
            Method::PUT,
            PATH,
            &[("If-Match", "\"1\"")],
            Some(json!({"level": 1})),
        )
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
    for (body, pointer) in [
        (json!({"level": 2}), "/level"),
        (json!({}), "/level"),
        (json!({"level": 3, "thresholds": {}}), "/thresholds"),
        (json!({"thresholds": {"beauty": 1}}), "/thresholds/beauty"),
        (
            json!({"thresholds": {"yaw_max_deg": 181}}),
            "/thresholds/yaw_max_deg",
        ),
    ] {
        let reply = choose(body).await;
        assert_eq!(reply.json["pointer"], pointer);
        assert_eq!(reply.problem(422), "invalid_field");
    }
    assert_eq!(api.get(PATH).await.expect(200)["version"], 3);
    // Nobody else's photos are judged by it.
    assert_eq!(world.tenant().await.api.get(PATH).await.expect(200), usual);
}
