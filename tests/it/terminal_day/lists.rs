//! The records of a tenant as a list: filtered, page by page, by links to pictures; and what attendance
//! hears of them.

use super::{SOON, record_of, records};
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_platform::secrets::{SecretSettings, Secrets};
use gatehouse_simulator::{Pass, photo};
use kit::world::fresh_sn;
use kit::{Environment, Tenant, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn links_that_were_changed_or_have_ended_are_refused() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    terminal
        .pass(Pass::staff("1", "张三").with_photo(photo::jpeg(5, 3)))
        .await
        .unwrap();
    let url = record_of(&tenant, "张三").await["snapshot_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix(&world.base_url).unwrap().to_owned();
    let anonymous = world.anonymous();
    assert_eq!(anonymous.get(&path).await.status, 200);

    // One character of the signature, one of the rest, one less.
    let (head, token) = path.rsplit_once('/').unwrap();
    for place in [0, token.len() / 2, token.len() - 1] {
        let changed: String = token
            .char_indices()
            .map(|(at, c)| {
                if at == place {
                    if c == 'A' { 'B' } else { 'A' }
                } else {
                    c
                }
            })
            .collect();
        assert_eq!(
            anonymous
                .get(&format!("{head}/{changed}"))
                .await
                .problem(403),
            "invalid_link",
            "{place}"
        );
    }
    assert_eq!(
        anonymous.get(&format!("{head}/x")).await.problem(403),
        "invalid_link"
    );

    let key: String = sqlx::query_scalar("select snapshot_key from hub.records")
        .fetch_one(&tenant.rows().await)
        .await
        .unwrap();
    let secrets = Secrets::new(&SecretSettings {
        master_key: Environment::get().var("GATEHOUSE_MASTER_KEY").to_owned(),
        operator_key: None,
    })
    .unwrap();
    let long_ago = Utc::now() - TimeDelta::hours(1);
    let ended = secrets.media_url("", &key, long_ago, Duration::from_secs(900));
    assert_eq!(anonymous.get(&ended).await.problem(410), "expired_link");
    // The same link with an end in the future would have been good: it is the end that is refused.
    let valid = secrets.media_url("", &key, Utc::now(), Duration::from_secs(900));
    assert_eq!(anonymous.get(&valid).await.status, 200);
    let part = anonymous
        .send(
            reqwest::Method::GET,
            &valid,
            &[("Range", "bytes=0-1")],
            None,
        )
        .await;
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &[0xFF, 0xD8][..])
    );
}

#[tokio::test]
async fn records_are_filtered_and_paged_newest_first() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device_a, a) = tenant.terminal(&fresh_sn()).await;
    let (_, b) = tenant.terminal(&fresh_sn()).await;
    let start = Utc::now() - TimeDelta::hours(2);
    let at = |minutes| start + TimeDelta::minutes(minutes);
    let between = |minutes| at(minutes) + TimeDelta::seconds(30);
    // Uploaded in another order than they happened in.
    for minute in [4_i64, 0, 3, 1, 2] {
        let pass = Pass::staff("20001", &format!("a{minute}")).at(at(minute));
        assert!(a.pass(pass).await.unwrap().is_accepted());
    }
    assert!(
        b.pass(Pass::stranger().at(at(10)))
            .await
            .unwrap()
            .is_accepted()
    );
    assert!(
        b.pass(Pass::staff("20002", "王五").with_result("4").at(at(11)))
            .await
            .unwrap()
            .is_accepted()
    );

    let names = |items: &[Value]| -> Vec<String> {
        items
            .iter()
            .map(|item| item["person_name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = names(&records(&tenant, "", 7).await);
    assert_eq!(all, ["王五", "陌生人", "a4", "a3", "a2", "a1", "a0"]);
    let device = device_a["id"].as_str().unwrap();
    for (query, expected) in [
        (
            format!("device_id={device}"),
            vec!["a4", "a3", "a2", "a1", "a0"],
        ),
        ("person_number=20002".to_owned(), vec!["王五"]),
        ("type=stranger".to_owned(), vec!["陌生人"]),
        ("result=unauthorized".to_owned(), vec!["王五"]),
        (
            format!("from={}&to={}", stamp(between(0)), stamp(between(2))),
            vec!["a2", "a1"],
        ),
        (
            format!("device_id={device}&from={}", stamp(between(2))),
            vec!["a4", "a3"],
        ),
        ("type=visitor".to_owned(), vec![]),
    ] {
        let found = tenant.api.list(&format!("/v1/records?{query}")).await;
        assert_eq!(names(&found), expected, "{query}");
    }

    // Page by page: the same list, nothing twice, and no cursor at its end.
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = tenant
            .api
            .get(&format!("/v1/records?limit=3{cursor}"))
            .await
            .expect(200);
        seen.extend(names(page["items"].as_array().unwrap()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (all, 3));
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The records that attendance has consumed.
async fn punches(tenant: &Tenant) -> Vec<(uuid::Uuid, String)> {
    sqlx::query_as("select record_id, person_number from attendance.punches")
        .fetch_all(&tenant.rows().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn attendance_hears_of_every_record_once() {
    let world = kit::shared().await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (device, terminal) = tenant.terminal(&fresh_sn()).await;
    let (_, others) = other.terminal(&fresh_sn()).await;
    for n in 0..6 {
        let pass = Pass::staff(&format!("2000{n}"), "张三")
            .with_message_id(&format!("m{n}"))
            .at_local(&format!("2026-01-05 08:00:0{n}.000"));
        assert!(terminal.pass(pass.clone()).await.unwrap().is_accepted());
        // A repeat makes no second event.
        assert!(terminal.pass(pass).await.unwrap().is_accepted());
    }
    assert!(
        terminal
            .pass(Pass::staff("20009", "王五").with_result("1"))
            .await
            .unwrap()
            .is_accepted()
    );
    assert!(
        others
            .pass(Pass::staff("30001", "李四"))
            .await
            .unwrap()
            .is_accepted()
    );

    let rows: Vec<(uuid::Uuid, String, String, uuid::Uuid)> =
        sqlx::query_as("select id, person_number, result, device_id from hub.records")
            .fetch_all(&tenant.rows().await)
            .await
            .unwrap();
    assert_eq!(rows.len(), 7);
    assert!(
        rows.iter()
            .all(|row| row.3 == kit::uuid_of(device["id"].as_str().unwrap()))
    );
    let expected: BTreeSet<(uuid::Uuid, String)> = rows
        .iter()
        .filter(|row| row.2 == "passed")
        .map(|row| (row.0, row.1.clone()))
        .collect();
    let found = until("attendance to hear of all", SOON, || async {
        let found = punches(&tenant).await;
        (found.len() >= expected.len()).then_some(found)
    })
    .await;
    assert_eq!(
        found.len(),
        expected.len(),
        "nothing twice, and nobody who did not pass: {found:?}"
    );
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    let theirs = until("the other tenant's punch", SOON, || async {
        punches(&other).await.pop()
    })
    .await;
    assert_eq!(theirs.1, "30001");
}
