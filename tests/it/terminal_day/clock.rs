//! Clocks that are wrong: measured at the registration and by records, corrected, and what the
//! terminal said kept beside.

use super::{device, record_of};
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_simulator::{Pass, Terminal, TerminalProfile};
use kit::world::{Tenant, fresh_sn};
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;

async fn terminal_with(tenant: &Tenant, skew_ms: i64, sync_clock: bool) -> (Value, Terminal) {
    let created = tenant.device(&fresh_sn()).await;
    let profile = TerminalProfile {
        clock_skew_ms: skew_ms,
        sync_clock,
        ..TerminalProfile::new(&tenant.terminal_url, created["sn"].as_str().unwrap())
    };
    (created, Terminal::connect(profile).await.unwrap())
}

fn ms_apart(value: &Value, at: DateTime<Utc>) -> i64 {
    let instant: DateTime<Utc> = value.as_str().unwrap().parse().unwrap();
    (instant - at).num_milliseconds()
}

#[tokio::test]
async fn the_offset_is_measured_at_the_registration() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    for skew_ms in [-5 * HOUR_MS, 0, 2 * HOUR_MS] {
        let (created, terminal) = terminal_with(&tenant, skew_ms, true).await;
        let shown = device(&tenant, &created["id"]).await;
        // Registrations tell whole seconds.
        let measured = shown["clock_offset_ms"].as_i64().unwrap();
        assert!(
            (measured - skew_ms).abs() < 3_000,
            "{measured} for {skew_ms}"
        );
        assert!(shown["clock_measured_at"].is_string());
        assert!(
            terminal.clock_ahead_ms().abs() < 1_000,
            "the terminal sets its clock by the answer"
        );
    }
}

#[tokio::test]
async fn records_from_before_the_clock_was_set_are_corrected_and_later_ones_are_not() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    // Five hours slow until it registers.
    let (_, terminal) = terminal_with(&tenant, -5 * HOUR_MS, true).await;
    let truly = Utc::now() - TimeDelta::minutes(10);
    let shown = (truly - TimeDelta::hours(5))
        .with_timezone(&chrono::FixedOffset::east_opt(8 * 3600).unwrap());
    let local = shown.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    assert!(
        terminal
            .pass(Pass::staff("1", "before").at_local(&local))
            .await
            .unwrap()
            .is_accepted()
    );
    let record = record_of(&tenant, "before").await;
    assert_eq!(record["clock_verdict"], "corrected");
    assert!(
        ms_apart(&record["passed_at"], truly).abs() < 3_000,
        "{record}"
    );
    assert_eq!(ms_apart(&record["device_passed_at"], truly).signum(), -1);
    assert!(
        (ms_apart(&record["device_passed_at"], truly) + 5 * HOUR_MS).abs() < 10,
        "{record}"
    );
    assert_eq!(record["device_time"], json!(local));
    assert!(
        (record["clock_offset_ms"].as_i64().unwrap() + 5 * HOUR_MS).abs() < 3_000,
        "{record}"
    );

    assert!(
        terminal
            .pass(Pass::staff("1", "after"))
            .await
            .unwrap()
            .is_accepted()
    );
    let record = record_of(&tenant, "after").await;
    assert_eq!(record["clock_verdict"], "trusted");
    assert!(
        ms_apart(&record["passed_at"], Utc::now()).abs() < 5_000,
        "{record}"
    );
}

#[tokio::test]
async fn a_clock_that_stays_fast_is_found_out_by_live_records() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let (_, terminal) = terminal_with(&tenant, 0, false).await;
    let ahead = |name: &str, ms: i64| {
        Pass::staff("1", name)
            .at(Utc::now() + TimeDelta::milliseconds(ms))
            .with("offLineRecordNum", "0")
    };
    assert!(
        terminal
            .pass(ahead("fast", 40 * 60_000))
            .await
            .unwrap()
            .is_accepted()
    );
    let record = record_of(&tenant, "fast").await;
    assert!(
        ms_apart(&record["passed_at"], Utc::now()).abs() < 5_000,
        "{record}"
    );
    assert!(
        (ms_apart(&record["device_passed_at"], Utc::now()) - 40 * 60_000).abs() < 10_000,
        "{record}"
    );
    assert_eq!(record["clock_verdict"], "corrected");
    // Nothing is stored as having happened in the future, also where no count tells that it is live.
    let pass = Pass::staff("1", "future").at(Utc::now() + TimeDelta::days(3));
    assert!(terminal.pass(pass).await.unwrap().is_accepted());
    let record = record_of(&tenant, "future").await;
    assert_eq!(record["clock_verdict"], "in_future");
    assert!(ms_apart(&record["passed_at"], Utc::now()) <= 0, "{record}");
}

#[tokio::test]
async fn the_devices_zone_reads_its_wall_clock() {
    let world = kit::shared().await;
    let tenant = world.tenant().await;
    let sn = fresh_sn();
    tenant
        .api
        .post(
            "/v1/devices",
            json!({"sn": sn, "timezone": "America/New_York"}),
        )
        .await
        .expect(201);
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .unwrap();
    for (name, local, utc, verdict) in [
        (
            "winter",
            "2026-01-15 08:00:00",
            "2026-01-15T13:00:00Z",
            "trusted",
        ),
        (
            "summer",
            "2025-07-15 08:00:00.250",
            "2025-07-15T12:00:00.250Z",
            "trusted",
        ),
        (
            "twice",
            "2025-11-02 01:30:00",
            "2025-11-02T05:30:00Z",
            "ambiguous",
        ),
        (
            "old",
            "2001-01-01 00:00:00",
            "2001-01-01T05:00:00Z",
            "implausible",
        ),
    ] {
        assert!(
            terminal
                .pass(Pass::staff("1", name).at_local(local))
                .await
                .unwrap()
                .is_accepted()
        );
        let record = record_of(&tenant, name).await;
        assert_eq!(
            (&record["passed_at"], &record["clock_verdict"]),
            (&json!(utc), &json!(verdict)),
            "{name}"
        );
    }
    for nonsense in ["yesterday", "2026-13-40 99:99:99", "0"] {
        assert!(
            terminal
                .pass(Pass::staff("1", nonsense).at_local(nonsense))
                .await
                .unwrap()
                .is_accepted()
        );
        let record = record_of(&tenant, nonsense).await;
        assert_eq!(record["clock_verdict"], "unreadable", "{nonsense}");
        assert_eq!(record["device_time"], json!(nonsense));
        assert_eq!(record["passed_at"], record["received_at"]);
    }
}
