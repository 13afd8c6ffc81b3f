//! Creating a person.

use super::fields;
use super::given::Given;
use super::request::PersonRequest;
use super::{store, terminal_hash, terms};
use crate::reading::Reading;
use crate::{audit, groups};
use chrono::Utc;
use chrono_tz::Tz;
use gatehouse_domain::person::{Gender, PersonType, Priority};
use gatehouse_domain::{GroupId, PersonId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::{Secrets, SecretsError};
use gatehouse_schema::entities::people::persons::Model;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most groups that a person is put into on creation.
const GROUPS_MAX: usize = 50;

/// A person to be made, checked. The name must have been given.
#[derive(Debug, Clone)]
pub(crate) struct NewPerson {
    pub(crate) given: Given,
    pub(crate) group_ids: Vec<GroupId>,
}

/// Reads a request for a person.
pub(super) fn read(request: PersonRequest, zone: Tz) -> Answer<NewPerson> {
    let mut reading = Reading::begin();
    let mut group_ids = request.group_ids.clone().unwrap_or_default();
    if group_ids.len() > GROUPS_MAX {
        reading.fault(
            "/group_ids",
            format!("must have at most {GROUPS_MAX} entries"),
        );
    }
    group_ids.sort_unstable();
    group_ids.dedup();
    let given = fields::read(&mut reading, request.into(), zone);
    reading.end()?;
    Ok(NewPerson { given, group_ids })
}

/// Stores a person with their cards, ids, terms and groups, and enters it in the trail. Whoever calls
/// notes the change for the terminals, where the person is in a group. After a refusal the
/// transaction must not be committed.
///
/// # Errors
/// Refusals that name the field: a code, card or id that another person has, a department or group
/// that there is not; the database's.
pub(crate) async fn create(
    tx: &TenantTx,
    secrets: &Secrets,
    new: NewPerson,
    request_id: Option<&str>,
) -> Answer<PersonId> {
    let NewPerson { given, group_ids } = new;
    let mut row = blank(tx.tenant_uuid(), Uuid::now_v7());
    let now = row.created_at;
    given.lay_over(&mut row, secrets, now).map_err(not_sealed)?;
    check_validity(&row)?;
    let cards = given.cards_over(&[]);
    let external_ids = given.external_ids_over(&BTreeMap::new());
    row.terminal_hash = terminal_hash::of(&row, &cards, &[]);
    let (uuid, id) = (row.id, PersonId::from_uuid(row.id));
    let (code, terms) = (row.code.clone(), terms::of(&row.name));
    let kind = row.kind.clone();
    store::insert(tx, row)
        .await
        .map_err(|error| refused(error, code.as_deref()))?;
    store::insert_terms(tx, uuid, terms).await?;
    if !cards.is_empty() {
        let taken = store::put_cards(tx, uuid, &cards).await?;
        refuse_taken_cards(&cards, &taken)?;
    }
    if !external_ids.is_empty() {
        let taken = store::put_external_ids(tx, uuid, &external_ids).await?;
        refuse_taken_ids(&external_ids, &taken)?;
    }
    if !group_ids.is_empty() {
        groups::check_joining(tx, id, &group_ids).await?;
        store::join_groups(tx, uuid, &group_ids).await?;
    }
    let detail = json!({"type": kind, "groups": group_ids.len()});
    audit::enter(tx, deed("person.created", id, detail, request_id)).await?;
    Ok(id)
}

fn blank(tenant_id: Uuid, id: Uuid) -> Model {
    let now = Utc::now();
    Model {
        tenant_id,
        id,
        number: 0,
        kind: PersonType::Staff.to_string(),
        name: String::new(),
        code: None,
        gender: Gender::Unknown.to_string(),
        birthday_on: None,
        phone_area_code: None,
        phone: None,
        email: None,
        position: None,
        work_place: None,
        entry_on: None,
        department_id: None,
        id_document_sealed: None,
        id_document_digest: None,
        id_document_hint: None,
        pin_sealed: None,
        remark: String::new(),
        priority: Priority::Normal.to_string(),
        valid_from: None,
        valid_to: None,
        welcome_text: None,
        display_text: None,
        attributes: json!({}),
        disabled_at: None,
        photo_count: 0,
        terminal_hash: Vec::new(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Whether the validity begins before it ends.
pub(super) fn check_validity(row: &Model) -> Answer<()> {
    match (row.valid_from, row.valid_to) {
        (Some(from), Some(to)) if from >= to => Err(Problem::invalid(
            "/valid_to",
            "must be later than valid_from",
        )),
        (_, _) => Ok(()),
    }
}

/// What a constraint of the row means for the caller.
pub(super) fn refused(error: DbError, code: Option<&str>) -> Problem {
    if error.is_duplicate_of("persons_tenant_id_code_key") {
        let code = code.unwrap_or_default();
        let detail = format!(
            "A person with the code {code} exists; change that one instead, or choose another code."
        );
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/code");
    }
    if matches!(&error, DbError::Dangling { constraint } if constraint.contains("department_id")) {
        return Problem::invalid("/department_id", "names a department that there is not");
    }
    error.into()
}

/// Cards that are in another hand.
pub(super) fn refuse_taken_cards(cards: &[String], taken: &[String]) -> Answer<()> {
    let Some(card) = taken.first() else {
        return Ok(());
    };
    let pointer = match cards.iter().position(|c| c == card) {
        None | Some(0) => "/card_no".to_owned(),
        Some(index) => format!("/cards/{index}"),
    };
    let detail = format!("The card {card} belongs to another person; take it from them first.");
    Err(Problem::new(ProblemCode::AlreadyExists, detail).with_pointer(&pointer))
}

/// Ids that another person has.
pub(super) fn refuse_taken_ids(ids: &BTreeMap<String, String>, taken: &[String]) -> Answer<()> {
    let Some(system) = taken.first() else {
        return Ok(());
    };
    let id = ids.get(system).map(String::as_str).unwrap_or_default();
    let detail = format!("Another person has the id {id} of {system}; change that one instead.");
    let pointer = format!("/external_ids/{system}");
    Err(Problem::new(ProblemCode::AlreadyExists, detail).with_pointer(&pointer))
}

pub(super) fn not_sealed(error: SecretsError) -> Problem {
    tracing::error!(%error, "a secret of a person could not be sealed");
    Problem::new(
        ProblemCode::Internal,
        "An internal error; it is logged under this request's id.",
    )
}

pub(crate) fn deed<'a>(
    action: &'a str,
    id: PersonId,
    detail: Value,
    request_id: Option<&'a str>,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "person",
        subject_id: id.to_string(),
        detail,
        request_id,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_named_by_its_field() {
        let cards = ["1".to_owned(), "2".to_owned()];
        assert!(refuse_taken_cards(&cards, &[]).is_ok());
        for (card, pointer) in [("1", "/card_no"), ("2", "/cards/1")] {
            let problem = refuse_taken_cards(&cards, &[card.to_owned()]).unwrap_err();
            assert_eq!(problem.pointer(), Some(pointer));
            assert_eq!(problem.code(), ProblemCode::AlreadyExists);
        }
        let ids = BTreeMap::from([("hongtu".to_owned(), "x".to_owned())]);
        let problem = refuse_taken_ids(&ids, &["hongtu".to_owned()]).unwrap_err();
        assert_eq!(problem.pointer(), Some("/external_ids/hongtu"));
    }

    #[test]
    fn a_validity_that_ends_before_it_begins_is_refused() {
        let mut row = blank(Uuid::nil(), Uuid::nil());
        row.valid_to = Some(row.created_at);
        assert!(check_validity(&row).is_ok());
        row.valid_from = row.valid_to;
        assert!(check_validity(&row).is_err());
    }
}
