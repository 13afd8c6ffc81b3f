//! A person as a terminal holds one, in the words of the API. Dates that read as dates are written
//! as dates; whatever does not is kept in the terminal's own words.

use chrono::NaiveDate;
use gatehouse_domain::vocabulary;
use gatehouse_proto_terminal::{Gender, PhotoField, Priority, StoredPerson};
use serde_json::{Value, json};

vocabulary! {
    /// What a terminal's `priority` means (004, 2.2.1).
    enum Standing: "standing" {
        /// May pass within the passing times.
        Scheduled = "scheduled",
        /// May not pass.
        Blocklist = "blocklist",
        /// May pass at any time.
        Vip = "vip",
    }
}

/// The person without pictures; of those, which slots hold one.
pub(crate) fn to_json(person: &StoredPerson) -> Value {
    let gender = person.gender.map(|gender| match gender {
        Gender::Male => "male",
        Gender::Female => "female",
    });
    let standing = person.priority.map(|priority| match priority {
        Priority::Scheduled => Standing::Scheduled,
        Priority::Blocklist => Standing::Blocklist,
        Priority::Vip => Standing::Vip,
    });
    let photos: Vec<Value> = person
        .photos
        .iter()
        .map(|photo| json!({ "slot": photo.slot, "number": photo.number, "held": photo.photo.is_some() }))
        .collect();
    json!({
        "index": person.index,
        "number": person.id_number,
        "name": person.name,
        "card_number": person.card_number,
        "gender": gender,
        "birthday_on": date(person.birthday_on(), person.birthday.as_deref()),
        "phone": person.phone,
        "valid_from_on": date(person.valid_from_on(), person.valid_from.as_deref()),
        "valid_to_on": date(person.valid_to_on(), person.valid_to.as_deref()),
        "priority": standing,
        "pass_times": person.pass_times,
        "photos": photos,
    })
}

/// The pictures, each with its slot.
pub(crate) fn pictures(person: &StoredPerson) -> impl Iterator<Item = (u8, &PhotoField)> {
    person
        .photos
        .iter()
        .filter_map(|photo| Some((photo.slot, photo.photo.as_ref()?)))
}

/// Notes under which key the picture of a slot is kept.
pub(crate) fn note_picture(person: &mut Value, slot: u8, key: &str) {
    let photos = person.get_mut("photos").and_then(Value::as_array_mut);
    for photo in photos
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if photo.get("slot").and_then(Value::as_u64) == Some(u64::from(slot)) {
            photo.insert("key".to_owned(), key.into());
        }
    }
}

fn date(read: Option<NaiveDate>, words: Option<&str>) -> Option<String> {
    read.map(|date| date.to_string())
        .or_else(|| words.filter(|w| !w.is_empty()).map(str::to_owned))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_proto_terminal::{Announcement, StoredPhoto};

    fn person() -> StoredPerson {
        StoredPerson {
            index: 4,
            person_num: Some(9),
            id_number: "123".into(),
            card_number: None,
            name: "王五".into(),
            gender: Some(Gender::Female),
            birthday: Some("someday".into()),
            phone: None,
            valid_from: None,
            valid_to: Some(String::new()),
            priority: Some(Priority::Vip),
            photos: vec![
                StoredPhoto {
                    slot: 1,
                    number: Some("100000".into()),
                    photo: PhotoField::new("QUJD".into()),
                },
                StoredPhoto {
                    slot: 2,
                    number: None,
                    photo: None,
                },
            ],
            voice: Announcement::default(),
            display: Announcement::default(),
            pass_times: [const { None }; 7],
        }
    }

    #[test]
    fn a_person_is_told_without_its_pictures() {
        let told = to_json(&person());
        assert_eq!(told["gender"], "female");
        assert_eq!(told["priority"], "vip");
        assert_eq!(told["birthday_on"], "someday");
        assert_eq!(told["valid_to_on"], Value::Null);
        assert_eq!(
            told["photos"][1],
            json!({ "slot": 2, "number": null, "held": false })
        );
        assert!(!told.to_string().contains("QUJD"));
    }

    #[test]
    fn a_kept_picture_is_noted_at_its_slot() {
        let mut told = to_json(&person());
        assert_eq!(
            pictures(&person())
                .map(|(slot, _)| slot)
                .collect::<Vec<_>>(),
            [1]
        );
        note_picture(&mut told, 1, "t/commands/c-1.jpg");
        assert_eq!(told["photos"][0]["key"], "t/commands/c-1.jpg");
        assert!(told["photos"][1].get("key").is_none());
    }
}
