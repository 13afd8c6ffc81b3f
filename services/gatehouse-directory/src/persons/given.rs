//! What was said about a person, read and checked; and how it is laid over a row.

use chrono::{DateTime, NaiveDate, Utc};
use gatehouse_domain::DepartmentId;
use gatehouse_domain::person::{Gender, PersonType, Priority};
use gatehouse_platform::secrets::{Secrets, SecretsError};
use gatehouse_schema::entities::people::persons::Model;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a PIN is sealed for.
pub(crate) const PIN: &str = "person-pin";
/// What the number of a document is sealed for.
pub(crate) const ID_DOCUMENT: &str = "person-id-document";

/// The fields that were given: an outer `None` stays as it is, an inner `None` clears.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<PersonType>,
    pub(crate) code: Option<Option<String>>,
    pub(crate) gender: Option<Gender>,
    pub(crate) birthday_on: Option<Option<NaiveDate>>,
    pub(crate) phone_area_code: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) email: Option<Option<String>>,
    pub(crate) position: Option<Option<String>>,
    pub(crate) work_place: Option<Option<String>>,
    pub(crate) entry_on: Option<Option<NaiveDate>>,
    pub(crate) department_id: Option<Option<DepartmentId>>,
    pub(crate) id_document_number: Option<Option<String>>,
    pub(crate) pin: Option<Option<String>>,
    pub(crate) remark: Option<String>,
    pub(crate) priority: Option<Priority>,
    pub(crate) valid_from: Option<Option<DateTime<Utc>>>,
    pub(crate) valid_to: Option<Option<DateTime<Utc>>>,
    pub(crate) welcome_text: Option<Option<String>>,
    pub(crate) display_text: Option<Option<String>>,
    pub(crate) cards: Option<Cards>,
    pub(crate) external_ids: Option<Members<String>>,
    pub(crate) attributes: Option<Members<Value>>,
    pub(crate) disabled: Option<bool>,
}

/// Which cards there shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cards {
    /// These, in this order.
    All(Vec<String>),
    /// The first one another, or away; the others as they are.
    First(Option<String>),
}

/// A change of an object member by member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Members<T> {
    /// Whether what is not named goes away.
    pub(crate) clear: bool,
    /// New values; `None` takes the member away.
    pub(crate) members: BTreeMap<String, Option<T>>,
}

impl<T: Clone> Members<T> {
    fn over(&self, old: impl IntoIterator<Item = (String, T)>) -> BTreeMap<String, T> {
        let mut new: BTreeMap<String, T> = if self.clear {
            BTreeMap::new()
        } else {
            old.into_iter().collect()
        };
        for (name, value) in &self.members {
            match value {
                Some(value) => drop(new.insert(name.clone(), value.clone())),
                None => drop(new.remove(name)),
            }
        }
        new
    }
}

impl Given {
    /// The cards after this change.
    pub(super) fn cards_over(&self, old: &[String]) -> Vec<String> {
        match &self.cards {
            None => old.to_vec(),
            Some(Cards::All(cards)) => cards.clone(),
            Some(Cards::First(first)) => {
                let mut cards: Vec<String> = first.iter().cloned().collect();
                // A further card that becomes the first is not there twice.
                let rest = old
                    .iter()
                    .skip(1)
                    .filter(|card| first.as_ref() != Some(card));
                cards.extend(rest.cloned());
                cards
            }
        }
    }

    /// The ids of other systems after this change.
    pub(super) fn external_ids_over(
        &self,
        old: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        match &self.external_ids {
            None => old.clone(),
            Some(change) => change.over(old.clone()),
        }
    }

    /// Lays what was given over a row. A secret that says the same as before keeps its sealed form, so
    /// that nothing seems to have changed.
    pub(super) fn lay_over(
        &self,
        row: &mut Model,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<(), SecretsError> {
        let Self {
            name,
            kind,
            code,
            gender,
            birthday_on,
            phone_area_code,
            phone,
            email,
            position,
            work_place,
            entry_on,
            department_id,
            id_document_number,
            pin,
            remark,
            priority,
            valid_from,
            valid_to,
            welcome_text,
            display_text,
            cards: _,
            external_ids: _,
            attributes,
            disabled,
        } = self;
        set(&mut row.name, name);
        set(&mut row.kind, &kind.map(|kind| kind.to_string()));
        set(&mut row.code, code);
        set(&mut row.gender, &gender.map(|gender| gender.to_string()));
        set(&mut row.birthday_on, birthday_on);
        set(&mut row.phone_area_code, phone_area_code);
        set(&mut row.phone, phone);
        set(&mut row.email, email);
        set(&mut row.position, position);
        set(&mut row.work_place, work_place);
        set(&mut row.entry_on, entry_on);
        set(
            &mut row.department_id,
            &department_id.map(|id| id.map(DepartmentId::uuid)),
        );
        set(&mut row.remark, remark);
        set(
            &mut row.priority,
            &priority.map(|priority| priority.to_string()),
        );
        set(&mut row.valid_from, valid_from);
        set(&mut row.valid_to, valid_to);
        set(&mut row.welcome_text, welcome_text);
        set(&mut row.display_text, display_text);
        if let Some(pin) = pin {
            seal(secrets, PIN, &mut row.pin_sealed, pin.as_deref())?;
        }
        if let Some(number) = id_document_number {
            let number = number.as_deref();
            seal(secrets, ID_DOCUMENT, &mut row.id_document_sealed, number)?;
            row.id_document_digest = number.map(|n| secrets.digest(ID_DOCUMENT, n.as_bytes()));
            row.id_document_hint = number.map(hint);
        }
        if let Some(change) = attributes {
            let old = row.attributes.as_object().cloned().unwrap_or_default();
            row.attributes = Value::Object(Map::from_iter(change.over(old)));
        }
        match disabled {
            Some(true) => drop(row.disabled_at.get_or_insert(now)),
            Some(false) => row.disabled_at = None,
            None => {}
        }
        Ok(())
    }
}

fn set<T: Clone>(field: &mut T, given: &Option<T>) {
    if let Some(value) = given {
        field.clone_from(value);
    }
}

fn seal(
    secrets: &Secrets,
    purpose: &str,
    field: &mut Option<Vec<u8>>,
    plain: Option<&str>,
) -> Result<(), SecretsError> {
    let old = match field {
        Some(sealed) => secrets.open(purpose, sealed).ok(),
        None => None,
    };
    match plain {
        None => *field = None,
        Some(plain) if old.as_deref() == Some(plain.as_bytes()) => {}
        Some(plain) => *field = Some(secrets.seal(purpose, plain.as_bytes())?),
    }
    Ok(())
}

/// The last characters of a number, so that somebody who has the document can compare.
fn hint(number: &str) -> String {
    let length = number.chars().count();
    let shown = match length {
        0..=3 => 0,
        4..=7 => 1,
        _ => 4,
    };
    let hidden = length.saturating_sub(shown);
    number
        .chars()
        .enumerate()
        .map(|(at, c)| if at < hidden { '*' } else { c })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn cards(old: &[&str], change: Cards) -> Vec<String> {
        let old: Vec<String> = old.iter().map(ToString::to_string).collect();
        Given {
            cards: Some(change),
            ..Given::default()
        }
        .cards_over(&old)
    }

    #[test]
    fn the_first_card_changes_by_itself() {
        let some = |card: &str| Some(card.to_owned());
        assert_eq!(cards(&[], Cards::First(some("1"))), ["1"]);
        assert_eq!(cards(&["1", "2"], Cards::First(some("3"))), ["3", "2"]);
        assert_eq!(cards(&["1", "2"], Cards::First(some("2"))), ["2"]);
        assert_eq!(cards(&["1", "2"], Cards::First(None)), ["2"]);
        assert_eq!(cards(&["1"], Cards::All(vec![])), Vec::<String>::new());
        assert_eq!(Given::default().cards_over(&["1".to_owned()]), ["1"]);
    }

    #[test]
    fn members_change_one_by_one() {
        let old = || BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let members = BTreeMap::from([("a".to_owned(), None), ("c".to_owned(), Some(3))]);
        let change = Members {
            clear: false,
            members,
        };
        assert_eq!(
            change.over(old()),
            BTreeMap::from([("b".to_owned(), 2), ("c".to_owned(), 3)])
        );
        let change = Members {
            clear: true,
            members: BTreeMap::<String, Option<i32>>::new(),
        };
        assert!(change.over(old()).is_empty());
    }

    #[test]
    fn a_hint_shows_the_end_alone() {
        assert_eq!(hint("110101199003071234"), "**************1234");
        assert_eq!(hint("E1234567"), "****4567");
        assert_eq!(hint("1234567"), "******7");
        assert_eq!(hint("12"), "**");
    }
}
