//! People registered on a terminal (004 section 2.2).
//!
//! Dates, weekly windows and photo ids are held to the forms the document gives, so that a cloud
//! that writes others is found out. Silent points: adding a known person replaces it, changing an
//! unknown one adds it, deleting an unknown one succeeds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::profile::TerminalProfile;
use crate::wire::{self, Writer};

/// A registered person: fields by the document's names, without `operateType`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// `idNumber`.
    pub id_number: String,
    /// The other fields, photos included, as text.
    pub fields: BTreeMap<String, String>,
}

impl Person {
    /// A person with the fields that the document requires.
    pub fn new(id_number: &str, name: &str) -> Self {
        let fields = [
            ("name", name),
            ("sex", "男"),
            ("birthday", "1997年4月3日"),
            ("phone", "18868681819"),
            ("validDateStart", "2019_8_9"),
            ("validDateEnd", "2029_8_9"),
        ];
        Self {
            id_number: id_number.to_owned(),
            fields: fields
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// The same person with this JPEG as `registerPhoto1`.
    #[must_use]
    pub fn with_photo(mut self, jpeg: &[u8]) -> Self {
        let text = base64_simd::STANDARD.encode_to_string(jpeg);
        self.fields.insert("registerPhoto1".to_owned(), text);
        self.fields
            .insert("registerPhotoID1".to_owned(), "654321".to_owned());
        self
    }

    /// A field, empty when absent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Writes the fields of 2.2.2 in its order.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.field("idNumber", &self.id_number);
        for (name, required) in FIELDS {
            match self.fields.get(*name) {
                Some(value) => {
                    writer.field(name, value);
                }
                None if *required => {
                    writer.field(name, "");
                }
                None => {}
            }
        }
    }
}

/// The fields of a person in the order of the sample of 2.2.2, and whether it always has them.
const FIELDS: &[(&str, bool)] = &[
    ("normalNumber", false),
    ("name", true),
    ("sex", true),
    ("birthday", true),
    ("phone", true),
    ("validDateStart", true),
    ("validDateEnd", true),
    ("priority", false),
    ("registerPhoto1", true),
    ("registerPhotoID1", true),
    ("registerPhoto2", true),
    ("registerPhotoID2", true),
    ("registerPhoto3", true),
    ("registerPhotoID3", true),
    ("voiceSpecialMode", false),
    ("voiceNameSexEnable", false),
    ("visitorVoiceTextBeforeName", false),
    ("visitorVoiceText", false),
    ("displaySpecialMode", false),
    ("displayNameSexEnable", false),
    ("visitordisplayTextBeforeName", false),
    ("visitordisplayText", false),
    ("passTime1", false),
    ("passTime2", false),
    ("passTime3", false),
    ("passTime4", false),
    ("passTime5", false),
    ("passTime6", false),
    ("passTime7", false),
];

/// The people of one terminal; the index of a person is its place in the order of `idNumber`.
pub(crate) type Persons = BTreeMap<String, Person>;

/// What a register takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) profile: &'a TerminalProfile,
    /// How many people it holds.
    pub(crate) capacity: usize,
}

/// The id of the first person that a `registerPersonInfo` is about.
pub(crate) fn first_id(body: &Value) -> Option<String> {
    let first = body.get("personInfoData")?.get(0)?;
    first.get("idNumber").and_then(wire::scalar)
}

/// Does what a `registerPersonInfo` says. `Err` is the `errorCode`; items before the faulty one
/// stay done.
pub(crate) fn register(
    persons: &mut Persons,
    rules: Rules<'_>,
    body: &Map<String, Value>,
) -> Result<(), String> {
    let Some(Value::Array(items)) = body.get("personInfoData") else {
        return Err("300".to_owned());
    };
    let count = body.get("personInfoCount").and_then(wire::scalar);
    if items.is_empty() || count != Some(items.len().to_string()) {
        return Err("300".to_owned());
    }
    for item in items {
        let Value::Object(item) = item else {
            return Err("300".to_owned());
        };
        operate(persons, rules, item)?;
    }
    Ok(())
}

fn operate(
    persons: &mut Persons,
    rules: Rules<'_>,
    item: &Map<String, Value>,
) -> Result<(), String> {
    let profile = rules.profile;
    let operation = item
        .get("operateType")
        .and_then(wire::scalar)
        .unwrap_or_default();
    if operation == "3" {
        persons.clear();
        return Ok(());
    }
    let id_number = item
        .get("idNumber")
        .and_then(wire::scalar)
        .unwrap_or_default();
    if id_number.is_empty() || id_number == "0" || id_number.len() > 32 {
        return Err("300".to_owned());
    }
    if let Some(error_code) = profile.person_errors.get(&id_number) {
        return Err(error_code.clone());
    }
    match operation.as_str() {
        "0" => {
            let mut person = Person {
                id_number: id_number.clone(),
                fields: BTreeMap::new(),
            };
            fill(&mut person, profile, item)?;
            let required = ["name", "registerPhoto1", "registerPhotoID1"];
            if required.iter().any(|field| !has(item, field)) {
                return Err("300".to_owned());
            }
            store(persons, rules.capacity, person)
        }
        "1" => {
            let mut person = persons.get(&id_number).cloned().unwrap_or_default();
            person.id_number = id_number;
            fill(&mut person, profile, item)?;
            store(persons, rules.capacity, person)
        }
        "2" => {
            persons.remove(&id_number);
            Ok(())
        }
        _ => Err("300".to_owned()),
    }
}

fn has(item: &Map<String, Value>, field: &str) -> bool {
    item.get(field)
        .and_then(wire::scalar)
        .is_some_and(|value| !value.is_empty())
}

fn store(persons: &mut Persons, capacity: usize, person: Person) -> Result<(), String> {
    let is_new = !persons.contains_key(&person.id_number);
    if is_new && persons.len() >= capacity {
        return Err("302".to_owned());
    }
    persons.insert(person.id_number.clone(), person);
    Ok(())
}

fn fill(
    person: &mut Person,
    profile: &TerminalProfile,
    item: &Map<String, Value>,
) -> Result<(), String> {
    for (key, value) in item {
        let name = own_spelling(key);
        if matches!(name, "operateType" | "idNumber") || value.is_null() {
            continue;
        }
        let Some(mut value) = wire::scalar(value) else {
            return Err("300".to_owned());
        };
        check(name, &value)?;
        if is_photo(name) && !profile.keep_person_photos {
            value = String::new();
        }
        person.fields.insert(name.to_owned(), value);
    }
    Ok(())
}

/// The capital letters of the tables, in the spelling of the samples.
fn own_spelling(name: &str) -> &str {
    match name {
        "RegisterPhotoID2" => "registerPhotoID2",
        "RegisterPhoto3" => "registerPhoto3",
        "visitorDisplayText" => "visitordisplayText",
        "visitorDisplayTextBeforeName" => "visitordisplayTextBeforeName",
        other => other,
    }
}

fn is_photo(name: &str) -> bool {
    matches!(name, "registerPhoto1" | "registerPhoto2" | "registerPhoto3")
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Ok(());
    }
    if is_photo(name) {
        let is_jpeg = base64_simd::STANDARD
            .decode_to_vec(value)
            .is_ok_and(|bytes| bytes.starts_with(&[0xff, 0xd8, 0xff]));
        return if is_jpeg {
            Ok(())
        } else {
            Err("303".to_owned())
        };
    }
    let fine = match name {
        "validDateStart" | "validDateEnd" => is_date(value),
        "priority" => matches!(value, "0" | "1" | "2"),
        "registerPhotoID1" | "registerPhotoID2" | "registerPhotoID3" => {
            value.len() == 6 && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        "passTime1" | "passTime2" | "passTime3" | "passTime4" | "passTime5" | "passTime6"
        | "passTime7" => is_day_plan(value),
        "voiceSpecialMode" | "displaySpecialMode" => {
            matches!(value, "0" | "1" | "2" | "3" | "4" | "5")
        }
        _ => true,
    };
    if fine { Ok(()) } else { Err("300".to_owned()) }
}

/// `2019_08_09` or `2019_8_9`.
fn is_date(value: &str) -> bool {
    let parts: Vec<Option<u32>> = value.split('_').map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [Some(year), Some(month), Some(day)] => i32::try_from(*year)
            .ok()
            .and_then(|year| chrono::NaiveDate::from_ymd_opt(year, *month, *day))
            .is_some(),
        _ => false,
    }
}

/// `06_00,09_00,18_00,21_00`: up to five pairs.
fn is_day_plan(value: &str) -> bool {
    let is_time = |text: &str| {
        text.split_once('_').is_some_and(|(hour, minute)| {
            hour.parse::<u8>().is_ok_and(|hour| hour < 24)
                && minute.parse::<u8>().is_ok_and(|minute| minute < 60)
        })
    };
    let times: Vec<&str> = value.split(',').collect();
    times.len().is_multiple_of(2) && times.len() <= 10 && times.into_iter().all(is_time)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn item(operation: &str, id: &str) -> Value {
        let photo = base64_simd::STANDARD.encode_to_string(crate::photo::jpeg(2, 1));
        serde_json::json!({
            "operateType": operation, "idNumber": id, "name": "张三", "sex": "男",
            "birthday": "1997年4月3日", "phone": "18868681819", "validDateStart": "2019_08_09",
            "validDateEnd": "2029_08_09", "priority": 0, "registerPhoto1": photo,
            "registerPhotoID1": "654321", "visitorDisplayText": "欢迎",
            "passTime1": "06_00,09_00,18_00,21_00"
        })
    }

    fn apply(persons: &mut Persons, items: &[Value]) -> Result<(), String> {
        let mut profile = TerminalProfile::new("ws://localhost/", "1");
        profile
            .person_errors
            .insert("9".to_owned(), "301".to_owned());
        let body = serde_json::json!({
            "personInfoCount": items.len().to_string(), "personInfoData": items
        });
        let rules = Rules {
            profile: &profile,
            capacity: 2,
        };
        register(persons, rules, body.as_object().unwrap())
    }

    #[test]
    fn add_modify_delete_and_delete_all() {
        let mut persons = Persons::new();
        apply(&mut persons, &[item("0", "2001")]).unwrap();
        assert_eq!(persons["2001"].field("visitordisplayText"), "欢迎");
        let change = serde_json::json!({"operateType": "1", "idNumber": "2001", "name": "李四"});
        apply(&mut persons, &[change]).unwrap();
        assert_eq!(persons["2001"].field("name"), "李四");
        assert_eq!(
            persons["2001"].field("phone"),
            "18868681819",
            "a change keeps the rest"
        );
        apply(&mut persons, &[item("0", "2002")]).unwrap();
        let delete = |id| serde_json::json!({"operateType": "2", "idNumber": id});
        apply(&mut persons, &[delete("2001"), delete("7777")]).unwrap();
        assert_eq!(persons.len(), 1);
        apply(
            &mut persons,
            &[serde_json::json!({"operateType": "3", "idNumber": ""})],
        )
        .unwrap();
        assert!(persons.is_empty());
    }

    #[test]
    fn every_error_code() {
        let refused = |key: &str, value: Value| {
            let mut faulty = item("0", "2001");
            faulty[key] = value;
            apply(&mut Persons::new(), &[faulty]).unwrap_err()
        };
        assert_eq!(refused("idNumber", "0".into()), "300");
        assert_eq!(refused("operateType", "7".into()), "300");
        assert_eq!(refused("validDateStart", "2019-08-09".into()), "300");
        assert_eq!(refused("validDateEnd", "2019_02_30".into()), "300");
        assert_eq!(refused("priority", 3.into()), "300");
        assert_eq!(refused("passTime1", "06:00-09:00".into()), "300");
        assert_eq!(refused("registerPhotoID1", "abcdef".into()), "300");
        assert_eq!(refused("registerPhoto1", "".into()), "300");
        assert_eq!(refused("registerPhoto1", "aGVsbG8=".into()), "303");
        assert_eq!(
            refused("registerPhoto1", "data:image/jpeg;base64,/9j/".into()),
            "303"
        );
        assert_eq!(
            apply(&mut Persons::new(), &[item("0", "9")]).unwrap_err(),
            "301"
        );
        let three = [item("0", "1"), item("0", "2"), item("0", "3")];
        let mut persons = Persons::new();
        assert_eq!(apply(&mut persons, &three).unwrap_err(), "302");
        assert_eq!(persons.len(), 2);
    }
}
