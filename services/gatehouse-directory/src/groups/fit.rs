//! Who fits into which group, where persons join otherwise than through their groups: staff in staff
//! groups, visitors in visitor groups, anybody in blocklist groups.

use gatehouse_domain::person::PersonType;
use gatehouse_domain::{GroupId, PersonId};
use gatehouse_platform::db::{TenantTx, sql};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use sea_orm::FromQueryResult;
use uuid::Uuid;

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
    kind: String,
    person_kind: String,
    fits: bool,
}

/// Whether a person may join these groups, which keep their types until the transaction ends. The
/// person's row must be held, or new.
///
/// # Errors
/// Refusals for the field `group_ids`; the database's.
pub(crate) async fn check_joining(
    tx: &TenantTx,
    person: PersonId,
    groups: &[GroupId],
) -> Answer<()> {
    let wanted: Vec<Uuid> = groups.iter().map(|id| id.uuid()).collect();
    let statement = sql(
        "select g.id, g.type as kind, p.type as person_kind, g.type in ('blocklist', p.type) as fits
           from directory.groups g
           join directory.persons p on p.tenant_id = g.tenant_id and p.id = $2
          where g.tenant_id = $1 and g.id = any($3) order by g.id for share of g",
        [
            tx.tenant_uuid().into(),
            person.uuid().into(),
            wanted.into(),
        ],
    );
    let found = Found::find_by_statement(statement).all(tx.conn()).await?;
    for group in groups {
        let detail = match found.iter().find(|row| row.id == group.uuid()) {
            None => format!("names {group}, which there is not"),
            Some(row) if row.fits => continue,
            Some(Found {
                kind, person_kind, ..
            }) => format!(
                "names {group}, which takes persons of type {kind} and none of type {person_kind}"
            ),
        };
        return Err(Problem::invalid("/group_ids", detail));
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Id {
    id: Uuid,
}

/// Whether all groups of a person, whose row is held, take persons of this type. Whoever becomes
/// blocklisted stays where they are: their groups then say at which doors they are kept out and raise
/// an alarm.
///
/// # Errors
/// 409 where one does not; the database's.
pub(crate) async fn check_staying(tx: &TenantTx, person: PersonId, kind: &str) -> Answer<()> {
    if kind == PersonType::Blocklist.as_str() {
        return Ok(());
    }
    let statement = sql(
        "select g.id from directory.group_members m
           join directory.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
          where m.tenant_id = $1 and m.person_id = $2 and g.type not in ('blocklist', $3) limit 1",
        [tx.tenant_uuid().into(), person.uuid().into(), kind.into()],
    );
    match Id::find_by_statement(statement).one(tx.conn()).await? {
        None => Ok(()),
        Some(Id { id }) => {
            let group = GroupId::from_uuid(id);
            let detail = format!(
                "The person is in the group {group}, which takes none of type {kind}; take the person out of it first."
            );
            Err(Problem::new(ProblemCode::Conflict, detail).with_pointer("/type"))
        }
    }
}
