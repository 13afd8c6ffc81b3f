//! Departments: a tree that stays one, whoever moves what at the same time.

use super::{person, pointer, text, unknown};
use kit::Tenant;
use serde_json::{Value, json};

async fn department(tenant: &Tenant, name: &str, parent: Option<&str>) -> String {
    let body = json!({"name": name, "parent_id": parent});
    text(
        &tenant.api.post("/v1/departments", body).await.expect(201),
        "id",
    )
}

fn path(id: &str) -> String {
    format!("/v1/departments/{id}")
}

/// The tree as nested lists of names.
async fn tree(tenant: &Tenant) -> Value {
    fn names(nodes: &Value) -> Value {
        let nodes = nodes.as_array().expect("a list");
        nodes
            .iter()
            .map(|n| json!([n["name"], names(&n["children"])]))
            .collect()
    }
    names(&tenant.api.get("/v1/departments/tree").await.expect(200)["items"])
}

#[tokio::test]
async fn departments_move_with_all_below_them_and_never_in_a_circle() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let a = department(&tenant, "A", None).await;
    let b = department(&tenant, "B", Some(&a)).await;
    let c = department(&tenant, "C", Some(&b)).await;
    let d = department(&tenant, "D", None).await;
    assert_eq!(
        tree(&tenant).await,
        json!([["A", [["B", [["C", []]]]]], ["D", []]])
    );

    tenant
        .api
        .patch(&path(&b), json!({"parent_id": d}))
        .await
        .expect(200);
    assert_eq!(
        tree(&tenant).await,
        json!([["A", []], ["D", [["B", [["C", []]]]]]])
    );
    for below in [&b, &c] {
        let refused = tenant
            .api
            .patch(&path(&b), json!({"parent_id": below}))
            .await;
        assert_eq!(pointer(&refused), "/parent_id", "below {below}");
    }
    let refused = tenant
        .api
        .patch(&path(&b), json!({"parent_id": unknown("dep")}))
        .await;
    assert_eq!(pointer(&refused), "/parent_id");
    tenant
        .api
        .patch(&path(&b), json!({"parent_id": null}))
        .await
        .expect(200);

    let ids = async |query: &str| {
        let found = tenant.api.list(&format!("/v1/departments{query}")).await;
        found.iter().map(|d| text(d, "id")).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [a.as_str(), &b, &c, &d]);
    assert_eq!(ids("?parent_id=root").await, [a.as_str(), &b, &d]);
    assert_eq!(ids(&format!("?parent_id={b}")).await, [c.as_str()]);
}

#[tokio::test]
async fn the_tree_has_sixteen_levels() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let mut deepest = department(&tenant, "1", None).await;
    for level in 2..=16 {
        deepest = department(&tenant, &level.to_string(), Some(&deepest)).await;
    }
    let body = json!({"name": "17", "parent_id": deepest});
    assert_eq!(
        pointer(&tenant.api.post("/v1/departments", body).await),
        "/parent_id"
    );
    let (top, _below) = {
        let top = department(&tenant, "top", None).await;
        let below = department(&tenant, "below", Some(&top)).await;
        (top, below)
    };
    let all = tenant.api.list("/v1/departments").await;
    let level = |n: &str| text(all.iter().find(|d| d["name"] == n).unwrap(), "id");
    let refused = tenant
        .api
        .patch(&path(&top), json!({"parent_id": level("15")}))
        .await;
    assert_eq!(
        pointer(&refused),
        "/parent_id",
        "it would bring a second level to the 17th"
    );
    tenant
        .api
        .patch(&path(&top), json!({"parent_id": level("14")}))
        .await
        .expect(200);
}

#[tokio::test]
async fn two_moves_at_once_make_no_circle() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for round in 0..10 {
        let a = department(&tenant, &format!("A{round}"), None).await;
        let b = department(&tenant, &format!("B{round}"), None).await;
        let move_to = async |id: &str, parent: &str| {
            let body = json!({"parent_id": parent});
            tenant.api.patch(&path(id), body).await.status
        };
        let (first, second) = tokio::join!(move_to(&a, &b), move_to(&b, &a));
        let mut both = [first, second];
        both.sort_unstable();
        assert_eq!(both, [200, 422], "round {round}");
    }
    let shown = tree(&tenant).await;
    assert_eq!(
        shown.as_array().unwrap().len(),
        10,
        "a circle hangs from nowhere: {shown}"
    );
}

#[tokio::test]
async fn a_department_goes_when_it_is_empty() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let leader = person(&tenant, "staff", "Chief").await;
    let body = json!({"name": "Assembly", "code": "A-1", "leader_id": leader});
    let made = tenant
        .api
        .post("/v1/departments", body.clone())
        .await
        .expect(201);
    assert_eq!(
        (&made["leader_id"], &made["code"]),
        (&json!(leader), &json!("A-1"))
    );
    assert_eq!(
        tenant.api.post("/v1/departments", body).await.problem(409),
        "already_exists"
    );
    let nobody = json!({"name": "x", "leader_id": unknown("per")});
    assert_eq!(
        pointer(&tenant.api.post("/v1/departments", nobody).await),
        "/leader_id"
    );

    let id = text(&made, "id");
    let below = department(&tenant, "Line 1", Some(&id)).await;
    let refused = tenant.api.delete(&path(&id)).await;
    assert_eq!(refused.json["vendor_codes"], json!({"hongtu": 650}));
    assert!(text(&refused.json, "detail").contains("departments below it"));
    assert_eq!(refused.problem(409), "department_not_empty");
    tenant.api.delete(&path(&below)).await.expect(204);

    let member = format!("/v1/persons/{leader}");
    tenant
        .api
        .patch(&member, json!({"department_id": id}))
        .await
        .expect(200);
    let refused = tenant.api.delete(&path(&id)).await;
    assert!(text(&refused.json, "detail").contains("persons in it"));
    assert_eq!(refused.problem(409), "department_not_empty");
    tenant
        .api
        .patch(&member, json!({"department_id": null}))
        .await
        .expect(200);
    tenant.api.delete(&path(&id)).await.expect(204);
    assert_eq!(tenant.api.get(&path(&id)).await.problem(404), "not_found");
}

#[tokio::test]
async fn persons_are_listed_by_department_with_those_below() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let top = department(&tenant, "Works", None).await;
    let below = department(&tenant, "Line 1", Some(&top)).await;
    let deep = department(&tenant, "Cell 7", Some(&below)).await;
    let mut everybody = Vec::new();
    for (number, place) in [&top, &deep, &below, &deep, &top].into_iter().enumerate() {
        let body = json!({"name": format!("P{number}"), "department_id": place});
        everybody.push(text(
            &tenant.api.post("/v1/persons", body).await.expect(201),
            "id",
        ));
    }
    let ids = async |query: &str| {
        let path = format!("{}/persons{query}", path(&top));
        let found = tenant.api.list(&path).await;
        found.iter().map(|p| text(p, "id")).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [everybody[0].as_str(), &everybody[4]]);
    assert_eq!(ids("?include_children=true").await, everybody);
    let page = format!("{}/persons?include_children=true&limit=2", path(&top));
    let first = tenant.api.get(&page).await.expect(200);
    let next = tenant
        .api
        .get(&format!("{page}&cursor={}", text(&first, "next_cursor")))
        .await
        .expect(200);
    assert_eq!(
        (&next["items"][0]["id"], &next["items"][0]["department_id"]),
        (&json!(everybody[2]), &json!(below))
    );
}
