//! Visits: the person's time is the visit's, one visit after the other, and it ends by itself.

use super::{group, noted, person, pointer, text, unknown};
use chrono::{DateTime, Duration, SubsecRound, Utc};
use kit::{Tenant, until};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) fn in_minutes(minutes: i64) -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0) + Duration::minutes(minutes)
}

pub(super) async fn visit(tenant: &Tenant, body: Value) -> Value {
    tenant.api.post("/v1/visits", body).await.expect(201)
}

fn path(visit: &Value) -> String {
    format!("/v1/visits/{}", text(visit, "id"))
}

async fn shown(tenant: &Tenant, person: &str) -> Value {
    tenant
        .api
        .get(&format!("/v1/persons/{person}"))
        .await
        .expect(200)
}

fn at(value: &Value, field: &str) -> DateTime<Utc> {
    text(value, field).parse().expect("an instant")
}

#[tokio::test]
async fn a_new_visitor_becomes_a_person_with_the_visits_window() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let host = person(&tenant, "staff", "Host").await;
    let (lobby, lab) = (
        group(&tenant, "visitor", "Lobby").await,
        group(&tenant, "visitor", "Lab").await,
    );
    let body = json!({
        "person": {"name": "李四", "phone": "138 0013 8000"}, "host_id": host, "reason": "Audit",
        "firm": "Harbour Logistics", "number_plate": "沪A 12345", "starts_at": "2031-05-04T08:00:00",
        "ends_at": "2031-05-04T18:00:00+00:00", "vip": true, "group_ids": [lab, lobby],
    });
    let made = visit(&tenant, body).await;
    assert_eq!(made["state"], "expected");
    assert_eq!(
        (&made["person_name"], &made["host_name"]),
        (&json!("李四"), &json!("Host"))
    );
    assert_eq!(
        at(&made, "starts_at"),
        "2031-05-04T00:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        "the tenant's zone"
    );
    assert!(text(&made, "distribution_id").starts_with("dst_"));
    let guest = text(&made, "person_id");
    let who = shown(&tenant, &guest).await;
    assert_eq!(
        (&who["type"], &who["priority"]),
        (&json!("visitor"), &json!("always"))
    );
    assert_eq!(at(&who, "valid_from"), at(&made, "starts_at"));
    assert_eq!(at(&who, "valid_to"), at(&made, "ends_at"));
    let mut groups = vec![lobby.clone(), lab.clone()];
    groups.sort_unstable();
    assert_eq!(who["group_ids"], json!(groups));

    // Another window, no VIP any more, and one group less.
    let change = json!({"ends_at": "2031-05-04T20:00:00", "vip": false, "group_ids": [lobby], "host_id": null});
    let changed = tenant.api.patch(&path(&made), change).await;
    assert_eq!(changed.headers.get("ETag").unwrap(), "\"2\"");
    let changed = changed.expect(200);
    assert_eq!(
        at(&changed, "ends_at"),
        "2031-05-04T12:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );
    assert!(changed["host_id"].is_null() && changed["distribution_id"].is_string());
    let who = shown(&tenant, &guest).await;
    assert_eq!(
        (&who["priority"], &who["group_ids"]),
        (&json!("normal"), &json!([lobby]))
    );
    assert_eq!(at(&who, "valid_to"), at(&changed, "ends_at"));
    assert_eq!(noted(&tenant, "visit.updated").await, 1);
    let same = tenant
        .api
        .patch(&path(&made), json!({"firm": "Harbour Logistics Ltd"}))
        .await
        .expect(200);
    assert!(
        same["distribution_id"].is_null(),
        "no terminal shows the firm"
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_its_field() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (staff, guest) = (
        person(&tenant, "staff", "Host").await,
        person(&tenant, "visitor", "Guest").await,
    );
    let staff_group = group(&tenant, "staff", "Staff").await;
    let (starts_at, ends_at) = (in_minutes(-10), in_minutes(60));
    for (with, at) in [
        (json!({}), "/person_id"),
        (
            json!({"person_id": guest, "person": {"name": "x"}}),
            "/person_id",
        ),
        (json!({"person_id": staff}), "/person_id"),
        (json!({"person_id": unknown("per")}), "/person_id"),
        (json!({"person": {"name": ""}}), "/person/name"),
        (
            json!({"person_id": guest, "host_id": unknown("per")}),
            "/host_id",
        ),
        (json!({"person_id": guest, "host_id": guest}), "/host_id"),
        (
            json!({"person_id": guest, "group_ids": [staff_group]}),
            "/group_ids",
        ),
        (json!({"person_id": guest, "ends_at": "soon"}), "/ends_at"),
        (
            json!({"person_id": guest, "ends_at": starts_at}),
            "/ends_at",
        ),
        (
            json!({"person_id": guest, "ends_at": in_minutes(-5)}),
            "/ends_at",
        ),
        (
            json!({"person_id": guest, "ends_at": in_minutes(60 * 24 * 367)}),
            "/ends_at",
        ),
    ] {
        let mut body = json!({"starts_at": starts_at, "ends_at": ends_at});
        body.as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        let refused = tenant.api.post("/v1/visits", body.clone()).await;
        assert_eq!(pointer(&refused), at, "{body}");
    }
    assert!(tenant.api.list("/v1/visits").await.is_empty());
}

#[tokio::test]
async fn visits_of_a_person_do_not_meet_and_the_next_one_follows_a_cancelled_one() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let guest = person(&tenant, "visitor", "Guest").await;
    let window = |from: i64, to: i64| json!({"person_id": guest, "starts_at": in_minutes(from), "ends_at": in_minutes(to)});
    let later = visit(&tenant, window(120, 180)).await;
    let sooner = visit(&tenant, window(-5, 60)).await;
    for (from, to) in [(30, 90), (-60, 200), (130, 140), (100, 121)] {
        let refused = tenant.api.post("/v1/visits", window(from, to)).await;
        assert!(
            text(&refused.json, "detail").contains("another visit"),
            "{from} to {to}: {}",
            refused.json
        );
        assert_eq!(refused.problem(409), "conflict");
    }
    let moved = json!({"ends_at": in_minutes(130)});
    assert_eq!(
        tenant.api.patch(&path(&sooner), moved).await.problem(409),
        "conflict"
    );
    assert_eq!(
        at(&shown(&tenant, &guest).await, "valid_to"),
        at(&sooner, "ends_at"),
        "the first one is in force"
    );

    let stale = tenant
        .api
        .send(
            Method::DELETE,
            &path(&sooner),
            &[("If-Match", "\"7\"")],
            None,
        )
        .await;
    assert_eq!(stale.problem(412), "precondition_failed");
    let cancelled = tenant.api.delete(&path(&sooner)).await;
    assert!(cancelled.status == 204 && cancelled.headers.contains_key("Distribution-Id"));
    let who = shown(&tenant, &guest).await;
    assert_eq!(at(&who, "valid_from"), at(&later, "starts_at"));
    assert_eq!(at(&who, "valid_to"), at(&later, "ends_at"));
    assert_eq!(
        tenant.api.delete(&path(&sooner)).await.status,
        204,
        "as often as asked"
    );
    assert_eq!(
        tenant
            .api
            .patch(&path(&sooner), json!({"reason": "x"}))
            .await
            .problem(409),
        "conflict"
    );

    // The last one: the time ends, though it has not begun.
    tenant.api.delete(&path(&later)).await.expect(204);
    let who = shown(&tenant, &guest).await;
    assert!(
        at(&who, "valid_to") <= Utc::now() && who["valid_from"].is_null(),
        "{who}"
    );
    assert_eq!(noted(&tenant, "visit.cancelled").await, 2);
}

#[tokio::test]
async fn the_next_visit_follows_one_that_has_ended() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let guest = person(&tenant, "visitor", "Guest").await;
    let end = Utc::now().trunc_subsecs(0) + Duration::seconds(3);
    let first = json!({"person_id": guest, "starts_at": in_minutes(-5), "ends_at": end});
    let next =
        json!({"person_id": guest, "starts_at": end, "ends_at": in_minutes(60), "vip": true});
    let (first, next) = (visit(&tenant, first).await, visit(&tenant, next).await);
    assert_eq!(at(&shown(&tenant, &guest).await, "valid_to"), end);
    let who = until(
        "the next visit to be in force",
        std::time::Duration::from_secs(40),
        || async {
            let who = shown(&tenant, &guest).await;
            (who["priority"] == "always").then_some(who)
        },
    )
    .await;
    assert_eq!(at(&who, "valid_to"), at(&next, "ends_at"));
    assert_eq!(noted(&tenant, "visit.followed").await, 1);
    let over = tenant.api.get(&path(&first)).await.expect(200);
    assert_eq!(over["state"], "ended");
    assert_eq!(
        tenant.api.delete(&path(&first)).await.problem(409),
        "conflict"
    );
}

#[tokio::test]
async fn visits_are_listed_by_state_host_person_and_time() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let host = person(&tenant, "staff", "Host").await;
    let mut made = Vec::new();
    for (name, from, to, host) in [
        ("A", -30, 90, Some(&host)),
        ("B", -20, 60, None),
        ("C", 60, 120, Some(&host)),
        ("D", 600, 660, None),
    ] {
        let body = json!({"person": {"name": name}, "host_id": host, "starts_at": in_minutes(from), "ends_at": in_minutes(to)});
        made.push(visit(&tenant, body).await);
    }
    tenant.api.delete(&path(&made[3])).await.expect(204);
    let names = async |query: &str| {
        let found = tenant.api.list(&format!("/v1/visits{query}")).await;
        found
            .iter()
            .map(|v| text(v, "person_name"))
            .collect::<String>()
    };
    assert_eq!(names("").await, "DCBA");
    assert_eq!(names("?state=current").await, "BA", "whoever leaves first");
    assert_eq!(names("?state=expected").await, "C");
    assert_eq!(names("?state=cancelled").await, "D");
    assert_eq!(names("?state=ended").await, "");
    assert_eq!(names(&format!("?host_id={host}")).await, "CA");
    assert_eq!(names(&format!("?host_id={host}&state=current")).await, "A");
    assert_eq!(
        names(&format!("?person_id={}", text(&made[1], "person_id"))).await,
        "B"
    );
    let instant = |minutes| in_minutes(minutes).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(
        names(&format!("?from={}&to={}", instant(-25), instant(70))).await,
        "CB"
    );
    let page = tenant
        .api
        .get("/v1/visits?state=current&limit=1")
        .await
        .expect(200);
    let next = format!(
        "/v1/visits?state=current&limit=1&cursor={}",
        text(&page, "next_cursor")
    );
    assert_eq!(
        tenant.api.get(&next).await.expect(200)["items"][0]["person_name"],
        "A"
    );
}

#[tokio::test]
async fn whoever_joined_the_house_is_not_sent_away_with_a_visit() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let body = json!({"person": {"name": "New hand"}, "starts_at": in_minutes(-5), "ends_at": in_minutes(60)});
    let made = visit(&tenant, body).await;
    let who = text(&made, "person_id");
    let hired = json!({"type": "staff", "valid_from": null, "valid_to": null});
    tenant
        .api
        .patch(&format!("/v1/persons/{who}"), hired)
        .await
        .expect(200);
    let cancelled = tenant.api.delete(&path(&made)).await;
    assert_eq!(
        (
            cancelled.status,
            cancelled.headers.contains_key("Distribution-Id")
        ),
        (204, false)
    );
    assert!(shown(&tenant, &who).await["valid_to"].is_null());
}
