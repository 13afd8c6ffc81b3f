//! Groups, and who is in them: one by one, two thousand at once, and what is refused.

use super::{group, noted, person, pointer, text, unknown};
use kit::rows::uuid_of;
use kit::world::fresh_sn;
use reqwest::Method;
use serde_json::{Value, json};

fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results
        .iter()
        .map(|r| r["outcome"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn many_join_and_leave_with_an_outcome_each() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let [one, two] = [
        person(&tenant, "staff", "One").await,
        person(&tenant, "staff", "Two").await,
    ];
    let visitor = person(&tenant, "visitor", "Guest").await;
    let foreign = person(&other, "staff", "Foreign").await;
    let staff = group(&tenant, "staff", "Staff").await;
    let (add, remove) = (
        format!("/v1/groups/{staff}/members:add"),
        format!("/v1/groups/{staff}/members:remove"),
    );

    let named = json!({"person_ids": [one, visitor, foreign, unknown("per"), two, one]});
    let answer = tenant.api.post(&add, named.clone()).await.expect(200);
    assert_eq!(
        outcomes(&answer),
        [
            "added",
            "wrong_type",
            "not_found",
            "not_found",
            "added",
            "added"
        ]
    );
    assert_eq!(
        answer["results"][0]["person_id"],
        json!(one),
        "in the order of the request"
    );
    assert!(text(&answer, "distribution_id").starts_with("dst_"));
    let again = tenant.api.post(&add, named).await.expect(200);
    assert_eq!(outcomes(&again)[0], "already");
    assert_eq!(again["distribution_id"], Value::Null, "nothing changed");
    assert_eq!(noted(&tenant, "group.members_added").await, 1);
    let shown = tenant
        .api
        .get(&format!("/v1/groups/{staff}"))
        .await
        .expect(200);
    assert_eq!(
        (&shown["member_count"], &shown["has_more_members"]),
        (&json!(2), &json!(false))
    );

    let leaving = json!({"person_ids": [one, visitor, unknown("per")]});
    let answer = tenant.api.post(&remove, leaving).await.expect(200);
    assert_eq!(outcomes(&answer), ["removed", "not_member", "not_found"]);
    assert_eq!(noted(&tenant, "group.members_removed").await, 1);
    let members = tenant
        .api
        .list(&format!("/v1/groups/{staff}/members"))
        .await;
    assert_eq!(members.len(), 1);
    assert_eq!(
        (&members[0]["id"], &members[0]["name"]),
        (&json!(two), &json!("Two"))
    );

    let trail = tenant.api.list("/v1/audit-entries").await;
    let joined = trail
        .iter()
        .find(|e| e["action"] == "group.members_added")
        .expect("an entry");
    let mut ids: Vec<&str> = joined["detail"]["person_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [one.as_str(), two.as_str()]);
}

#[tokio::test]
async fn a_repeated_request_joins_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (who, staff) = (
        person(&tenant, "staff", "One").await,
        group(&tenant, "staff", "Staff").await,
    );
    let path = format!("/v1/groups/{staff}/members:add");
    let send = |ids: Value| {
        let (api, path) = (tenant.api.clone(), path.clone());
        async move {
            let body = json!({"person_ids": ids});
            api.send(
                Method::POST,
                &path,
                &[("Idempotency-Key", "k1")],
                Some(body),
            )
            .await
        }
    };
    let first = send(json!([who])).await.expect(200);
    let second = send(json!([who])).await;
    assert_eq!(
        second
            .headers
            .get("Idempotent-Replayed")
            .map(|v| v.as_bytes()),
        Some(&b"true"[..])
    );
    assert_eq!(second.expect(200), first);
    assert_eq!(
        send(json!([unknown("per")])).await.problem(422),
        "idempotency_mismatch"
    );
    assert_eq!(
        pointer(&tenant.api.post(&path, json!({"person_ids": []})).await),
        "/person_ids"
    );
}

#[tokio::test]
async fn one_joins_and_leaves_as_often_as_asked() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let staff = group(&tenant, "staff", "Staff").await;
    let blocked = group(&tenant, "blocklist", "Banned").await;
    let (member, guest, bad) = (
        person(&tenant, "staff", "One").await,
        person(&tenant, "visitor", "Guest").await,
        person(&tenant, "blocklist", "Bad").await,
    );
    let at = |group: &str, person: &str| format!("/v1/groups/{group}/members/{person}");
    let first = tenant.api.put(&at(&staff, &member)).await;
    assert_eq!(first.status, 204, "{}", first.json);
    assert!(first.headers.contains_key("Distribution-Id"));
    let again = tenant.api.put(&at(&staff, &member)).await;
    assert_eq!(
        (again.status, again.headers.contains_key("Distribution-Id")),
        (204, false)
    );

    for wrong in [&guest, &bad] {
        assert_eq!(
            pointer(&tenant.api.put(&at(&staff, wrong)).await),
            "/person_id"
        );
    }
    for anybody in [&member, &guest, &bad] {
        tenant.api.put(&at(&blocked, anybody)).await.expect(204);
    }
    assert_eq!(
        tenant
            .api
            .put(&at(&staff, &unknown("per")))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(
        tenant
            .api
            .put(&at(&unknown("grp"), &member))
            .await
            .problem(404),
        "not_found"
    );

    let left = tenant.api.delete(&at(&staff, &member)).await;
    assert!(left.status == 204 && left.headers.contains_key("Distribution-Id"));
    let again = tenant.api.delete(&at(&staff, &member)).await;
    assert_eq!(
        (again.status, again.headers.contains_key("Distribution-Id")),
        (204, false)
    );
    assert_eq!(
        tenant
            .api
            .delete(&at(&staff, &unknown("per")))
            .await
            .problem(404),
        "not_found"
    );
}

#[tokio::test]
async fn two_thousand_at_once_and_not_one_more() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let staff = group(&tenant, "staff", "Everybody").await;
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
        "insert into directory.persons (tenant_id, id, type, name, terminal_hash)
         select $1, gen_random_uuid(), 'staff', 'P' || n, '' from generate_series(1, 2001) n returning id",
    )
    .bind(tenant.uuid())
    .fetch_all(&tenant.rows().await)
    .await
    .unwrap();
    let ids: Vec<String> = ids
        .iter()
        .map(|id| format!("per_{}", id.simple()))
        .collect();
    let path = format!("/v1/groups/{staff}/members:add");
    let refused = tenant.api.post(&path, json!({"person_ids": ids})).await;
    assert_eq!(pointer(&refused), "/person_ids");
    let answer = tenant
        .api
        .post(&path, json!({"person_ids": ids[..2000]}))
        .await
        .expect(200);
    assert_eq!(outcomes(&answer), vec!["added"; 2000]);
    let members = tenant
        .api
        .list(&format!("/v1/groups/{staff}/members"))
        .await;
    let mut found: Vec<String> = members.iter().map(|m| text(m, "id")).collect();
    assert!(found.is_sorted());
    let mut wanted = ids[..2000].to_vec();
    wanted.sort_unstable();
    found.dedup();
    assert_eq!(found, wanted, "each member once, over all pages");
}

#[tokio::test]
async fn groups_are_found_by_type_and_by_the_beginning_of_their_name() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for (kind, name) in [
        ("staff", "Night shift"),
        ("staff", "nightwatch"),
        ("visitor", "Night guests"),
        ("staff", "Day shift"),
        ("staff", "夜班"),
    ] {
        group(&tenant, kind, name).await;
    }
    let names = async |query: &str| {
        let found = tenant.api.list(&format!("/v1/groups{query}")).await;
        found.iter().map(|g| text(g, "name")).collect::<Vec<_>>()
    };
    assert_eq!(
        names("?name=NIGHT").await,
        ["Night guests", "Night shift", "nightwatch"]
    );
    assert_eq!(
        names("?name=night&type=staff").await,
        ["Night shift", "nightwatch"]
    );
    assert_eq!(names("?name=%E5%A4%9C").await, ["夜班"]);
    assert_eq!(names("?name=%25").await, Vec::<String>::new(), "no pattern");
    let all = names("?type=staff").await;
    assert_eq!(all, ["Day shift", "Night shift", "nightwatch", "夜班"]);
    let first = tenant
        .api
        .get("/v1/groups?type=staff&limit=3")
        .await
        .expect(200);
    let cursor = text(&first, "next_cursor");
    let rest = tenant
        .api
        .get(&format!("/v1/groups?type=staff&limit=3&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(rest["items"][0]["name"], "夜班");
    assert!(rest["next_cursor"].is_null() && rest["items"][0]["member_count"].is_null());
    let twice = tenant
        .api
        .post("/v1/groups", json!({"name": "Day shift"}))
        .await;
    assert_eq!(twice.json["pointer"], "/name");
    assert_eq!(twice.problem(409), "already_exists");
}

#[tokio::test]
async fn a_type_changes_only_while_nobody_is_in_the_group() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let id = group(&tenant, "staff", "Cleaning").await;
    let path = format!("/v1/groups/{id}");
    let changed = tenant
        .api
        .patch(&path, json!({"type": "visitor", "remark": "by the hour"}))
        .await;
    assert_eq!(changed.headers.get("ETag").unwrap(), "\"2\"");
    let changed = changed.expect(200);
    assert_eq!(
        (&changed["type"], &changed["remark"]),
        (&json!("visitor"), &json!("by the hour"))
    );
    let guest = person(&tenant, "visitor", "Guest").await;
    tenant
        .api
        .put(&format!("{path}/members/{guest}"))
        .await
        .expect(204);
    let refused = tenant.api.patch(&path, json!({"type": "staff"})).await;
    assert_eq!(refused.json["pointer"], "/type");
    assert_eq!(refused.problem(409), "conflict");
    let renamed = tenant
        .api
        .patch(&path, json!({"name": "Cleaners", "type": "visitor"}))
        .await
        .expect(200);
    assert_eq!(renamed["name"], "Cleaners");
    let stale = tenant
        .api
        .send(
            Method::PATCH,
            &path,
            &[("If-Match", "\"1\"")],
            Some(json!({"name": "x"})),
        )
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
}

#[tokio::test]
async fn the_devices_of_a_removed_group_are_planned_again() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, bystander) = (
        tenant.device(&fresh_sn()).await,
        tenant.device(&fresh_sn()).await,
    );
    let device = uuid_of(&text(&device, "id"));
    let id = group(&tenant, "staff", "Leaving").await;
    let who = person(&tenant, "staff", "One").await;
    tenant
        .api
        .put(&format!("/v1/groups/{id}/members/{who}"))
        .await
        .expect(204);
    let rows = tenant.rows().await;
    sqlx::query(
        "with a as (insert into directory.authorities (tenant_id, id) values ($1, gen_random_uuid()) returning id),
              d as (insert into directory.authority_devices select $1, id, $2 from a)
         insert into directory.authority_groups select $1, id, $3 from a",
    )
    .bind(tenant.uuid())
    .bind(device)
    .bind(uuid_of(&id))
    .execute(&rows)
    .await
    .unwrap();
    let gone = tenant.api.delete(&format!("/v1/groups/{id}")).await;
    let distribution = gone
        .headers
        .get("Distribution-Id")
        .map(|v| v.to_str().unwrap().to_owned());
    gone.expect(204);
    let noted: Vec<uuid::Uuid> =
        sqlx::query_scalar("select unnest(device_ids) from directory.access_changes where id = $1")
            .bind(uuid_of(&distribution.expect("a change")))
            .fetch_all(&rows)
            .await
            .unwrap();
    assert_eq!(noted, [device], "and not {}", bystander["id"]);
    assert_eq!(
        tenant
            .api
            .get(&format!("/v1/groups/{id}"))
            .await
            .problem(404),
        "not_found"
    );
    tenant
        .api
        .get(&format!("/v1/persons/{who}"))
        .await
        .expect(200);
}

#[tokio::test]
async fn nobody_slips_into_a_group_of_another_type() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (staff, banned) = (
        group(&tenant, "staff", "Staff").await,
        group(&tenant, "blocklist", "Banned").await,
    );
    let guest = |groups: Value| json!({"name": "Guest", "type": "visitor", "group_ids": groups});
    for wrong in [json!([banned, staff]), json!([unknown("grp")])] {
        let refused = tenant.api.post("/v1/persons", guest(wrong)).await;
        assert_eq!(pointer(&refused), "/group_ids");
    }
    let id = text(
        &tenant
            .api
            .post("/v1/persons", guest(json!([banned])))
            .await
            .expect(201),
        "id",
    );
    let path = format!("/v1/persons/{id}");
    tenant
        .api
        .patch(&path, json!({"type": "staff"}))
        .await
        .expect(200);
    let membership = format!("/v1/groups/{staff}/members/{id}");
    tenant.api.put(&membership).await.expect(204);
    let refused = tenant.api.patch(&path, json!({"type": "visitor"})).await;
    assert_eq!(refused.json["pointer"], "/type");
    assert_eq!(refused.problem(409), "conflict");
    tenant.api.delete(&membership).await.expect(204);
    tenant
        .api
        .patch(&path, json!({"type": "visitor"}))
        .await
        .expect(200);
}
