//! Making and changing persons.

use super::{changes_noted, person, text};
use reqwest::Method;
use serde_json::{Value, json};

fn everything(code: &str) -> Value {
    json!({
        "name": "张三丰", "type": "staff", "code": code, "gender": "male",
        "phone_area_code": "+86", "phone": "138 0013-8000", "email": "San@Example.com",
        "birthday": "2001-02-28", "card_no": "0012345678", "cards": ["0012345678", "AB12"],
        "priority": "always", "valid_from": "2026-12-01T08:00:00", "valid_to": "2027-12-31",
        "position": "Engineer", "work_place": "Hall 3", "entry_on": "2020-07-01",
        "id_document_number": "11010119900307123x", "pin": "482915", "remark": "Left-handed",
        "welcome_text": "欢迎", "display_text": "Hello",
        "external_ids": {"hongtu": "8f14", "senselink": "42"},
        "attributes": {"shirt": "L", "keys": [1, 2]},
    })
}

#[tokio::test]
async fn a_person_reads_back_as_made_and_keeps_secrets() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let made = tenant
        .api
        .post("/v1/persons", everything("E-1"))
        .await
        .expect(201);
    let read = tenant
        .api
        .get(&format!("/v1/persons/{}", text(&made, "id")))
        .await;
    assert_eq!(read.headers["etag"], "\"1\"");
    let read = read.expect(200);
    assert_eq!(read, made);
    for (field, value) in [
        ("name", json!("张三丰")),
        ("type", json!("staff")),
        ("phone_area_code", json!("86")),
        ("phone", json!("13800138000")),
        ("email", json!("san@example.com")),
        ("birthday", json!("2001-02-28")),
        ("card_no", json!("0012345678")),
        ("cards", json!(["0012345678", "AB12"])),
        // The tenant's zone is Asia/Shanghai; a day ends with its last second.
        ("valid_from", json!("2026-12-01T00:00:00Z")),
        ("valid_to", json!("2027-12-31T15:59:59Z")),
        ("id_document_number", json!("**************123X")),
        ("has_pin", json!(true)),
        ("external_ids", json!({"hongtu": "8f14", "senselink": "42"})),
        ("attributes", json!({"shirt": "L", "keys": [1, 2]})),
        ("disabled", json!(false)),
        ("photos", json!([])),
        ("group_ids", json!([])),
    ] {
        assert_eq!(read[field], value, "{field}");
    }
    let number = text(&read, "number");
    assert!(!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    assert!(read.get("pin").is_none());
    let whole = read.to_string();
    assert!(!whole.contains("482915") && !whole.contains("110101"));

    let rows = tenant.rows().await;
    let kept: (Vec<u8>, Vec<u8>) = sqlx::query_as(
        "select pin_sealed, id_document_sealed from directory.persons where tenant_id = $1",
    )
    .bind(kit::uuid_of(&tenant.id))
    .fetch_one(&rows)
    .await
    .unwrap();
    for (sealed, plain) in [(kept.0, "482915"), (kept.1, "11010119900307123X")] {
        assert!(
            !sealed
                .windows(plain.len())
                .any(|part| part == plain.as_bytes())
        );
    }
    let trail = tenant.api.list("/v1/audit-entries").await;
    let entry = trail
        .iter()
        .find(|entry| entry["action"] == "person.created");
    let entry = entry.expect("it stands in the trail").to_string();
    assert!(
        !entry.contains("张三丰") && !entry.contains("E-1"),
        "{entry}"
    );
}

#[tokio::test]
async fn what_belongs_to_another_is_refused_by_its_field() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    tenant
        .api
        .post("/v1/persons", everything("E-1"))
        .await
        .expect(201);
    for (body, pointer) in [
        (json!({"name": "B", "code": "E-1"}), "/code"),
        (json!({"name": "B", "card_no": "AB12"}), "/card_no"),
        (json!({"name": "B", "cards": ["77", "AB12"]}), "/cards/1"),
        (
            json!({"name": "B", "external_ids": {"hongtu": "8f14"}}),
            "/external_ids/hongtu",
        ),
    ] {
        let reply = tenant.api.post("/v1/persons", body.clone()).await;
        assert_eq!(reply.json["pointer"], pointer, "{body}: {}", reply.json);
        assert_eq!(reply.problem(409), "already_exists");
        // The same by a change.
        let other = person(&tenant.api, "C").await;
        let mut change = body.clone();
        change.as_object_mut().unwrap().remove("name");
        let path = format!("/v1/persons/{}", text(&other, "id"));
        let reply = tenant.api.patch(&path, change).await;
        assert_eq!(reply.json["pointer"], pointer, "{}", reply.json);
        assert_eq!(reply.problem(409), "already_exists");
        assert_eq!(tenant.api.get(&path).await.expect(200)["version"], 1);
    }
    assert_eq!(tenant.api.list("/v1/persons?code=E-1").await.len(), 1);
    assert_eq!(
        tenant.api.list("/v1/persons").await.len(),
        5,
        "nothing is made by halves"
    );
    // Another tenant has codes and cards of its own.
    let other = world.tenant().await;
    other
        .api
        .post("/v1/persons", everything("E-1"))
        .await
        .expect(201);
}

#[tokio::test]
async fn all_faults_of_a_request_are_said_together() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let body = json!({
        "name": " ", "gender": "x", "birthday": "28.2.2001", "card_no": "#", "pin": "12",
        "valid_from": "tomorrow", "welcome_text": "x".repeat(31),
    });
    let reply = tenant.api.post("/v1/persons", body).await;
    let mut pointers: Vec<String> = reply.json["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| text(fault, "pointer"))
        .collect();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/birthday",
            "/card_no",
            "/gender",
            "/name",
            "/pin",
            "/valid_from",
            "/welcome_text"
        ]
    );
    assert_eq!(reply.problem(422), "invalid_field");
    for (body, pointer) in [
        (
            json!({"name": "A", "valid_from": "2027-01-02", "valid_to": "2027-01-01"}),
            "/valid_to",
        ),
        (
            json!({"name": "A", "department_id": format!("dep_{}", "0".repeat(32))}),
            "/department_id",
        ),
        (
            json!({"name": "A", "group_ids": [format!("grp_{}", "0".repeat(32))]}),
            "/group_ids",
        ),
    ] {
        let reply = tenant.api.post("/v1/persons", body).await;
        assert_eq!(reply.json["pointer"], pointer, "{}", reply.json);
        assert_eq!(reply.problem(422), "invalid_field");
    }
    assert!(tenant.api.list("/v1/persons").await.is_empty());
}

#[tokio::test]
async fn a_change_touches_what_it_names() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let rows = tenant.rows().await;
    let made = tenant
        .api
        .post("/v1/persons", everything("E-1"))
        .await
        .expect(201);
    let path = format!("/v1/persons/{}", text(&made, "id"));
    assert_eq!(
        changes_noted(&rows, &tenant).await,
        0,
        "nobody in no group concerns a terminal"
    );

    // What no terminal is told.
    let change = json!({"remark": "x", "email": null, "attributes": {"shirt": null, "hat": "M"}, "external_ids": {"senselink": null}});
    let changed = tenant.api.patch(&path, change).await.expect(200);
    assert_eq!(
        (&changed["version"], &changed["email"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(changed["attributes"], json!({"hat": "M", "keys": [1, 2]}));
    assert_eq!(changed["external_ids"], json!({"hongtu": "8f14"}));
    assert_eq!(changed["card_no"], made["card_no"]);
    assert!(changed.get("distribution_id").is_none());
    assert_eq!(changes_noted(&rows, &tenant).await, 0);

    // The same again is no change.
    let same = json!({"remark": "x", "pin": "482915", "id_document_number": "11010119900307123X", "card_no": "0012345678"});
    assert_eq!(
        tenant.api.patch(&path, same).await.expect(200)["version"],
        2
    );

    // Terminals are not told of PINs, nor of further cards.
    let untold = json!({"pin": "482916", "cards": ["0012345678", "AB12", "AB13"]});
    let changed = tenant.api.patch(&path, untold).await.expect(200);
    assert_eq!(changed["version"], 3);
    assert!(changed.get("distribution_id").is_none(), "{changed}");

    // What terminals are told, and what decides who may pass.
    for (change, version) in [
        (json!({"name": "张三"}), 4),
        (json!({"card_no": "99"}), 5),
        (json!({"priority": "never"}), 6),
        (json!({"disabled": true}), 7),
        (json!({"valid_to": null}), 8),
        (json!({"type": "blocklist"}), 9),
    ] {
        let changed = tenant.api.patch(&path, change.clone()).await.expect(200);
        assert_eq!(changed["version"], version, "{change}");
        assert!(
            text(&changed, "distribution_id").starts_with("dst_"),
            "{change}"
        );
    }
    assert_eq!(changes_noted(&rows, &tenant).await, 6);
    let now = tenant.api.get(&path).await.expect(200);
    assert_eq!(now["cards"], json!(["0000000099", "AB12", "AB13"]));
    assert!(now["disabled"] == true && now["disabled_at"].is_string());

    let stale = tenant
        .api
        .send(
            Method::PATCH,
            &path,
            &[("If-Match", "\"3\"")],
            Some(json!({"name": "X"})),
        )
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
}

#[tokio::test]
async fn whoever_is_made_in_a_group_is_sent_and_made_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let rows = tenant.rows().await;
    let group = json!({"name": "Day shift", "type": "staff"});
    let group = text(
        &tenant.api.post("/v1/groups", group).await.expect(201),
        "id",
    );
    let body = json!({"name": "李四", "type": "staff", "code": "E-2", "group_ids": [group]});
    let key = [("Idempotency-Key", "made-once")];
    let post = || {
        tenant
            .api
            .send(Method::POST, "/v1/persons", &key, Some(body.clone()))
    };
    let made = post().await.expect(201);
    assert_eq!(made["group_ids"], json!([group]));
    assert!(text(&made, "distribution_id").starts_with("dst_"));
    assert_eq!(post().await.expect(201), made);
    assert_eq!(changes_noted(&rows, &tenant).await, 1);
    let members = tenant
        .api
        .list(&format!("/v1/persons?group_id={group}"))
        .await;
    assert_eq!(members.len(), 1);
}

#[tokio::test]
async fn groups_hold_those_of_their_type_and_the_blocklisted_stay() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let mut groups = Vec::new();
    for kind in ["staff", "visitor", "blocklist"] {
        let group = json!({"name": kind, "type": kind});
        groups.push(text(&api.post("/v1/groups", group).await.expect(201), "id"));
    }
    let (staff, visitors, blocked) = (&groups[0], &groups[1], &groups[2]);
    let body = json!({"name": "A", "type": "staff", "group_ids": [staff, visitors]});
    let reply = api.post("/v1/persons", body).await;
    assert_eq!(reply.json["pointer"], "/group_ids");
    assert_eq!(reply.problem(422), "invalid_field");
    let body = json!({"name": "A", "type": "staff", "group_ids": [staff, blocked]});
    let path = format!(
        "/v1/persons/{}",
        text(&api.post("/v1/persons", body).await.expect(201), "id")
    );
    let reply = api.patch(&path, json!({"type": "visitor"})).await;
    assert_eq!(reply.json["pointer"], "/type");
    assert_eq!(reply.problem(409), "conflict");
    let now = api
        .patch(&path, json!({"type": "blocklist"}))
        .await
        .expect(200);
    assert_eq!(now["group_ids"].as_array().unwrap().len(), 2);
    assert!(text(&now, "distribution_id").starts_with("dst_"));
    api.patch(&path, json!({"type": "staff"})).await.expect(200);
}
