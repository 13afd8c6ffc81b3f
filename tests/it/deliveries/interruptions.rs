//! Connections, processes and stores that go away in the middle.

use super::{authorize, group, holds, leave, persons, stands, terminal, told};
use gatehouse_simulator::{Answer, Respond};
use kit::{Gatehouse, Tenant, services, until};
use std::time::Duration;

#[tokio::test]
async fn who_was_away_learns_all_that_changed() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |profile| {
        profile.reconnect = (Duration::from_secs(3), Duration::from_secs(4));
    })
    .await;
    let all = persons(&tenant, 3).await;
    let first = group(&tenant, "staff", &all[..2]).await;
    authorize(&tenant, &device, &first, None).await;
    holds(&terminal, &[&all[0], &all[1]]).await;
    terminal.drop_connection().await;
    leave(&tenant, &first, &all[0]).await;
    let second = group(&tenant, "staff", &all[2..]).await;
    authorize(&tenant, &device, &second, None).await;
    let waits = stands(&tenant, &device, &all[2], "anything", |_| true).await;
    assert_ne!(waits["state"], "applied", "{waits}");
    holds(&terminal, &[&all[1], &all[2]]).await;
    stands(&tenant, &device, &all[2], "applied", |i| {
        i["state"] == "applied"
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_in_the_middle_tells_the_rest_and_little_twice() {
    let _world = kit::shared().await;
    let settings = [
        ("GATEHOUSE_RATE_LIMIT_PER_KEY", "1000000"),
        ("GATEHOUSE_RATE_LIMIT_PER_TENANT", "1000000"),
    ];
    let process = Gatehouse::start("all", &settings).await;
    let tenant = Tenant::create(&process.base_url).await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let all = persons(&tenant, 24).await;
    let group = group(&tenant, "staff", &all).await;
    terminal.set_respond(Respond::normally().to(
        "registerPersonInfo",
        Answer::After(Duration::from_millis(60)),
    ));
    authorize(&tenant, &device, &group, None).await;
    until("some to be told", super::SOON, || async {
        (terminal.persons().len() >= 8).then_some(())
    })
    .await;
    process.kill();
    process.restart().await;
    let everybody: Vec<_> = all.iter().collect();
    holds(&terminal, &everybody).await;
    for person in &all {
        stands(&tenant, &device, person, "applied", |i| {
            i["state"] == "applied"
        })
        .await;
    }
    // Twice at most what was under way to the terminal or to sync when the process died.
    let count = told(&terminal).len();
    assert!(count <= all.len() + 8, "told {count} times");
}

#[tokio::test]
async fn without_its_photo_nobody_is_told() {
    let world = kit::alone().await;
    let tenant = world.tenant().await;
    let (device, terminal) = terminal(&tenant, |_| {}).await;
    let all = persons(&tenant, 2).await;
    let group = group(&tenant, "staff", &all).await;
    services(&["stop", "s3"]);
    authorize(&tenant, &device, &group, None).await;
    let waits = stands(&tenant, &device, &all[0], "an error", |i| {
        !i["error"].is_null()
    })
    .await;
    services(&["start", "s3"]);
    assert_eq!(waits["error"]["code"], "photo_unavailable", "{waits}");
    assert!(told(&terminal).is_empty(), "told without a photo");
    holds(&terminal, &[&all[0], &all[1]]).await;
    assert!(told(&terminal).iter().all(|(_, _, item)| {
        item["registerPhoto1"]
            .as_str()
            .is_some_and(|photo| !photo.is_empty())
    }));
}
