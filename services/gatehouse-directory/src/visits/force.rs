//! Which of a person's visits is in force, and what that means for the person: the validity is the
//! visit's window, the priority follows whether it is a VIP's, and the visitor groups are the visit's.

use super::store::{self, First};
use crate::groups;
use crate::persons::{self, Given};
use chrono::{DateTime, SubsecRound, Utc};
use gatehouse_domain::PersonId;
use gatehouse_domain::person::{PersonType, Priority};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::Answer;
use gatehouse_platform::secrets::Secrets;
use gatehouse_schema::entities::people::persons::Model;

/// Brings the first visit that is still to end into force. The person's row must be held. The answer
/// is whether terminals must learn of it.
pub(super) async fn settle(
    tx: &TenantTx,
    secrets: &Secrets,
    person: &Model,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Answer<bool> {
    let id = PersonId::from_uuid(person.id);
    let Some(first) = store::first_to_end(tx, id, now).await? else {
        return Ok(false);
    };
    store::mark(tx, id, Some(first.id), now).await?;
    if !is_visitor(person) {
        return Ok(false);
    }
    let moved = match &first.group_ids {
        Some(groups) => groups::take_visitor_groups(tx, id, groups, request_id).await?,
        None => false,
    };
    let given = in_force(&first, &person.priority);
    let changed = persons::change(tx, secrets, id, &given, None, request_id).await?;
    Ok(moved || changed.for_terminals)
}

/// Ends the time of a person whose visit in force was cancelled, where no other visit follows.
pub(super) async fn end(
    tx: &TenantTx,
    secrets: &Secrets,
    person: &Model,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Answer<bool> {
    let id = PersonId::from_uuid(person.id);
    if store::first_to_end(tx, id, now).await?.is_some() {
        return settle(tx, secrets, person, request_id, now).await;
    }
    if !is_visitor(person) {
        return Ok(false);
    }
    let given = ended(person, now);
    let changed = persons::change(tx, secrets, id, &given, None, request_id).await?;
    Ok(changed.for_terminals)
}

/// Whoever joined the house since keeps the time that they have there.
fn is_visitor(person: &Model) -> bool {
    person.kind == PersonType::Visitor.as_str()
}

/// Whoever was said to pass at no time stays so, VIP or not.
fn priority(old: &str, vip: bool) -> Option<Priority> {
    if old == Priority::Never.as_str() {
        None
    } else if vip {
        Some(Priority::Always)
    } else {
        Some(Priority::Normal)
    }
}

fn in_force(visit: &First, old_priority: &str) -> Given {
    Given {
        priority: priority(old_priority, visit.vip),
        valid_from: Some(Some(visit.starts_at)),
        valid_to: Some(Some(visit.ends_at)),
        ..Given::default()
    }
}

fn ended(person: &Model, now: DateTime<Utc>) -> Given {
    let now = now.trunc_subsecs(0);
    let valid_to = person.valid_to.map_or(now, |to| to.min(now));
    Given {
        priority: priority(&person.priority, false),
        // A time that has not begun has nothing left.
        valid_from: Some(person.valid_from.filter(|from| *from < valid_to)),
        valid_to: Some(Some(valid_to)),
        ..Given::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_vip_passes_at_all_times_and_whoever_never_passes_does_not() {
        assert_eq!(priority("normal", true), Some(Priority::Always));
        assert_eq!(priority("always", false), Some(Priority::Normal));
        assert_eq!(priority("never", true), None);
        assert_eq!(priority("never", false), None);
    }
}
