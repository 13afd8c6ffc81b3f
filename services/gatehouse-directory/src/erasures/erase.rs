//! What happens when a person is erased, from top to bottom.
//!
//! Everything of the directory goes in one transaction with the receipt and the event; pictures go
//! after the commit, because an object store takes no part in transactions: until they are gone the
//! receipt holds their keys.

use super::store::{self, Place};
use crate::access_changes::{self, Scope};
use crate::{audit, jobs, photos};
use chrono::{DateTime, Utc};
use gatehouse_contracts::{PersonErased, RecordsFate};
use gatehouse_domain::{ErasureId, PersonId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem};
use gatehouse_platform::outbox;
use serde_json::json;
use uuid::Uuid;

/// Erases a person; the receipt.
pub(super) async fn erase(
    tx: &TenantTx,
    person: PersonId,
    records: RecordsFate,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<ErasureId> {
    // 1. Hold the person, so that nothing is added to somebody who goes.
    let held = store::hold(tx, person)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    if_match.check(held.version)?;

    // 2. Which pictures there are, and which terminals may hold the person.
    let photo_hashes = store::photo_hashes(tx, person).await?;
    let terminals = store::terminals_of(tx, person).await?;

    // 3. The receipt, with a place for each that must confirm.
    let erasure = ErasureId::from_uuid(Uuid::now_v7());
    store::insert(
        tx,
        erasure,
        person,
        held.number,
        fate_word(records),
        &photo_hashes,
    )
    .await?;
    let mut places = vec![
        Place::done(
            "directory",
            "Profile, cards, groups and visits were deleted.",
        ),
        if photo_hashes.is_empty() {
            Place::done("photos", "There was no picture.")
        } else {
            Place::pending("photos", "Pictures are being deleted.")
        },
        Place::pending("records", "Records are being looked for."),
        Place::pending("punches", "Punches are being looked for."),
    ];
    places.push(match jobs::kept_until(tx).await? {
        None => Place::done("job_files", "No file of an import or an export was kept."),
        Some(until) => Place::pending("job_files", &files_until(until)),
    });
    if terminals.is_empty() {
        places.push(Place::pending(
            "terminals",
            "Terminals are being looked for.",
        ));
    }
    places.extend(terminals.into_iter().map(Place::terminal));
    store::insert_places(tx, erasure, &places).await?;

    // 4. What terminals are to forget, before the person's groups are gone.
    access_changes::note(tx, "person.erased", Scope::Persons(&[person])).await?;

    for hash in &photo_hashes {
        photos::may_be_loose(tx, &hex::decode(hash).unwrap_or_default()).await?;
    }

    // 5. The rows, and what answers and reports remember of them.
    store::delete(tx, person, held.code.as_deref()).await?;

    // 6. Tell whoever else holds something, and the trail: ids, no names.
    let erased = PersonErased {
        erasure_id: erasure,
        person_id: person,
        person_number: held.number.to_string(),
        records,
    };
    outbox::publish(tx, DIRECTORY, erased).await?;
    let deed = Deed {
        action: "person.erased",
        subject_kind: "person",
        subject_id: person.to_string(),
        detail: json!({"erasure_id": erasure, "records": fate_word(records)}),
        request_id: Some(request_id),
    };
    audit::enter(tx, deed).await?;
    Ok(erasure)
}

fn files_until(until: DateTime<Utc>) -> String {
    format!(
        "Files of imports and exports that were made before may name the person. \
         They are deleted 7 days after their job has ended, the last about {}.",
        until.format("%Y-%m-%dT%H:%M:%SZ")
    )
}

/// The word in the receipt's row, the same as in the query.
pub(super) const fn fate_word(fate: RecordsFate) -> &'static str {
    match fate {
        RecordsFate::Delete => "delete",
        RecordsFate::Pseudonymise => "pseudonymise",
    }
}
