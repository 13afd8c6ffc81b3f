//! Walks the files of `cases/attendance`. A case says why it is so, and what is expected of it.

use crate::{adjustment, instant, record};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use gatehouse_domain::attendance::{
    Adjustment, AdjustmentKind, Day, GroupRule, PeriodDay, Punch, settle,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    zone: String,
    rule: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    because: String,
    /// Instead of the file's.
    zone: Option<String>,
    /// Laid over the file's.
    #[serde(default)]
    rule: Map<String, Value>,
    date: NaiveDate,
    punches: Vec<String>,
    #[serde(default)]
    adjustments: Vec<CaseAdjustment>,
    /// Absent: long after.
    now: Option<String>,
    words: Option<String>,
    #[serde(default)]
    expect: Option<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseAdjustment {
    kind: AdjustmentKind,
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u8,
    /// Fields of each period; only those that are named are compared.
    periods: Vec<Map<String, Value>>,
}

/// A time as the cases write it: the clock alone on the business date, else with the date, and with
/// the offset where the clock shows it twice.
fn shown(at: DateTime<Utc>, date: NaiveDate, zone: Tz, wanted: &Value) -> Value {
    let local = at.with_timezone(&zone);
    let text = wanted.as_str().unwrap_or_default();
    if text.contains('T') {
        json!(local.format("%Y-%m-%dT%H:%M:%S%:z").to_string())
    } else if local.date_naive() == date {
        json!(local.format("%H:%M:%S").to_string())
    } else {
        json!(local.format("%Y-%m-%d %H:%M:%S").to_string())
    }
}

fn field(period: &PeriodDay, date: NaiveDate, zone: Tz, name: &str, wanted: &Value) -> Value {
    let json = serde_json::to_value(period).unwrap();
    let punch = |punch: Option<Punch>| {
        punch.map_or(Value::Null, |punch| {
            shown(punch.passed_at, date, zone, wanted)
        })
    };
    match name {
        "result" => json!(period.result.number()),
        "in" => punch(period.arrival.map(|arrival| arrival.punch)),
        "out" => punch(period.departure.map(|departure| departure.punch)),
        "in_by" => json["arrival"]["rule"].clone(),
        "out_by" => json["departure"]["rule"].clone(),
        "reason" => json["reason"]["by"].clone(),
        "partial" => json!(period.partial_adjustment.is_some()),
        _ => json
            .get(name)
            .unwrap_or_else(|| panic!("a period has no field \"{name}\""))
            .clone(),
    }
}

fn differences(day: &Day, expected: &Expected, zone: Tz) -> Vec<String> {
    let mut found = Vec::new();
    if day.status.number() != expected.status {
        found.push(format!(
            "status {} and not {}",
            day.status.number(),
            expected.status
        ));
    }
    if day.periods.len() != expected.periods.len() {
        found.push(format!("{} periods", day.periods.len()));
    }
    for (number, (period, wanted)) in day.periods.iter().zip(&expected.periods).enumerate() {
        for must in ["result", "in", "out"] {
            assert!(
                wanted.contains_key(must),
                "every expected period names {must}"
            );
        }
        for (name, value) in wanted {
            let is = field(period, day.date, zone, name, value);
            if is != *value {
                found.push(format!(
                    "period {}: {name} is {is} and not {value}",
                    number + 1
                ));
            }
        }
    }
    found
}

fn run(file: &File, case: &Case) -> Vec<String> {
    let zone: Tz = case.zone.as_ref().unwrap_or(&file.zone).parse().unwrap();
    let mut rule = file.rule.clone();
    rule.extend(case.rule.clone());
    let rule: GroupRule = serde_json::from_value(Value::Object(rule)).unwrap();
    assert_eq!(rule.check(NaiveDate::MIN, None), Ok(()), "{}", case.because);
    let punches: Vec<Punch> = case
        .punches
        .iter()
        .enumerate()
        .map(|(number, text)| Punch {
            passed_at: instant(text, zone),
            record_id: record(number),
        })
        .collect();
    let adjustments: Vec<Adjustment> = case
        .adjustments
        .iter()
        .enumerate()
        .map(|(number, given)| Adjustment {
            adjustment_id: adjustment(number),
            kind: given.kind,
            begins_at: instant(&given.from, zone),
            ends_at: instant(&given.to, zone),
        })
        .collect();
    let now = case
        .now
        .as_ref()
        .map_or(DateTime::<Utc>::MAX_UTC, |text| instant(text, zone));
    let day = settle(&rule, case.date, &punches, &adjustments, zone, now);
    let mut found = match (&day, &case.expect) {
        (None, None) => Vec::new(),
        (Some(day), Some(expected)) => differences(day, expected, zone),
        (Some(_), None) => vec!["there is a record".to_owned()],
        (None, Some(_)) => vec!["there is no record".to_owned()],
    };
    if let Some(words) = &case.words {
        let is = day
            .map(|day| day.words(&rule, zone).to_string())
            .unwrap_or_default();
        if is != *words {
            found.push(format!("words:\n    {is}\n  and not\n    {words}"));
        }
    }
    found
}

#[test]
fn every_case_is_judged_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/attendance");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.about.is_empty());
        for case in &file.cases {
            count += 1;
            for difference in run(&file, case) {
                wrong.push(format!(
                    "{name}: {} ({}): {difference}",
                    case.because, case.date
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 150, "only {count} cases were found");
}
