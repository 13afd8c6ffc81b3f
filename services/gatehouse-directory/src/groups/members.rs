//! Taking persons into a group and out of it, one or many in one statement each.

use super::create::deed;
use super::store::{self, Row};
use crate::access_changes::{self, Scope};
use crate::{audit, schemas};
use gatehouse_domain::{DistributionId, GroupId, PersonId, vocabulary};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem};
use sea_orm::FromQueryResult;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most persons of one call.
pub(super) const AT_ONCE: usize = 2000;
/// Persons that one entry of the trail names; more make several entries, so that each can be shown.
const NAMED_AT_ONCE: usize = 200;

vocabulary! {
    /// What came of one person in a change of a group's members.
    pub(crate) enum Outcome: "outcome" {
        /// Is a member now.
        Added = "added",
        /// Was a member before.
        Already = "already",
        /// Is no member any more.
        Removed = "removed",
        /// Was no member before.
        NotMember = "not_member",
        /// There is no such person.
        NotFound = "not_found",
        /// Is of a type that the group does not take.
        WrongType = "wrong_type",
    }
}

/// What came of one person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberOutcome {
    #[schema(value_type = String, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    person_id: PersonId,
    /// `wrong_type`: staff groups take staff and visitor groups visitors; anybody may be in a
    /// blocklist group.
    #[schema(schema_with = schemas::member_outcome)]
    outcome: Outcome,
}

/// What came of a change of a group's members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MembersChanged {
    /// What came of each person, in the order in which they were named.
    pub(super) results: Vec<MemberOutcome>,
    /// By this id the way of the change to the terminals can be followed; null where nothing changed.
    #[schema(value_type = Option<String>)]
    pub(super) distribution_id: Option<DistributionId>,
}

impl MembersChanged {
    /// The outcome, where one person was named.
    pub(super) fn only(&self) -> Option<Outcome> {
        self.results.first().map(|result| result.outcome)
    }
}

#[derive(FromQueryResult)]
struct Found {
    person_id: Uuid,
    outcome: String,
}

/// The rows of persons are held, so that nobody changes type while they are taken in; in one order, so
/// that two who add the same do not wait for one another.
const ADD: &str = "
  with named as (select id, at from unnest($3::uuid[]) with ordinality n (id, at)),
  known as materialized (
    select p.id, $4::text = 'blocklist' or p.type = $4 as fits
      from directory.persons p where p.tenant_id = $1 and p.id = any($3) order by p.id for share of p),
  added as (
    insert into directory.group_members (tenant_id, group_id, person_id)
    select $1, $2, id from known where fits order by id
    on conflict do nothing returning person_id)
  select n.id as person_id,
         case when k.id is null then 'not_found' when not k.fits then 'wrong_type'
              when a.person_id is null then 'already' else 'added' end as outcome
    from named n
    left join known k on k.id = n.id
    left join added a on a.person_id = n.id
   order by n.at";

const REMOVE: &str = "
  with named as (select id, at from unnest($3::uuid[]) with ordinality n (id, at)),
  gone as (
    delete from directory.group_members m using (
      select person_id from directory.group_members
       where tenant_id = $1 and group_id = $2 and person_id = any($3) order by person_id for update) d
     where m.tenant_id = $1 and m.group_id = $2 and m.person_id = d.person_id returning m.person_id)
  select n.id as person_id,
         case when g.person_id is not null then 'removed' when p.id is null then 'not_found'
              else 'not_member' end as outcome
    from named n
    left join gone g on g.person_id = n.id
    left join directory.persons p on p.tenant_id = $1 and p.id = n.id
   order by n.at";

/// Takes persons into a group: notes what terminals must learn, and enters it in the trail.
pub(super) async fn add(
    tx: &TenantTx,
    group: GroupId,
    persons: &[PersonId],
    request_id: &str,
) -> Answer<MembersChanged> {
    let row = held(store::read_to_add(tx, group).await?)?;
    let values = [
        tx.tenant_uuid().into(),
        group.uuid().into(),
        uuids(persons).into(),
        row.kind.into(),
    ];
    let results = results(tx, sql(ADD, values)).await?;
    note(
        tx,
        group,
        results,
        Outcome::Added,
        "group.members_added",
        request_id,
    )
    .await
}

/// Takes persons out of a group, likewise.
pub(super) async fn remove(
    tx: &TenantTx,
    group: GroupId,
    persons: &[PersonId],
    request_id: &str,
) -> Answer<MembersChanged> {
    held(store::read(tx, group).await?)?;
    let values = [
        tx.tenant_uuid().into(),
        group.uuid().into(),
        uuids(persons).into(),
    ];
    let results = results(tx, sql(REMOVE, values)).await?;
    note(
        tx,
        group,
        results,
        Outcome::Removed,
        "group.members_removed",
        request_id,
    )
    .await
}

fn held(row: Option<Row>) -> Answer<Row> {
    row.ok_or_else(|| Problem::not_found("group"))
}

fn uuids(persons: &[PersonId]) -> Vec<Uuid> {
    persons.iter().map(|id| id.uuid()).collect()
}

async fn results(
    tx: &TenantTx,
    statement: sea_orm::Statement,
) -> Result<Vec<MemberOutcome>, DbError> {
    let rows = Found::find_by_statement(statement).all(tx.conn()).await?;
    let outcomes = rows
        .into_iter()
        .map(|Found { person_id, outcome }| MemberOutcome {
            person_id: PersonId::from_uuid(person_id),
            // The statements above know no other words.
            outcome: outcome.parse().unwrap_or(Outcome::NotFound),
        });
    Ok(outcomes.collect())
}

async fn note(
    tx: &TenantTx,
    group: GroupId,
    results: Vec<MemberOutcome>,
    changed: Outcome,
    action: &str,
    request_id: &str,
) -> Answer<MembersChanged> {
    let mut persons: Vec<PersonId> = results
        .iter()
        .filter(|result| result.outcome == changed)
        .map(|result| result.person_id)
        .collect();
    // Whoever was named twice changed once.
    persons.sort_unstable();
    persons.dedup();
    let distribution_id = access_changes::note(tx, action, Scope::Persons(&persons)).await?;
    for part in persons.chunks(NAMED_AT_ONCE) {
        let detail = json!({"person_ids": part});
        audit::enter(tx, deed(action, group, detail, Some(request_id))).await?;
    }
    Ok(MembersChanged {
        results,
        distribution_id,
    })
}

/// The visitor groups of one person, whose row is held by the caller.
const TAKE_THE_PLACE: &str = "
  with wanted as materialized (
    select id from directory.groups where tenant_id = $1 and id = any($3) and type = 'visitor' order by id for share),
  gone as (
    delete from directory.group_members m using directory.groups g
     where m.tenant_id = $1 and m.person_id = $2 and not m.group_id = any($3)
       and g.tenant_id = $1 and g.id = m.group_id and g.type = 'visitor' returning m.group_id),
  added as (
    insert into directory.group_members (tenant_id, group_id, person_id) select $1, id, $2 from wanted
    on conflict do nothing returning group_id)
  select group_id, 'removed' as outcome from gone
   union all
  select group_id, 'added' from added";

#[derive(FromQueryResult)]
struct Moved {
    group_id: Uuid,
    outcome: String,
}

/// Puts a visitor, whose row is held, into these visitor groups and no others, with entries in the
/// trail; groups that are no more are left out. Whoever calls notes the change for the terminals,
/// where the answer is that there was one.
pub(crate) async fn take_visitor_groups(
    tx: &TenantTx,
    person: PersonId,
    groups: &[Uuid],
    request_id: Option<&str>,
) -> Result<bool, DbError> {
    let values = [
        tx.tenant_uuid().into(),
        person.uuid().into(),
        groups.to_vec().into(),
    ];
    let moved = Moved::find_by_statement(sql(TAKE_THE_PLACE, values))
        .all(tx.conn())
        .await?;
    for Moved { group_id, outcome } in &moved {
        let action = format!("group.members_{outcome}");
        let group = GroupId::from_uuid(*group_id);
        let detail = json!({"person_ids": [person]});
        audit::enter(tx, deed(&action, group, detail, request_id)).await?;
    }
    Ok(!moved.is_empty())
}
