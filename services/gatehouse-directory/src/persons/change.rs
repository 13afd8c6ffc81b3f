//! Changing a person.

use super::create::{
    check_validity, deed, not_sealed, refuse_taken_cards, refuse_taken_ids, refused,
};
use super::given::Given;
use super::{store, terminal_hash, terms};
use crate::{audit, groups};
use chrono::Utc;
use gatehouse_domain::PersonId;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, IfMatch, Problem};
use gatehouse_platform::secrets::Secrets;
use gatehouse_schema::entities::people::persons::Model;
use serde_json::json;

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Whether anything is different from before.
    pub(crate) anything: bool,
    /// Whether terminals must learn of it: whoever called notes it for them.
    pub(crate) for_terminals: bool,
}

/// Lays what was given over a person, and enters it in the trail; where nothing is different, nothing
/// is written. After a refusal the transaction must not be committed.
///
/// # Errors
/// Those of [`create`](super::create()); 404, 412.
pub(crate) async fn change(
    tx: &TenantTx,
    secrets: &Secrets,
    id: PersonId,
    given: &Given,
    if_match: Option<IfMatch>,
    request_id: Option<&str>,
) -> Answer<Changed> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    if let Some(if_match) = if_match {
        if_match.check(old.version)?;
    }
    let mut beside = store::beside(tx, vec![old.id]).await?;
    let beside = beside.remove(&old.id).unwrap_or_default();
    let now = Utc::now();
    let mut new = old.clone();
    given.lay_over(&mut new, secrets, now).map_err(not_sealed)?;
    check_validity(&new)?;
    let cards = given.cards_over(&beside.cards);
    let external_ids = given.external_ids_over(&beside.external_ids);
    let mut changed = differences(&old, &new);
    if cards != beside.cards {
        changed.push("cards");
        let taken = store::put_cards(tx, old.id, &cards).await?;
        refuse_taken_cards(&cards, &taken)?;
    }
    if external_ids != beside.external_ids {
        changed.push("external_ids");
        let taken = store::put_external_ids(tx, old.id, &external_ids).await?;
        refuse_taken_ids(&external_ids, &taken)?;
    }
    if changed.is_empty() {
        return Ok(Changed {
            anything: false,
            for_terminals: false,
        });
    }
    if new.name != old.name {
        store::put_terms(tx, old.id, terms::of(&new.name)).await?;
    }
    if new.kind != old.kind {
        groups::check_staying(tx, id, &new.kind).await?;
    }
    let photos = store::photo_hashes(tx, old.id).await?;
    new.terminal_hash = terminal_hash::of(&new, &cards, &photos);
    new.updated_at = now;
    new.version = old.version.saturating_add(1);
    let for_terminals = concerns_terminals(&old, &new);
    let code = new.code.clone();
    store::update(tx, new)
        .await
        .map_err(|error| refused(error, code.as_deref()))?;
    let detail = json!({"changed": changed});
    audit::enter(tx, deed("person.updated", id, detail, request_id)).await?;
    Ok(Changed {
        anything: true,
        for_terminals,
    })
}

/// Whether a terminal is told something else, or somebody may pass who might not, or the reverse.
fn concerns_terminals(old: &Model, new: &Model) -> bool {
    old.terminal_hash != new.terminal_hash
        || old.kind != new.kind
        || old.priority != new.priority
        || old.disabled_at.is_some() != new.disabled_at.is_some()
        || (old.valid_from, old.valid_to) != (new.valid_from, new.valid_to)
}

/// The names of the fields that differ, as the API spells them.
fn differences(old: &Model, new: &Model) -> Vec<&'static str> {
    [
        ("name", old.name != new.name),
        ("type", old.kind != new.kind),
        ("code", old.code != new.code),
        ("gender", old.gender != new.gender),
        ("birthday", old.birthday_on != new.birthday_on),
        (
            "phone_area_code",
            old.phone_area_code != new.phone_area_code,
        ),
        ("phone", old.phone != new.phone),
        ("email", old.email != new.email),
        ("position", old.position != new.position),
        ("work_place", old.work_place != new.work_place),
        ("entry_on", old.entry_on != new.entry_on),
        ("department_id", old.department_id != new.department_id),
        (
            "id_document_number",
            old.id_document_sealed != new.id_document_sealed,
        ),
        ("pin", old.pin_sealed != new.pin_sealed),
        ("remark", old.remark != new.remark),
        ("priority", old.priority != new.priority),
        ("valid_from", old.valid_from != new.valid_from),
        ("valid_to", old.valid_to != new.valid_to),
        ("welcome_text", old.welcome_text != new.welcome_text),
        ("display_text", old.display_text != new.display_text),
        ("attributes", old.attributes != new.attributes),
        (
            "disabled",
            old.disabled_at.is_some() != new.disabled_at.is_some(),
        ),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;

    fn secrets() -> Secrets {
        Secrets::new(&SecretSettings {
            master_key: "ab".repeat(32),
            operator_key: None,
        })
        .unwrap()
    }

    fn laid_over(old: &Model, given: &Given) -> Model {
        let mut new = old.clone();
        given.lay_over(&mut new, &secrets(), Utc::now()).unwrap();
        new
    }

    #[test]
    fn the_same_again_is_no_difference() {
        let given = Given {
            pin: Some(Some("482915".into())),
            id_document_number: Some(Some("110101199003071234".into())),
            disabled: Some(true),
            ..Given::default()
        };
        let once = laid_over(&store::sample(), &given);
        assert_eq!(
            differences(&store::sample(), &once),
            ["id_document_number", "pin", "disabled"]
        );
        assert_eq!(once.id_document_hint.as_deref(), Some("**************1234"));
        let twice = laid_over(&once, &given);
        assert_eq!(differences(&once, &twice), Vec::<&str>::new());
        assert_eq!(twice, once);
        let away = Given {
            pin: Some(None),
            id_document_number: Some(None),
            disabled: Some(false),
            ..Given::default()
        };
        assert_eq!(laid_over(&twice, &away), store::sample());
    }

    #[test]
    fn terminals_learn_what_concerns_them() {
        let old = store::sample();
        let concerns = |new: Model| concerns_terminals(&old, &new);
        assert!(!concerns(old.clone()));
        assert!(!concerns(Model {
            remark: "x".into(),
            email: Some("x".into()),
            ..old.clone()
        }));
        assert!(concerns(Model {
            terminal_hash: vec![1],
            ..old.clone()
        }));
        assert!(concerns(Model {
            priority: "never".into(),
            ..old.clone()
        }));
        assert!(concerns(Model {
            disabled_at: Some(Utc::now()),
            ..old.clone()
        }));
        assert!(concerns(Model {
            valid_to: Some(Utc::now()),
            ..old.clone()
        }));
    }
}
