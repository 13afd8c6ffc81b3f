//! Frames of the platform.

use crate::vectors;
use gatehouse_proto_terminal::pass_times::DaySpans;
use gatehouse_proto_terminal::{
    Announcement, ControlState, Downlink, ErrorCode, Gender, PersonInfo, PersonOperation,
    PersonPhoto, Priority, RecordAnswer, encode_keep_alive_resp, encode_record_resp,
    encode_register_person_ack, encode_register_resp, parameters,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn every_downlink_is_written_as_its_vector_says() {
    let vectors = vectors("downlink");
    assert!(vectors.len() > 20, "only {} vectors found", vectors.len());
    for (name, vector) in vectors {
        let written = written(&vector);
        assert_eq!(
            written,
            vector["expect"].as_str().unwrap(),
            "{name}: {}",
            vector["source"]
        );
        if let Some(documented) = vector["documented"].as_str() {
            holds_all(&name, &written, documented, &vector["differs"]);
        }
    }
}

/// Every member of the document's sample is in ours, read by serde_json, with the same value.
fn holds_all(name: &str, written: &str, documented: &str, differs: &Value) {
    let ours: Value = serde_json::from_str(written).unwrap();
    let limits = gatehouse_wire::Limits {
        max_bytes: 1 << 20,
        max_depth: 8,
        max_values: 1000,
    };
    let sample = gatehouse_wire::read_object(documented.as_bytes(), &limits).unwrap();
    let mut compared = 0;
    for (member, value) in sample.members() {
        let sample_text = value.as_text().unwrap();
        let expected = match differs.get(member) {
            Some(printed) => {
                assert_eq!(printed, sample_text, "{name}: {member}");
                continue;
            }
            None => sample_text,
        };
        assert_eq!(ours[member], expected, "{name}: {member}");
        compared += 1;
    }
    assert!(compared > 0, "{name}");
}

fn written(vector: &Value) -> String {
    let send = &vector["send"];
    let text = |name: &str| send[name].as_str().unwrap().to_owned();
    let device_no = vector["device_no"].as_str().unwrap();
    let message_id = vector["message_id"].as_str().unwrap();
    let downlink = match text("type").as_str() {
        "register_resp" => {
            let code = ErrorCode::from(text("code").as_str());
            let now_ms = send["now_ms"].as_i64().unwrap();
            return encode_register_resp(device_no, &text("token"), now_ms, &code);
        }
        "keep_alive_resp" => return encode_keep_alive_resp(device_no),
        "record_resp" => {
            let answer = RecordAnswer {
                error_code: ErrorCode::from(text("code").as_str()),
                control_state: match text("control_state").as_str() {
                    "open" => ControlState::Open,
                    "close" => ControlState::Close,
                    _ => ControlState::Unstated,
                },
                msg: text("msg"),
            };
            return encode_record_resp(message_id, device_no, &answer);
        }
        "person_ack" => {
            return encode_register_person_ack(message_id, device_no, number(&send["index"]));
        }
        "open" => Downlink::Open {
            message: text("message"),
        },
        "update" => Downlink::Update {
            update_type: text("update_type").parse().unwrap(),
            url: text("url"),
            length: send["length"].as_u64().unwrap(),
        },
        "reboot" => Downlink::Reboot,
        "set_parameters" => {
            let all: BTreeMap<String, String> =
                serde_json::from_value(send["full_set_of"].clone()).unwrap();
            Downlink::SetParameters(parameters::full_set(&all, &BTreeMap::new()))
        }
        "get_parameters" => Downlink::GetParameters,
        "register_person" => Downlink::RegisterPerson(Box::new(person(send))),
        "get_register" => Downlink::GetRegister,
        "stop_get_register" => Downlink::StopGetRegister,
        "count_register" => Downlink::CountRegister,
        "get_register_by_index" => Downlink::GetRegisterByIndex {
            index: number(&send["index"]),
        },
        "get_photo" => Downlink::GetPhoto {
            kind: text("kind").parse().unwrap(),
        },
        "delete_records" => Downlink::DeleteRecords,
        other => panic!("{other}"),
    };
    downlink.encode(device_no, message_id)
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn person(send: &Value) -> PersonInfo {
    let text = |name: &str| send[name].as_str().map(str::to_owned);
    let date = |name: &str| send[name].as_str().map(|date| date.parse().unwrap());
    let operation = match send["operation"].as_str().unwrap() {
        "add" => PersonOperation::Add,
        "change" => PersonOperation::Change,
        "delete" => PersonOperation::Delete,
        "delete_all" => PersonOperation::DeleteAll,
        other => panic!("{other}"),
    };
    let mut person = PersonInfo::new(operation, text("id_number").unwrap(), text("name").unwrap());
    person.card_number = text("card_number");
    person.gender = text("gender").map(|gender| match gender.as_str() {
        "male" => Gender::Male,
        _ => Gender::Female,
    });
    person.birthday_on = date("birthday_on");
    person.phone = text("phone");
    person.valid_from_on = date("valid_from_on");
    person.valid_to_on = date("valid_to_on");
    person.priority = send["priority"]
        .as_u64()
        .and_then(|code| Priority::read(&code.to_string()));
    for (slot, photo) in person
        .photos
        .iter_mut()
        .zip(send["photos"].as_array().into_iter().flatten())
    {
        *slot = Some(PersonPhoto {
            number: photo[0].as_str().unwrap().to_owned(),
            base64: photo[1].as_str().unwrap().to_owned(),
        });
    }
    person.voice = announcement(&send["voice"]);
    person.display = announcement(&send["display"]);
    for (day, text) in person
        .pass_times
        .iter_mut()
        .zip(send["pass_times"].as_array().into_iter().flatten())
    {
        *day = Some(DaySpans::read_person_day(text.as_str().unwrap()).unwrap());
    }
    person
}

fn announcement(value: &Value) -> Announcement {
    Announcement {
        mode: value[0].as_u64().map(|mode| mode.try_into().unwrap()),
        with_title: value[1].as_bool(),
        text_before_name: value[2].as_str().map(str::to_owned),
        text: value[3].as_str().map(str::to_owned),
    }
}

#[test]
fn texts_are_escaped_so_that_another_reader_gets_them_back() {
    let message = "\"\\\n\r\t\u{1}\u{7f}欢迎😀</script>";
    let frame = Downlink::Open {
        message: message.to_owned(),
    }
    .encode("D", "1");
    let read: Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(
        read,
        json!({"msgType": "onlineOpen", "msgID": "1", "deviceNo": "D", "msg": message})
    );
}
