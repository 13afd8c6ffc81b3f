//! Bodies that cannot be read or taken: always a problem, never an internal error.

use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let device = tenant.device(&fresh_sn()).await;
    let one = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    let json_type = Some("application/json");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    let places = [
        (Method::POST, "/v1/devices".to_owned()),
        (Method::POST, "/v1/users".to_owned()),
        (Method::POST, "/v1/api-keys".to_owned()),
        (Method::POST, "/v1/terminal-tokens".to_owned()),
        (Method::POST, format!("{one}/commands")),
        (Method::PATCH, format!("{one}/parameters")),
        (Method::PATCH, one.clone()),
        (Method::POST, "/v1/auth/login".to_owned()),
    ];
    for (method, path) in places {
        let try_it = |content_type: Option<&'static str>, body: Vec<u8>| {
            let (api, method, path) = (tenant.api.clone(), method.clone(), path.clone());
            async move { api.send_bytes(method, &path, content_type, &body).await }
        };
        for (what, body) in [
            ("half", b"{\"".to_vec()),
            ("nothing", Vec::new()),
            ("bytes", vec![0xFF, 0xFE, 0x00]),
        ] {
            let refusal = try_it(json_type, body).await;
            assert_eq!(refusal.status, 400, "{path} {what}: {}", refusal.json);
            assert_eq!(refusal.problem(400), "malformed_request", "{path} {what}");
        }
        let refusal = try_it(json_type, deep.clone()).await;
        assert!(
            matches!(refusal.status, 400 | 422),
            "{path} deep: {}",
            refusal.status
        );
        for other in [
            None,
            Some("text/plain"),
            Some("application/xml"),
            Some("application/x-www-form-urlencoded"),
        ] {
            assert_eq!(
                try_it(other, b"{}".to_vec()).await.problem(400),
                "malformed_request",
                "{path} {other:?}"
            );
        }
        let mut large = b"{\"sn\":\"".to_vec();
        large.resize(1_200_000, b'x');
        large.extend_from_slice(b"\"}");
        assert_eq!(
            try_it(json_type, large).await.problem(413),
            "too_large",
            "{path}"
        );
        for shapeless in ["[]", "42", "null", "\"x\""] {
            let refusal = try_it(json_type, shapeless.as_bytes().to_vec()).await;
            assert!(
                matches!(refusal.status, 400 | 422),
                "{path} {shapeless}: {}",
                refusal.status
            );
            let status = refusal.status;
            refusal.problem(status);
        }
    }
}

#[tokio::test]
async fn fields_that_cannot_be_taken() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for (field, value) in [
        ("sn", json!("")),
        ("sn", json!("has space")),
        ("sn", json!("x".repeat(65))),
        ("sn", json!("序列号")),
        ("sn", json!("a\u{0}b")),
        ("name", json!("a\u{0}b")),
        ("name", json!("")),
        ("name", json!("长".repeat(101))),
        ("location", json!("x".repeat(201))),
        ("location", json!("\u{0}")),
        ("direction", json!("up")),
        ("timezone", json!("Mars/Olympus")),
        ("timezone", json!("")),
        ("timezone", json!("UTC+8")),
        ("protocol", json!("smoke_signals")),
        ("sign_check", json!("maybe")),
        ("door_decision", json!("me")),
    ] {
        let mut body = json!({"sn": fresh_sn()});
        body[field] = value.clone();
        let refusal = tenant.api.post("/v1/devices", body).await;
        assert_eq!(
            refusal.json["pointer"],
            format!("/{field}"),
            "{field} {value}: {}",
            refusal.json
        );
        assert_eq!(refusal.problem(422), "invalid_field", "{field} {value}");
    }
    for shape in [
        json!({"sn": 5}),
        json!({"sn": null}),
        json!({}),
        json!({"sn": "a", "colour": "red"}),
        json!({"sn": ["a"]}),
    ] {
        let refusal = tenant.api.post("/v1/devices", shape.clone()).await;
        assert_eq!(refusal.problem(422), "invalid_field", "{shape}");
    }
    assert!(tenant.api.list("/v1/devices").await.is_empty());
    // What only looks dangerous is text.
    let name = "'; drop table directory.devices; -- <script>alert(1)</script> \\ \" % _ 门🚪";
    let device = tenant
        .api
        .post("/v1/devices", json!({"sn": fresh_sn(), "name": name}))
        .await
        .expect(201);
    assert_eq!(device["name"], name);
}

#[tokio::test]
async fn a_body_that_says_it_is_something_else_is_not_taken_for_firmware() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let path = "/v1/firmware?name=a&version=1&update_type=kernel";
    let empty = tenant
        .api
        .send_bytes(Method::POST, path, Some("application/octet-stream"), &[])
        .await;
    assert!(matches!(empty.status, 400 | 422), "{}", empty.status);
    let form = tenant
        .api
        .send_bytes(Method::POST, path, Some("application/json"), b"{}")
        .await;
    assert!(matches!(form.status, 400 | 422), "{}", form.status);
    for query in [
        "",
        "?name=a",
        "?name=a&version=1",
        "?name=%00&version=1&update_type=kernel",
        "?name=a&version=1&update_type=9",
    ] {
        let refusal = tenant
            .api
            .send_bytes(
                Method::POST,
                &format!("/v1/firmware{query}"),
                Some("application/octet-stream"),
                &[1],
            )
            .await;
        assert_eq!(refusal.problem(422), "invalid_field", "{query}");
    }
    assert!(tenant.api.list("/v1/firmware").await.is_empty());
}
