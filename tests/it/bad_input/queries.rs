//! Queries, paths and headers that cannot be taken: always a problem, never an internal error.

use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::{Value, json};

/// A cursor that no list gave.
fn forged(position: &Value) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let text = position.to_string();
    text.as_bytes()
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .chain(&[0, 0])
                .take(3)
                .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            (0..=chunk.len()).map(move |place| char::from(DIGITS[bits >> (18 - 6 * place) & 63]))
        })
        .collect()
}

#[tokio::test]
async fn queries_that_cannot_be_taken() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&fresh_sn()).await;
    let one = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    let lists = [
        "/v1/devices".to_owned(),
        "/v1/records".to_owned(),
        "/v1/users".to_owned(),
        "/v1/api-keys".to_owned(),
        "/v1/terminal-tokens".to_owned(),
        "/v1/discovered-devices".to_owned(),
        "/v1/audit-entries".to_owned(),
        "/v1/firmware".to_owned(),
        format!("{one}/commands"),
        format!("{one}/unknown-messages"),
    ];
    for path in &lists {
        for bad in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=x",
            "limit=99999999999999999999",
            "cursor=x",
            "cursor=",
            "cursor=%00",
            "cursor=IiI",
            "cursor=eyJhIjoxfQ",
            "cursor=%F0%9F%9A%AA",
        ] {
            let refusal = tenant.api.get(&format!("{path}?{bad}")).await;
            assert_eq!(refusal.status, 422, "{path}?{bad}: {}", refusal.json);
            assert_eq!(refusal.problem(422), "invalid_field", "{path}?{bad}");
        }
        tenant
            .api
            .get(&format!("{path}?limit=200"))
            .await
            .expect(200);
        tenant.api.get(&format!("{path}?limit=1")).await.expect(200);
    }
    for bad in [
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
        "from=0",
        "type=ghost",
        "result=maybe",
        "device_id=x",
        "device_id=rec_00000000000000000000000000000001",
        "person_id=7",
    ] {
        let refusal = tenant.api.get(&format!("/v1/records?{bad}")).await;
        assert_eq!(refusal.problem(422), "invalid_field", "{bad}");
    }
    let long = "x".repeat(5_000);
    for path in [
        "/v1/records?person_number=%00".to_owned(),
        format!("/v1/records?person_number={long}"),
        "/v1/audit-entries?subject=%00".to_owned(),
        format!("/v1/audit-entries?actor={long}"),
        "/v1/devices?name=%00".to_owned(),
        "/v1/devices?sn=%00".to_owned(),
        "/v1/devices?name=%FF".to_owned(),
        "/v1/records?from=-262143-01-01T00:00:00Z".to_owned(),
        "/v1/records?to=%2B262142-12-31T23:59:59Z".to_owned(),
        "/v1/audit-entries?from=-262143-01-01T00:00:00Z".to_owned(),
        format!(
            "/v1/records?cursor={}",
            forged(&json!({"passed_at": "-262143-01-01T00:00:00Z", "id": uuid::Uuid::nil()}))
        ),
        format!(
            "/v1/audit-entries?cursor={}",
            forged(&json!(["-262143-01-01T00:00:00Z", uuid::Uuid::nil()]))
        ),
        format!("{one}/commands?cursor={}", forged(&Value::Null)),
    ] {
        let reply = tenant.api.get(&path).await;
        assert!(
            matches!(reply.status, 200 | 422),
            "{path:.80}: {} {}",
            reply.status,
            reply.json
        );
    }
}

#[tokio::test]
async fn paths_and_headers_that_name_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&fresh_sn()).await;
    let one = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    let zeros = "0".repeat(32);
    for path in [
        "/v1/devices/x".to_owned(),
        "/v1/devices/%00".to_owned(),
        "/v1/devices/dev_".to_owned(),
        format!("/v1/devices/dev_{zeros}"),
        format!("/v1/devices/rec_{zeros}"),
        format!("/v1/records/dev_{zeros}"),
        format!("/v1/records/rec_{zeros}"),
        format!("/v1/users/usr_{zeros}"),
        format!("/v1/api-keys/key_{zeros}"),
        format!("/v1/firmware/fw_{zeros}"),
        format!("{one}/commands/cmd_{zeros}"),
        format!(
            "{}/parameters",
            one.to_uppercase()
                .replace("/V1/DEVICES/DEV_", "/v1/devices/DEV_")
        ),
    ] {
        assert_eq!(
            tenant.api.get(&path).await.problem(404),
            "not_found",
            "{path}"
        );
    }
    for path in [
        "/v1/nothing",
        "/v2/devices",
        "/V1/devices",
        "/v1",
        "/v1/devices/",
        "/etc/passwd",
        "/v1/../v1/nothing",
    ] {
        let reply = tenant.api.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(
            matches!(
                reply.problem(404).as_str(),
                "no_such_operation" | "not_found"
            ),
            "{path}"
        );
    }
    let wrong_method = tenant.api.send(Method::PUT, &one, &[], None).await;
    assert!(
        matches!(wrong_method.status, 404 | 405),
        "{}",
        wrong_method.status
    );
    let status = wrong_method.status;
    wrong_method.problem(status);
    // The request's id comes back, where it is harmless.
    let named = tenant
        .api
        .send(
            Method::GET,
            "/v1/nothing",
            &[("X-Request-Id", "my-id_1")],
            None,
        )
        .await;
    assert_eq!(
        (
            named.headers["x-request-id"].to_str().unwrap(),
            &named.json["request_id"]
        ),
        ("my-id_1", &json!("my-id_1"))
    );
    let odd = tenant
        .api
        .send(
            Method::GET,
            "/v1/nothing",
            &[("X-Request-Id", "a b<c>")],
            None,
        )
        .await;
    assert_ne!(odd.headers["x-request-id"], "a b<c>");
    for bearer in ["", "x", "gk_", "gk_nonsense", &"x".repeat(6_000)] {
        assert_eq!(
            tenant
                .api
                .with_bearer(bearer)
                .get("/v1/devices")
                .await
                .problem(401),
            "unauthenticated",
            "{bearer:.20}"
        );
    }
    for (header, value) in [
        ("If-Match", "x"),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "ключ"),
    ] {
        let reply = tenant
            .api
            .send(
                Method::PATCH,
                &one,
                &[(header, value)],
                Some(json!({"name": "N"})),
            )
            .await;
        assert!(
            matches!(reply.status, 200 | 400),
            "{header}: {}",
            reply.status
        );
    }
}
