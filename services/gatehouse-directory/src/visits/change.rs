//! Changing a visit that has not ended.

use super::create::{check_free, check_references, deed};
use super::request::VisitPatch;
use super::store::{self, Content, Row};
use super::view::State;
use super::{fields, force};
use crate::access_changes::{self, Scope};
use crate::reading::Reading;
use crate::{audit, persons, tenants};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use gatehouse_domain::{DistributionId, GroupId, PersonId, VisitId};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, IfMatch, Problem, ProblemCode};
use gatehouse_platform::secrets::Secrets;
use gatehouse_schema::entities::people::persons::Model;
use serde_json::json;

/// Reads a visit with its person's row held, so that nothing of the person's visits changes until the
/// transaction ends.
pub(super) async fn read_to_change(tx: &TenantTx, id: VisitId) -> Answer<(Row, Model)> {
    let missing = || Problem::not_found("visit");
    let row = store::read(tx, id).await?.ok_or_else(missing)?;
    let person = persons::read_to_change(tx, PersonId::from_uuid(row.person_id))
        .await?
        .ok_or_else(missing)?;
    // What was read before the row was held may be old.
    let row = store::read(tx, id).await?.ok_or_else(missing)?;
    Ok((row, person))
}

/// Refuses what is over.
pub(super) fn refuse_over(state: State) -> Answer<()> {
    let detail = match state {
        State::Expected | State::Current => return Ok(()),
        State::Ended => "The visit has ended; make a new one.",
        State::Cancelled => "The visit was cancelled; make a new one.",
    };
    Err(Problem::new(ProblemCode::Conflict, detail))
}

/// Changes a visit, with its entries in the trail.
pub(super) async fn change(
    tx: &TenantTx,
    secrets: &Secrets,
    id: VisitId,
    patch: VisitPatch,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<Option<DistributionId>> {
    let (row, person) = read_to_change(tx, id).await?;
    let now = Utc::now();
    if_match.check(row.version)?;
    refuse_over(row.state(now))?;
    let old = content(row);
    let new = read(patch, &old, tenants::zone(tx).await?, now)?;
    let changed = differences(&old, &new);
    if changed.is_empty() {
        return Ok(None);
    }
    let host = new.host_id.filter(|host| old.host_id != Some(*host));
    let groups = new
        .group_ids
        .as_deref()
        .filter(|_| changed.contains(&"group_ids"));
    check_references(tx, host, groups).await?;
    let visitor = PersonId::from_uuid(person.id);
    check_free(tx, visitor, Some(id), &new).await?;
    let detail = json!({"changed": changed, "host_id": new.host_id, "vip": new.vip,
        "starts_at": new.starts_at, "ends_at": new.ends_at, "group_ids": new.group_ids});
    store::update(tx, id, new).await?;
    audit::enter(tx, deed("visit.updated", id, detail, request_id)).await?;
    if force::settle(tx, secrets, &person, Some(request_id), now).await? {
        Ok(access_changes::note(tx, "visit.updated", Scope::Persons(&[visitor])).await?)
    } else {
        Ok(None)
    }
}

fn content(row: Row) -> Content {
    Content {
        host_id: row.host_id.map(PersonId::from_uuid),
        reason: row.reason,
        firm: row.firm,
        number_plate: row.number_plate,
        vip: row.vip,
        group_ids: row
            .group_ids
            .map(|ids| ids.into_iter().map(GroupId::from_uuid).collect()),
        starts_at: row.starts_at,
        ends_at: row.ends_at,
    }
}

fn read(patch: VisitPatch, old: &Content, zone: Tz, now: DateTime<Utc>) -> Answer<Content> {
    let VisitPatch {
        host_id,
        reason,
        firm,
        number_plate,
        starts_at,
        ends_at,
        vip,
        group_ids,
    } = patch;
    let mut reading = Reading::begin();
    let r = &mut reading;
    let mut new = old.clone();
    if let Some(host_id) = host_id {
        new.host_id = host_id;
    }
    if let Some(text) = reason {
        new.reason = fields::reason(r, &text);
    }
    if let Some(text) = firm {
        new.firm = fields::firm(r, &text);
    }
    if let Some(text) = number_plate {
        new.number_plate = fields::number_plate(r, &text);
    }
    if let Some(vip) = vip {
        new.vip = vip;
    }
    if let Some(group_ids) = group_ids {
        new.group_ids = group_ids.map(|ids| fields::groups(r, ids));
    }
    let (starts_at, ends_at) = fields::window(r, starts_at, ends_at, zone);
    if starts_at.is_some() || ends_at.is_some() {
        new.starts_at = starts_at.unwrap_or(old.starts_at);
        new.ends_at = ends_at.unwrap_or(old.ends_at);
        fields::check_window(r, new.starts_at, new.ends_at, now);
    }
    reading.end()?;
    Ok(new)
}

/// The names of the fields that differ, as the API spells them.
fn differences(old: &Content, new: &Content) -> Vec<&'static str> {
    [
        ("host_id", old.host_id != new.host_id),
        ("reason", old.reason != new.reason),
        ("firm", old.firm != new.firm),
        ("number_plate", old.number_plate != new.number_plate),
        ("vip", old.vip != new.vip),
        ("group_ids", old.group_ids != new.group_ids),
        ("starts_at", old.starts_at != new.starts_at),
        ("ends_at", old.ends_at != new.ends_at),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::Value;

    fn old() -> Content {
        Content {
            host_id: None,
            reason: "Audit".into(),
            firm: String::new(),
            number_plate: String::new(),
            vip: false,
            group_ids: Some(Vec::new()),
            starts_at: "2026-12-01T08:00:00Z".parse().unwrap(),
            ends_at: "2026-12-01T18:00:00Z".parse().unwrap(),
        }
    }

    fn changed(body: Value) -> Option<Vec<&'static str>> {
        let patch = serde_json::from_value(body).unwrap();
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let new = read(patch, &old(), Tz::UTC, now).ok()?;
        Some(differences(&old(), &new))
    }

    #[test]
    fn a_visit_changes_where_something_is_said() {
        assert_eq!(changed(json!({})), Some(vec![]));
        assert_eq!(changed(json!({"reason": "Audit"})), Some(vec![]));
        assert_eq!(changed(json!({"group_ids": null})), Some(vec!["group_ids"]));
        assert_eq!(
            changed(json!({"ends_at": "2026-12-01T19:00:00", "vip": true})),
            Some(vec!["vip", "ends_at"])
        );
        assert_eq!(changed(json!({"ends_at": "2026-12-01T11:00:00"})), None);
        assert_eq!(changed(json!({"starts_at": "2026-12-01T18:00:00"})), None);
        assert_eq!(changed(json!({"starts_at": " "})), None);
    }

    #[test]
    fn what_is_over_does_not_change() {
        assert!(refuse_over(State::Expected).is_ok());
        assert!(refuse_over(State::Current).is_ok());
        assert!(refuse_over(State::Ended).is_err());
        assert!(refuse_over(State::Cancelled).is_err());
    }
}
