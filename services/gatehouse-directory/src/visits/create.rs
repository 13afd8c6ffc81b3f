//! Creating a visit, of somebody who is known or of somebody new.

use super::request::VisitRequest;
use super::store::{self, Content};
use super::{fields, force};
use crate::access_changes::{self, Scope};
use crate::audit;
use crate::persons::{self, Given, NewPerson};
use crate::reading::Reading;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use gatehouse_domain::person::{PersonType, Priority};
use gatehouse_domain::{DistributionId, GroupId, PersonId, VisitId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::Secrets;
use serde_json::{Value, json};
use uuid::Uuid;

/// Who comes.
#[derive(Debug)]
pub(super) enum Visitor {
    Known(PersonId),
    New(Box<Given>),
}

/// A visit to be made, checked.
#[derive(Debug)]
pub(super) struct NewVisit {
    visitor: Visitor,
    content: Content,
}

/// Reads a request for a visit.
pub(super) fn read(request: VisitRequest, zone: Tz, now: DateTime<Utc>) -> Answer<NewVisit> {
    let VisitRequest {
        person_id,
        person,
        host_id,
        reason,
        firm,
        number_plate,
        starts_at,
        ends_at,
        vip,
        group_ids,
    } = request;
    let mut reading = Reading::begin();
    let r = &mut reading;
    let visitor = match (person_id, person) {
        (Some(id), None) => Some(Visitor::Known(id)),
        (None, Some(new)) => Some(Visitor::New(Box::new(fields::visitor(r, new.into(), zone)))),
        (None, None) => {
            r.fault("/person_id", "or person must be given");
            None
        }
        (Some(_), Some(_)) => {
            r.fault("/person_id", "must not be given together with person");
            None
        }
    };
    let window = fields::window(r, Some(starts_at), Some(ends_at), zone);
    if let (Some(starts_at), Some(ends_at)) = window {
        fields::check_window(r, starts_at, ends_at, now);
    }
    let content = Content {
        host_id,
        reason: fields::reason(r, &reason.unwrap_or_default()),
        firm: fields::firm(r, &firm.unwrap_or_default()),
        number_plate: fields::number_plate(r, &number_plate.unwrap_or_default()),
        vip: vip.unwrap_or(false),
        group_ids: group_ids.map(|ids| fields::groups(r, ids)),
        // Where one could not be read, the reading ends in a refusal.
        starts_at: window.0.unwrap_or(now),
        ends_at: window.1.unwrap_or(now),
    };
    reading.end()?;
    let visitor = visitor.ok_or_else(|| Problem::invalid("/person_id", "must be given"))?;
    Ok(NewVisit { visitor, content })
}

/// Stores a visit and brings it into force where it is the next one, with its entries in the trail.
pub(super) async fn create(
    tx: &TenantTx,
    secrets: &Secrets,
    new: NewVisit,
    request_id: &str,
    now: DateTime<Utc>,
) -> Answer<(VisitId, Option<DistributionId>)> {
    let NewVisit { visitor, content } = new;
    check_references(tx, content.host_id, content.group_ids.as_deref()).await?;
    let person = match visitor {
        Visitor::Known(person) => person,
        Visitor::New(given) => make_visitor(tx, secrets, *given, &content, request_id).await?,
    };
    let held = persons::read_to_change(tx, person)
        .await?
        .ok_or_else(|| Problem::invalid("/person_id", "names a person that there is not"))?;
    if held.kind != PersonType::Visitor.as_str() {
        return Err(Problem::invalid(
            "/person_id",
            format!(
                "must name a person of type visitor, and this one is of type {}",
                held.kind
            ),
        ));
    }
    check_free(tx, person, None, &content).await?;
    let id = VisitId::from_uuid(Uuid::now_v7());
    let detail = json!({"person_id": person, "host_id": content.host_id, "vip": content.vip,
        "starts_at": content.starts_at, "ends_at": content.ends_at, "group_ids": content.group_ids});
    store::insert(tx, id, person, content).await?;
    audit::enter(tx, deed("visit.created", id, detail, request_id)).await?;
    let concerns = force::settle(tx, secrets, &held, Some(request_id), now).await?;
    // A new person is in no group before, and what is settled then may be nothing but groups.
    let distribution = if concerns {
        access_changes::note(tx, "visit.created", Scope::Persons(&[person])).await?
    } else {
        None
    };
    Ok((id, distribution))
}

/// The person has the visit's window from the beginning.
async fn make_visitor(
    tx: &TenantTx,
    secrets: &Secrets,
    given: Given,
    visit: &Content,
    request_id: &str,
) -> Answer<PersonId> {
    let given = Given {
        kind: Some(PersonType::Visitor),
        priority: Some(if visit.vip {
            Priority::Always
        } else {
            Priority::Normal
        }),
        valid_from: Some(Some(visit.starts_at)),
        valid_to: Some(Some(visit.ends_at)),
        ..given
    };
    let new = NewPerson {
        given,
        group_ids: Vec::new(),
    };
    persons::create(tx, secrets, new, Some(request_id))
        .await
        .map_err(|problem| match problem.pointer() {
            Some(pointer) => {
                let pointer = format!("/person{pointer}");
                problem.with_pointer(&pointer)
            }
            None => problem,
        })
}

/// Whether the host is one, and the groups are for visitors.
pub(super) async fn check_references(
    tx: &TenantTx,
    host: Option<PersonId>,
    groups: Option<&[GroupId]>,
) -> Answer<()> {
    if let Some(host) = host {
        match store::type_of(tx, host).await? {
            None => {
                let detail = "names a person that there is not";
                return Err(Problem::invalid("/host_id", detail));
            }
            Some(kind) if kind != PersonType::Staff.as_str() => {
                let detail = "must name a person of type staff";
                return Err(Problem::invalid("/host_id", detail));
            }
            Some(_) => {}
        }
    }
    let groups = groups.unwrap_or_default();
    if groups.is_empty() {
        return Ok(());
    }
    let fitting = store::visitor_groups(tx, groups).await?;
    match groups.iter().find(|group| !fitting.contains(group)) {
        None => Ok(()),
        Some(group) => Err(Problem::invalid(
            "/group_ids",
            format!("names {group}, which is no visitor group"),
        )),
    }
}

/// Whether the person, whose row is held, has no other visit at that time.
pub(super) async fn check_free(
    tx: &TenantTx,
    person: PersonId,
    but: Option<VisitId>,
    content: &Content,
) -> Answer<()> {
    let Content {
        starts_at, ends_at, ..
    } = content;
    match store::overlapping(tx, person, but, *starts_at, *ends_at).await? {
        None => Ok(()),
        Some(other) => Err(Problem::new(
            ProblemCode::Conflict,
            format!(
                "The person has another visit at that time, {other}; change or cancel that one, or choose another time."
            ),
        )
        .with_pointer("/starts_at")),
    }
}

pub(super) fn deed<'a>(
    action: &'a str,
    id: VisitId,
    detail: Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "visit",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn pointers(body: Value) -> Vec<String> {
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let request = serde_json::from_value(body).unwrap();
        match read(request, Tz::UTC, now) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                let faults = problem.detail().split("; ");
                faults
                    .filter_map(|fault| fault.split(' ').next())
                    .filter(|word| word.starts_with('/'))
                    .map(str::to_owned)
                    .collect()
            }
        }
    }

    #[test]
    fn one_visitor_is_named_and_all_faults_are_said_together() {
        let window = |mut body: Value| {
            body["starts_at"] = json!("2026-12-01T13:00:00");
            body["ends_at"] = json!("2026-12-01T14:00:00");
            body
        };
        let known = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405";
        assert!(pointers(window(json!({"person_id": known}))).is_empty());
        assert!(pointers(window(json!({"person": {"name": "李四"}}))).is_empty());
        assert_eq!(pointers(window(json!({}))), ["/person_id"]);
        let both = json!({"person_id": known, "person": {"name": "x"}});
        assert_eq!(pointers(window(both)), ["/person_id"]);
        let wrong = json!({"person": {"name": "", "phone": "x"}, "starts_at": "?", "ends_at": "2026-12-01",
            "reason": "x".repeat(201)});
        assert_eq!(
            pointers(wrong),
            ["/person/name", "/person/phone", "/starts_at", "/reason"]
        );
    }
}
