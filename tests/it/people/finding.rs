//! Finding persons.

use super::text;
use kit::Api;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn names(api: &Api, query: &str) -> Vec<String> {
    let found = api.list(&format!("/v1/persons?{query}")).await;
    found.iter().map(|person| text(person, "name")).collect()
}

async fn make(api: &Api, body: Value) -> Value {
    api.post("/v1/persons", body).await.expect(201)
}

#[tokio::test]
async fn a_name_is_found_by_its_parts_its_sound_and_its_initials() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for name in ["张三丰", "张无忌", "曾参", "Jean-Luc Picard", "Zoë Müller"] {
        make(&tenant.api, json!({"name": name})).await;
    }
    for (typed, expected) in [
        ("三丰", vec!["张三丰"]),
        ("zhangsanf", vec!["张三丰"]),
        ("Zhang San", vec!["张三丰"]),
        ("zsf", vec!["张三丰"]),
        ("张", vec!["张无忌", "张三丰"]),
        ("zengcan", vec!["曾参"]),
        ("PICARD", vec!["Jean-Luc Picard"]),
        ("jeanluc", vec!["Jean-Luc Picard"]),
        ("muller", vec!["Zoë Müller"]),
        ("icard", vec![]),
        ("王", vec![]),
    ] {
        assert_eq!(
            names(&tenant.api, &format!("q={typed}")).await,
            expected,
            "{typed}"
        );
    }
    let all = names(&tenant.api, "q=张").await;
    let path = tenant.api.list("/v1/persons?q=zsf").await;
    let path = format!("/v1/persons/{}", text(&path[0], "id"));
    tenant
        .api
        .patch(&path, json!({"name": "王五"}))
        .await
        .expect(200);
    assert_eq!(names(&tenant.api, "q=张").await.len(), all.len() - 1);
    assert_eq!(names(&tenant.api, "q=ww").await, ["王五"]);
    assert_eq!(
        tenant.api.get("/v1/persons?q=%25%25").await.problem(422),
        "invalid_field"
    );
}

#[tokio::test]
async fn every_condition_finds_and_they_combine() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    let group = json!({"name": "Banned", "type": "blocklist"});
    let group = text(&api.post("/v1/groups", group).await.expect(201), "id");
    let department = api
        .post("/v1/departments", json!({"name": "Works"}))
        .await
        .expect(201);
    let department = text(&department, "id");
    let anna = make(api, json!({"name": "Anna", "type": "visitor", "code": "V-1", "phone": "+49 30 1234", "cards": ["1", "2"],
        "external_ids": {"crm": "a:1"}, "group_ids": [group]})).await;
    let ben = make(
        api,
        json!({"name": "Ben", "type": "staff", "department_id": department}),
    )
    .await;
    make(
        api,
        json!({"name": "Anne", "type": "staff", "group_ids": [group]}),
    )
    .await;
    let number = text(&anna, "number");
    for (query, expected) in [
        ("code=V-1".to_owned(), vec!["Anna"]),
        ("code=v-1".to_owned(), vec![]),
        ("phone=%2B49-30-1234".to_owned(), vec!["Anna"]),
        ("card_no=2".to_owned(), vec!["Anna"]),
        ("external_id=crm:a:1".to_owned(), vec!["Anna"]),
        ("external_id=other:a:1".to_owned(), vec![]),
        (format!("number={number}"), vec!["Anna"]),
        ("type=staff".to_owned(), vec!["Anne", "Ben"]),
        (format!("group_id={group}"), vec!["Anne", "Anna"]),
        (format!("department_id={department}"), vec!["Ben"]),
        (format!("group_id={group}&type=staff"), vec!["Anne"]),
        (format!("group_id={group}&q=ann"), vec!["Anne", "Anna"]),
        ("card_no=2&type=staff".to_owned(), vec![]),
        (format!("number={number}&q=ben"), vec![]),
    ] {
        assert_eq!(names(api, &query).await, expected, "{query}");
    }
    let since = text(&ben, "updated_at");
    api.patch(
        &format!("/v1/persons/{}", text(&anna, "id")),
        json!({"remark": "x"}),
    )
    .await
    .expect(200);
    assert_eq!(
        names(api, &format!("updated_since={since}")).await,
        ["Ben", "Anne", "Anna"]
    );
    assert_eq!(
        names(api, &format!("updated_since={since}&type=staff")).await,
        ["Ben", "Anne"]
    );
    for bad in [
        "type=guest",
        "external_id=crm",
        "number=one",
        "card_no=%23",
        "group_id=x",
    ] {
        let reply = api.get(&format!("/v1/persons?{bad}")).await;
        assert_eq!(reply.problem(422), "invalid_field", "{bad}");
    }
}

#[tokio::test]
async fn pages_hold_everybody_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let api = &tenant.api;
    for number in 0..25 {
        make(api, json!({"name": format!("Person {number}"), "type": if number % 3 == 0 { "visitor" } else { "staff" }})).await;
    }
    for (query, expected) in [
        ("", 25),
        ("type=visitor&", 9),
        ("q=person&", 25),
        ("q=person&type=staff&", 16),
        ("updated_since=2020-01-01T00:00:00Z&", 25),
        ("updated_since=2020-01-01T00:00:00Z&q=person&", 25),
    ] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = api
                .get(&format!("/v1/persons?{query}limit=4{cursor}"))
                .await
                .expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 4);
            seen.extend(items.iter().map(|person| text(person, "id")));
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), expected, "{query}");
        assert_eq!(
            seen.iter().collect::<BTreeSet<_>>().len(),
            expected,
            "{query}"
        );
        assert_eq!(pages, expected.div_ceil(4), "{query}");
    }
    assert_eq!(
        api.get("/v1/persons?cursor=x").await.problem(422),
        "invalid_field"
    );
}
