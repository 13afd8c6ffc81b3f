//! How many person-days the attendance engine judges in a CPU-second:
//! `cargo run --release -p gatehouse-domain --example attendance_speed`.
//!
//! A plain group with one period, 2 000 persons, 500 dates, 2 to 6 punches a day, sorted as an index
//! yields them. Every judged day carries its explanation as facts; its words are timed apart.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program for the terminal"
)]

use chrono::{NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;
use gatehouse_domain::RecordId;
use gatehouse_domain::attendance::{Day, GroupRule, Punch, Statistics, settle};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;
use uuid::Uuid;

const PERSONS: u32 = 2_000;
const DATES: usize = 500;

/// A date and what everybody punched on it, person by person.
struct Sheet {
    date: NaiveDate,
    persons: Vec<Vec<Punch>>,
}

fn main() {
    let rule: GroupRule = serde_json::from_str(
        r#"{"periods": [{"order": 1, "on_st": "08:00", "on_et": "09:00", "off_st": "18:00", "off_et": "20:00"}],
            "week_plan": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}"#,
    )
    .expect("the rule is written above");
    for zone in [Tz::Asia__Shanghai, Tz::America__New_York] {
        let sheets = sheets(zone);
        let now = chrono::DateTime::<chrono::Utc>::MAX_UTC;
        for round in 1..=3 {
            measure(
                &format!("{zone}, round {round}, windows once a date"),
                || {
                    let mut sum = Statistics::default();
                    for sheet in &sheets {
                        let workday = rule
                            .workday_on(sheet.date, zone)
                            .expect("it works every day");
                        for punches in &sheet.persons {
                            sum += black_box(&workday.judge(punches, &[], now));
                        }
                    }
                    sum
                },
            );
            measure(
                &format!("{zone}, round {round}, settle from scratch"),
                || {
                    let mut sum = Statistics::default();
                    for sheet in &sheets {
                        for punches in &sheet.persons {
                            let day = settle(&rule, sheet.date, punches, &[], zone, now);
                            sum += black_box(&day.expect("it works every day"));
                        }
                    }
                    sum
                },
            );
        }
        measure(&format!("{zone}, judged and put into words"), || {
            let mut sum = Statistics::default();
            let mut words = String::new();
            for sheet in &sheets {
                let workday = rule
                    .workday_on(sheet.date, zone)
                    .expect("it works every day");
                for punches in &sheet.persons {
                    let day: Day = workday.judge(punches, &[], now);
                    words.clear();
                    write!(words, "{}", day.words(&rule, zone)).expect("a string takes all");
                    black_box(&words);
                    sum += &day;
                }
            }
            sum
        });
    }
}

/// The same for everybody who runs it: a congruential generator with a fixed seed.
fn sheets(zone: Tz) -> Vec<Sheet> {
    let mut state = 20_240_506_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let first: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");
    let dates = first.iter_days().take(DATES);
    let sheet = |date: NaiveDate| {
        let morning = date.and_hms_opt(7, 30, 0).expect("a time");
        let morning = zone
            .from_local_datetime(&morning)
            .single()
            .expect("no clock changes at 07:30");
        let mut person = || {
            let count = 2 + draw(5);
            let mut punches: Vec<Punch> = (0..count)
                .map(|number| {
                    // Mornings and evenings more than the time between.
                    let span_s = if number < 2 { 6_600 } else { 46_800 };
                    let late_s = if number == 1 { 36_000 } else { 0 };
                    let second = i64::try_from(draw(span_s) + late_s).unwrap_or_default();
                    Punch {
                        passed_at: morning.to_utc() + TimeDelta::seconds(second),
                        record_id: RecordId::from_uuid(Uuid::from_u128(draw(u64::MAX).into())),
                    }
                })
                .collect();
            punches.sort_unstable();
            punches
        };
        Sheet {
            date,
            persons: (0..PERSONS).map(|_| person()).collect(),
        }
    };
    dates.map(sheet).collect()
}

fn measure(what: &str, work: impl FnOnce() -> Statistics) {
    let (from_ns, from) = (cpu_ns(), Instant::now());
    let sum = work();
    let wall_ns = u64::try_from(from.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let spent_ns = match (from_ns, cpu_ns()) {
        (Some(from_ns), Some(to_ns)) => to_ns - from_ns,
        _ => wall_ns,
    };
    let days = u64::from(sum.work_days);
    println!(
        "{what}: {days} person-days, {} ns of CPU each, {} a CPU-second ({} normal, {} late, {} missed)",
        spent_ns / days.max(1),
        days * 1_000_000_000 / spent_ns.max(1),
        sum.normal_days,
        sum.late_times,
        sum.omit_punch_times,
    );
}

/// Nanoseconds this thread has spent on a CPU, where the system tells.
fn cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
