//! A list looks at a bounded number of candidates, however many there are.

use super::text;
use serde_json::json;

/// More than one page looks at.
const MEMBERS: i32 = 22_500;
/// More than are sorted by a term.
const NAMESAKES: i32 = 2_500;

#[tokio::test]
async fn a_needle_in_a_haystack_is_found_page_by_page() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let group = tenant
        .api
        .post("/v1/groups", json!({"name": "Everybody", "type": "staff"}))
        .await;
    let group = text(&group.expect(201), "id");
    // The oldest of all: a Li in the group, behind everybody else who is in the group.
    let needle = json!({"name": "Li", "type": "staff", "group_ids": [group]});
    let needle = text(
        &tenant.api.post("/v1/persons", needle).await.expect(201),
        "id",
    );
    let rows = tenant.rows().await;
    for (name, term, count, members) in [
        ("Wang", "wang", MEMBERS, true),
        ("Li", "li", NAMESAKES, false),
    ] {
        // Ids that are newer than any of today.
        sqlx::query(
            "with p as (
               insert into directory.persons (tenant_id, id, type, name, terminal_hash)
               select $1, ('ffffffff-' || substr(md5($2 || n::text), 1, 4) || '-7' || substr(md5($2 || n::text), 5, 3) || '-8000-'
                           || substr(md5($2 || n::text), 8, 12))::uuid, 'staff', $2, '\\x00'
                 from generate_series(1, $4) n returning tenant_id, id),
             t as (insert into directory.person_terms (tenant_id, term, person_id) select tenant_id, $3, id from p)
             insert into directory.group_members (tenant_id, group_id, person_id) select tenant_id, $5, id from p where $6",
        )
        .bind(kit::uuid_of(&tenant.id))
        .bind(name)
        .bind(term)
        .bind(count)
        .bind(kit::uuid_of(&group))
        .bind(members)
        .execute(&rows)
        .await
        .unwrap();
    }
    let path = format!("/v1/persons?q=li&group_id={group}");
    let first = tenant.api.get(&path).await.expect(200);
    assert_eq!(
        first["items"],
        json!([]),
        "one page does not look at everybody"
    );
    let next = text(&first, "next_cursor");
    let second = tenant
        .api
        .get(&format!("{path}&cursor={next}"))
        .await
        .expect(200);
    assert_eq!(second["items"].as_array().unwrap().len(), 1, "{second}");
    assert_eq!(text(&second["items"][0], "id"), needle);
    assert!(second.get("next_cursor").is_none());
    // Where many are wanted, a page is as full as it was asked for.
    let page = tenant
        .api
        .get("/v1/persons?q=li&limit=200")
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 200);
    let page = tenant
        .api
        .get(&format!("/v1/persons?group_id={group}&limit=200"))
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 200);
}
