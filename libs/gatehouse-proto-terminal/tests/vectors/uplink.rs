//! Frames of terminals.

use crate::vectors;
use gatehouse_proto_terminal::{
    Announcement, Answer, AnswerBody, Gender, Limits, PhotoField, Position, Register, SignVerdict,
    StoredPerson, Uplink, UploadRecord, decode,
};
use serde_json::{Map, Value, json};

#[test]
fn every_uplink_is_read_as_its_vector_says() {
    let vectors = vectors("uplink");
    assert!(vectors.len() > 80, "only {} vectors found", vectors.len());
    for (name, vector) in vectors {
        let frame = vector["frame_hex"].as_str().map_or_else(
            || vector["frame"].as_str().unwrap().as_bytes().to_vec(),
            from_hex,
        );
        let facts = facts(&frame);
        let expected = vector["expect"].as_object().unwrap();
        assert!(!expected.is_empty(), "{name}: {}", vector["source"]);
        for (fact, expected) in expected {
            let found = facts
                .get(fact)
                .unwrap_or_else(|| panic!("{name}: no {fact} in {facts:?}"));
            assert!(
                holds(fact, found, expected),
                "{name}, {}: {fact} is {found}, expected {expected}",
                vector["source"]
            );
        }
    }
}

/// Most facts are equal; some expectations are lists of names that must, or must not, be there, and
/// an error is told by its beginning.
fn holds(fact: &str, found: &Value, expected: &Value) -> bool {
    let has = |name: &Value| found.get(name.as_str().unwrap()).is_some();
    match fact {
        "raw_has" => expected.as_array().unwrap().iter().all(has),
        "raw_has_not" | "parameters_not" => !expected.as_array().unwrap().iter().any(has),
        "parameters" => expected
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, value)| found[name] == *value),
        "error" => found
            .as_str()
            .unwrap()
            .starts_with(expected.as_str().unwrap()),
        _ => found == expected,
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn facts(frame: &[u8]) -> Map<String, Value> {
    let facts = match decode(frame, &Limits::default()) {
        Err(error) => json!({"error": error.to_string()}),
        Ok(Uplink::Register(register)) => of_register(&register),
        Ok(Uplink::KeepAlive(keep_alive)) => {
            let mut facts = of_position(keep_alive.position);
            facts["message"] = "keepAlive".into();
            facts["device_no"] = keep_alive.device_no.into();
            facts["token"] = keep_alive.token.into();
            facts
        }
        Ok(Uplink::UploadRecord(record)) => of_record(&record),
        Ok(Uplink::Answer(answer)) => of_answer(&answer),
        Ok(Uplink::Unknown(unknown)) => json!({
            "message": "unknown",
            "message_type": unknown.message_type,
            "message_id": unknown.message_id,
            "device_no": unknown.device_no,
            "token": unknown.token,
        }),
    };
    facts.as_object().unwrap().clone()
}

fn of_register(register: &Register) -> Value {
    json!({
        "message": "register",
        "device_no": register.device_no,
        "register_time": register.register_time,
        "rand": register.rand,
        "protocol_version": register.protocol_version,
        "hardware_version": register.hardware_version,
        "software_version": register.software_version,
        "alg_version": register.alg_version,
        "sign": register.sign,
        "sign_verdict": match register.sign_verdict() {
            SignVerdict::Valid => "valid",
            SignVerdict::Wrong => "wrong",
            SignVerdict::Missing => "missing",
        },
        "device_time_ms": register.device_time_ms(),
    })
}

fn of_position(position: Option<Position>) -> Value {
    json!({
        "longitude": position.map(|position| position.longitude),
        "latitude": position.map(|position| position.latitude),
    })
}

fn of_photo(photo: Option<&PhotoField>) -> Value {
    match photo.map(PhotoField::decode) {
        None => Value::Null,
        Some(Ok(bytes)) => json!({"jpeg_bytes": bytes.len()}),
        Some(Err(error)) => json!({"error": error.to_string()}),
    }
}

fn of_gender(gender: Option<Gender>) -> Option<&'static str> {
    gender.map(|gender| match gender {
        Gender::Male => "male",
        Gender::Female => "female",
    })
}

/// Through text, so that 36.5 stays 36.5.
fn of_float(float: Option<f32>) -> Option<f64> {
    float.map(|float| float.to_string().parse().unwrap())
}

fn of_record(record: &UploadRecord) -> Value {
    let passed_at = record.passed_at(chrono_tz::Asia::Shanghai).map_or_else(
        |error| error.to_string(),
        |passed| passed.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    );
    let document = record.id_document.as_ref().map(|document| {
        json!({
            "number": document.number,
            "ethnicity": document.ethnicity,
            "address": document.address,
            "authority": document.authority,
        })
    });
    let mut facts = json!({
        "message": "uploadRecord",
        "message_id": record.message_id,
        "device_no": record.device_no,
        "token": record.token,
        "version": record.version,
        "pass_time": record.pass_time,
        "passed_at_shanghai": passed_at,
        "person_number": record.person_number,
        "person_name": record.person_name,
        "record_type": record.record_type,
        "result": record.result,
        "verification": record.verification,
        "passage": record.passage,
        "temperature_celsius": of_float(record.temperature_celsius),
        "temperature_verdict": record.temperature_verdict,
        "mask": record.mask,
        "match_score": of_float(record.match_score),
        "liveness_score": of_float(record.liveness_score),
        "card_number": record.card_number,
        "id_document": document,
        "gender": of_gender(record.gender),
        "birth": record.birth,
        "company": record.company,
        "department": record.department,
        "phone": record.phone,
        "valid_from": record.valid_from,
        "valid_to": record.valid_to,
        "spoken_text": record.spoken_text,
        "backlog": record.backlog,
        "recognition_photo": of_photo(record.recognition_photo.as_ref()),
        "compare_photo": of_photo(record.compare_photo.as_ref()),
        "raw_has": record.raw,
        "raw_has_not": record.raw,
    });
    let position = of_position(record.position);
    facts["longitude"] = position["longitude"].clone();
    facts["latitude"] = position["latitude"].clone();
    facts
}

fn of_answer(answer: &Answer) -> Value {
    let mut facts = json!({
        "message": "answer",
        "kind": format!("{:?}", answer.kind),
        "message_id": answer.message_id,
        "device_no": answer.device_no,
        "token": answer.token,
        "error_code": answer.error_code.as_str(),
        "text": answer.message,
    });
    match &answer.body {
        AnswerBody::None => facts["body"] = Value::Null,
        AnswerBody::Parameters(parameters) => {
            facts["parameters"] = json!(parameters.as_map());
            facts["parameters_not"] = json!(parameters.as_map());
        }
        AnswerBody::PersonCount(count) => facts["count"] = json!(count),
        AnswerBody::Photo(photo) => facts["photo"] = of_photo(photo.as_ref()),
        AnswerBody::Person(person) => {
            for (fact, value) in of_person(person).as_object().unwrap() {
                facts[fact] = value.clone();
            }
        }
    }
    facts
}

fn of_announcement(announcement: &Announcement) -> Value {
    json!({
        "mode": announcement.mode,
        "with_title": announcement.with_title,
        "before": announcement.text_before_name,
        "text": announcement.text,
    })
}

fn of_person(person: &StoredPerson) -> Value {
    let photos: Vec<Value> = person
        .photos
        .iter()
        .map(|photo| {
            let mut facts = json!({"slot": photo.slot, "number": photo.number});
            // The sample's own photo is a sentence about one.
            if photo
                .photo
                .as_ref()
                .is_some_and(|photo| photo.as_text().is_ascii())
            {
                facts["photo"] = true.into();
            }
            facts
        })
        .collect();
    let date = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string());
    json!({
        "index": person.index,
        "person_num": person.person_num,
        "id_number": person.id_number,
        "card_number": person.card_number,
        "name": person.name,
        "gender": of_gender(person.gender),
        "birthday": person.birthday,
        "birthday_on": date(person.birthday_on()),
        "phone": person.phone,
        "valid_from_on": date(person.valid_from_on()),
        "valid_to_on": date(person.valid_to_on()),
        "priority": person.priority.map(|priority| format!("{priority:?}")),
        "photos": photos,
        "voice": of_announcement(&person.voice),
        "display": of_announcement(&person.display),
        "pass_time_1": person.pass_times[0],
        "pass_time_7": person.pass_times[6],
    })
}
