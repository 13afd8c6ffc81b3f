//! Many terminals in one process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatehouse_simulator::{Plan, Summary, run};
use tokio::sync::oneshot;

use crate::cloud::{Cloud, soon};

#[tokio::test]
async fn a_plan_passes_people_and_counts_them() {
    let mut cloud = Cloud::start().await;
    let mut plan = Plan::new(&cloud.url(), "168380000108");
    plan.count = 5;
    plan.passes_per_minute = 3_000.0;
    plan.photo_kb = 2;
    plan.connect_per_second = 1_000.0;
    plan.report_every = Duration::from_millis(20);
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let numbers = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let session = cloud.accept().await;
            let number = session.register["deviceNo"].as_str().unwrap().to_owned();
            numbers.lock().unwrap().insert(number);
            tokio::spawn(session.play());
        }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let progress = move |summary: Summary| {
        if summary.registered == 5 && summary.acknowledged >= 50 {
            stop.take();
        }
    };
    let summary = soon(run(plan, progress, async {
        let _ = stopped.await;
    }))
    .await;
    assert_eq!(
        (summary.started, summary.connected, summary.registered),
        (5, 5, 5)
    );
    assert_eq!(summary.acknowledged, summary.passes_sent, "{summary:?}");
    assert_eq!(summary.doors_opened_by_cloud, summary.acknowledged);
    assert_eq!((summary.refused, summary.rejected), (0, 0));
    assert!(summary.ack_p50_ms > 0.0 && summary.ack_p99_ms >= summary.ack_p50_ms);
    let seen: Vec<String> = seen.lock().unwrap().iter().cloned().collect();
    let expected = [
        "168380000108",
        "168380000109",
        "168380000110",
        "168380000111",
        "168380000112",
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_plan_ends_by_itself_and_tells_what_was_wrong() {
    let cloud = Cloud::start().await;
    let mut plan = Plan::new(&cloud.url(), "1");
    drop(cloud);
    plan.run_for = Some(Duration::from_millis(100));
    let summary = soon(run(plan, |_| {}, std::future::pending())).await;
    assert_eq!(summary.registered, 0);
    assert!(summary.connection_faults > 0);
    assert!(
        summary.last_fault.contains("cannot reach"),
        "{}",
        summary.last_fault
    );
}
