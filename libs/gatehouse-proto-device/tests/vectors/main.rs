//! The vectors in `vectors/push/`: one file per message, one JSON object per line, each naming its
//! source (`L…` is a line of document 002, `protocols` the notes on real traffic). What devices
//! send: a body and what is read from it (only what stands under `expect` is compared). What the
//! platform sends: what is to be said, and the exact text.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use gatehouse_proto_device::push::{
    self, Change, IdCard, Operation, ResultLine, Sex, Sight, Verdict,
};
use serde_json::{Value, json};
use std::path::Path;

/// Every line of a file.
fn vectors(file: &str, at_least: usize) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors/push")
        .join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let vectors: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{file}: {e}: {line}")))
        .collect();
    assert!(
        vectors.len() >= at_least,
        "{file} has only {} vectors",
        vectors.len()
    );
    for vector in &vectors {
        assert!(
            vector["source"].as_str().is_some_and(|s| !s.is_empty()),
            "{file}: no source: {vector}"
        );
    }
    vectors
}

fn body(vector: &Value) -> Vec<u8> {
    match vector["body_hex"].as_str() {
        Some(digits) => (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
        None => vector["body"].as_str().unwrap().as_bytes().to_vec(),
    }
}

/// Compares what stands under `expect`.
fn compare(file: &str, vector: &Value, found: &Value) {
    let expected = vector["expect"].as_object().unwrap();
    assert!(!expected.is_empty(), "{file}: {}", vector["source"]);
    for (fact, expected) in expected {
        let source = &vector["source"];
        match fact.as_str() {
            "raw_has" => {
                for name in expected.as_array().unwrap() {
                    let pointer = name.as_str().unwrap();
                    assert!(
                        found["raw"].pointer(pointer).is_some(),
                        "{source}: no {pointer} in {found}"
                    );
                }
            }
            "raw_has_not" => {
                for word in expected.as_array().unwrap() {
                    let word = word.as_str().unwrap();
                    assert!(
                        !found["raw"].to_string().contains(word),
                        "{source}: {word} in {found}"
                    );
                }
            }
            "error" => assert!(
                found["error"]
                    .as_str()
                    .is_some_and(|e| e.starts_with(expected.as_str().unwrap())),
                "{source}: {found}"
            ),
            _ => assert_eq!(&found[fact], expected, "{file}, {source}: {fact}"),
        }
    }
}

/// Through text, so that 36.5 stays 36.5.
fn of_float(float: Option<f32>) -> Option<f64> {
    float.map(|float| float.to_string().parse().unwrap())
}

fn of_card(card: &IdCard) -> Value {
    json!({
        "name": card.name, "gender": card.gender, "national": card.national, "birthday": card.birthday,
        "address": card.address, "id": card.id, "maker": card.maker, "start_date": card.start_date,
        "end_date": card.end_date,
    })
}

fn of_sight(sight: &Sight) -> Value {
    json!({
        "device_id": sight.device_id,
        "user_id": sight.user_id,
        "user_name": sight.user_name,
        "user_type": sight.user_type,
        "passage": sight.passage,
        "temperature_celsius": of_float(sight.temperature_celsius),
        "mask": sight.mask,
        "screen_time": sight.screen_time,
        "seen_at": sight.seen_at().map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        "similarity": of_float(sight.similarity),
        "open_code": sight.open_code,
        "open_message": sight.open_message,
        "id_card": sight.id_card.as_ref().map(of_card),
        "image": sight.image.as_ref().map(|image| image.as_str()),
        "id_card_image": sight.id_card_image.as_ref().map(|image| image.as_str()),
        "raw": sight.raw,
    })
}

#[test]
fn passes_are_read_as_their_vectors_say() {
    for vector in vectors("sight.ndjson", 20) {
        let found = match push::read_sight(&body(&vector)) {
            Ok(sight) => of_sight(&sight),
            Err(error) => json!({"error": error.to_string()}),
        };
        compare("sight", &vector, &found);
    }
}

#[test]
fn results_are_read_as_their_vectors_say() {
    for vector in vectors("results.ndjson", 10) {
        let found = match push::read_results(&body(&vector)) {
            Ok(lines) => json!({"lines": lines.iter().map(of_line).collect::<Vec<_>>()}),
            Err(error) => json!({"error": error.to_string()}),
        };
        compare("results", &vector, &found);
    }
}

fn of_line(line: &ResultLine) -> Value {
    json!({
        "user_id": line.user_id, "status": line.status, "message": line.message,
        "operation": line.operation.map(Operation::as_str), "success": line.is_success(),
    })
}

#[test]
fn heartbeats_are_read_as_their_vectors_say() {
    for vector in vectors("heartbeat.ndjson", 5) {
        let found = match push::read_heartbeat(&body(&vector)) {
            Ok(heartbeat) => json!({"device_id": heartbeat.device_id}),
            Err(error) => json!({"error": error.to_string()}),
        };
        compare("heartbeat", &vector, &found);
    }
}

#[test]
fn cursors_are_read_as_their_vectors_say() {
    for vector in vectors("last_query_time.ndjson", 8) {
        let read = push::read_last_query_time(vector["text"].as_str());
        assert_eq!(json!(read), vector["expect"], "{}", vector["source"]);
    }
}

fn change(of: &Value) -> Change {
    let text = |name: &str| of[name].as_str().unwrap_or_default().to_owned();
    Change {
        operation: Operation::read(&text("operation")).unwrap(),
        user_id: text("user_id"),
        user_name: text("user_name"),
        user_type: text("user_type"),
        sex: match text("sex").as_str() {
            "male" => Sex::Male,
            "female" => Sex::Female,
            _ => Sex::Other,
        },
        user_remark: text("user_remark"),
        image_url: text("image_url"),
        operate_time_s: of["operate_time_s"].as_i64().unwrap(),
    }
}

#[test]
fn answers_are_written_exactly_as_their_vectors_say() {
    for vector in vectors("answers.ndjson", 9) {
        let say = &vector["say"];
        let why = say["why"].as_str();
        let verdict = why.map_or(Verdict::Success, Verdict::Failure);
        let text = match say["kind"].as_str().unwrap() {
            "plain" => push::encode_plain(verdict),
            "time" => push::encode_with_time(verdict, say["now_s"].as_i64().unwrap()),
            "door" => push::encode_door(
                verdict,
                say["open"].as_bool().unwrap(),
                say["unlock_delay_ms"].as_u64().unwrap().try_into().unwrap(),
            ),
            "feed" => {
                let changes: Vec<Change> = say["changes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(change)
                    .collect();
                push::encode_feed(&changes, say["last_query_time_s"].as_i64().unwrap())
            }
            other => panic!("{other}"),
        };
        assert_eq!(
            text,
            vector["text"].as_str().unwrap(),
            "{}",
            vector["source"]
        );
        // The document's sample, repaired, holds nothing that ours has not.
        if let Some(sample) = vector["sample"].as_str() {
            let ours: Value = serde_json::from_str(&text).unwrap();
            let sample: Value = serde_json::from_str(sample).unwrap();
            contains("", &ours, &sample);
        }
    }
}

fn contains(path: &str, ours: &Value, sample: &Value) {
    match sample {
        Value::Object(members) => {
            for (name, value) in members {
                contains(&format!("{path}/{name}"), &ours[name], value);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                contains(&format!("{path}/{at}"), &ours[at], item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            assert_eq!(ours, sample, "{path}");
        }
    }
}
