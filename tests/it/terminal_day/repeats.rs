//! The same record again: acknowledged, stored once. And what only looks like the same.

use super::{record_of, records};
use gatehouse_simulator::{Event, Faults, Pass, Terminal, TerminalProfile, photo};
use kit::RawSocket;
use kit::raw::record_message;
use kit::world::{Tenant, fresh_sn};
use std::time::Duration;

async fn stored(tenant: &Tenant) -> i64 {
    sqlx::query_scalar("select count(*) from hub.records")
        .fetch_one(&tenant.rows().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_replayed_record_is_acknowledged_and_stored_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    let (_, terminal) = tenant.terminal(&sn).await;
    let pass = Pass::staff("20001", "张三")
        .with_message_id("1001")
        .at_local("2026-03-01 08:00:00.421")
        .with_photo(photo::jpeg(10, 1));
    for _ in 0..3 {
        assert!(terminal.pass(pass.clone()).await.unwrap().is_accepted());
    }
    let first = record_of(&tenant, "张三").await;
    // After a reconnect nothing in memory knows it any more.
    terminal.close().await;
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    assert!(terminal.pass(pass.clone()).await.unwrap().is_accepted());
    let again = record_of(&tenant, "张三").await;
    assert_eq!(
        (&again["id"], &again["received_at"]),
        (&first["id"], &first["received_at"])
    );
    // The same at another device is another record.
    let (_, other) = tenant.terminal(&fresh_sn()).await;
    assert!(other.pass(pass).await.unwrap().is_accepted());
    assert_eq!(stored(&tenant).await, 2);
}

#[tokio::test]
async fn an_answer_that_got_lost_costs_nothing() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    profile.faults = Faults {
        answers_overlooked: 2,
        ..Faults::default()
    };
    profile.resend_after = Duration::from_millis(100);
    let terminal = Terminal::connect(profile).await.unwrap();
    assert!(
        terminal
            .pass(Pass::staff("20001", "张三"))
            .await
            .unwrap()
            .is_accepted()
    );
    let sent = terminal
        .events()
        .iter()
        .filter(|event| matches!(event, Event::RecordSent { .. }))
        .count();
    assert!(sent >= 3, "{sent}");
    assert_eq!(stored(&tenant).await, 1);
}

#[tokio::test]
async fn repeats_at_the_same_moment_are_stored_once() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let (mut socket, token) = RawSocket::registered(&tenant.terminal_url, &sn).await;
    let record = record_message(&sn, &token, "1001");
    let other = record_message(&sn, &token, "1002");
    for _ in 0..20 {
        socket.send_json(&record).await.unwrap();
    }
    socket.send_json(&other).await.unwrap();
    loop {
        let answer = socket.message("uploadRecordResp").await;
        assert_eq!(answer["errorCode"], "100");
        if answer["msgID"] == "1002" {
            break;
        }
        assert_eq!(answer["msgID"], "1001");
    }
    assert_eq!(stored(&tenant).await, 2);
}

#[tokio::test]
async fn message_ids_that_begin_again_name_new_records() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let mut profile = TerminalProfile::new(&tenant.terminal_url, &sn);
    profile.faults = Faults {
        restart_message_ids: true,
        ..Faults::default()
    };
    profile.reconnect = (Duration::from_millis(20), Duration::from_millis(100));
    let terminal = Terminal::spawn_reconnecting(profile);
    terminal.wait_online(super::SOON).await.unwrap();
    assert!(
        terminal
            .pass(Pass::staff("20001", "before"))
            .await
            .unwrap()
            .is_accepted()
    );
    terminal.drop_connection().await;
    terminal.wait_online(super::SOON).await.unwrap();
    assert!(
        terminal
            .pass(Pass::staff("20001", "after"))
            .await
            .unwrap()
            .is_accepted()
    );
    let ids: Vec<(String,)> = sqlx::query_as("select message_id from hub.records")
        .fetch_all(&tenant.rows().await)
        .await
        .unwrap();
    assert_eq!(ids, [("1001".to_owned(),), ("1001".to_owned(),)]);
    record_of(&tenant, "before").await;
    record_of(&tenant, "after").await;
}

#[tokio::test]
async fn without_a_time_the_contents_tell_a_repeat() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = tenant.terminal(&fresh_sn()).await;
    let timeless = |name: &str| Pass::staff("20001", name).with_message_id("7").at_local("");
    assert!(terminal.pass(timeless("one")).await.unwrap().is_accepted());
    assert!(terminal.pass(timeless("one")).await.unwrap().is_accepted());
    assert!(terminal.pass(timeless("two")).await.unwrap().is_accepted());
    let found = records(&tenant, "", 2).await;
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|record| record["clock_verdict"] == "unreadable" && record["device_time"] == "")
    );
}

#[tokio::test]
async fn a_backlog_comes_in_whole_and_at_its_own_times() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant.device(&sn).await;
    let profile = TerminalProfile {
        records_in_flight: 64,
        sync_clock: false,
        ..TerminalProfile::new(&tenant.terminal_url, &sn)
    };
    let terminal = Terminal::connect(profile).await.unwrap();
    let yesterday = chrono::Utc::now() - chrono::TimeDelta::hours(26);
    let passes = (0..150_i64).map(|n| {
        let at = yesterday + chrono::TimeDelta::seconds(n * 30);
        terminal.pass(
            Pass::staff("20001", &format!("p{n}"))
                .at(at)
                .with("offLineRecordNum", (149 - n).to_string()),
        )
    });
    for ack in futures_util::future::join_all(passes).await {
        assert!(ack.unwrap().is_accepted());
    }
    let found = records(&tenant, "", 150).await;
    assert_eq!(found.len(), 150);
    for (place, record) in found.iter().rev().enumerate() {
        assert_eq!(record["person_name"], format!("p{place}"));
        assert_eq!(record["clock_verdict"], "trusted");
        let at = yesterday + chrono::TimeDelta::seconds(i64::try_from(place).unwrap() * 30);
        let passed: chrono::DateTime<chrono::Utc> =
            record["passed_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(passed.timestamp_millis(), at.timestamp_millis());
    }
}
