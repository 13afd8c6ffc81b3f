//! Rows of `directory.visits`.

use chrono::{DateTime, Utc};
use gatehouse_domain::{GroupId, PersonId, VisitId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// A visit, with the names of those who meet.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) person_name: String,
    pub(super) host_id: Option<Uuid>,
    pub(super) host_name: Option<String>,
    pub(super) reason: String,
    pub(super) firm: String,
    pub(super) number_plate: String,
    pub(super) vip: bool,
    pub(super) group_ids: Option<Vec<Uuid>>,
    pub(super) in_force: bool,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

/// What is selected of the visits `v`, with their persons `p` and `h`.
pub(super) const COLUMNS: &str = "
  v.id, v.person_id, p.name as person_name, v.host_id, h.name as host_name, v.reason, v.firm,
  v.number_plate, v.vip, v.group_ids, v.in_force, v.starts_at, v.ends_at, v.cancelled_at,
  v.created_at, v.updated_at, v.version";

/// The persons of the visits `v`.
pub(super) const PERSONS: &str = "
  join directory.persons p on p.tenant_id = v.tenant_id and p.id = v.person_id
  left join directory.persons h on h.tenant_id = v.tenant_id and h.id = v.host_id";

pub(super) async fn read(tx: &TenantTx, id: VisitId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!(
            "select {COLUMNS} from directory.visits v {PERSONS} where v.tenant_id = $1 and v.id = $2"
        ),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// A visit as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) host_id: Option<PersonId>,
    pub(super) reason: String,
    pub(super) firm: String,
    pub(super) number_plate: String,
    pub(super) vip: bool,
    pub(super) group_ids: Option<Vec<GroupId>>,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

impl Content {
    /// As parameters 3 to 10.
    fn values(self) -> [sea_orm::Value; 8] {
        let Self {
            host_id,
            reason,
            firm,
            number_plate,
            vip,
            group_ids,
            starts_at,
            ends_at,
        } = self;
        let group_ids: Option<Vec<Uuid>> =
            group_ids.map(|ids| ids.into_iter().map(GroupId::uuid).collect());
        [
            host_id.map(PersonId::uuid).into(),
            reason.into(),
            firm.into(),
            number_plate.into(),
            vip.into(),
            group_ids.into(),
            starts_at.into(),
            ends_at.into(),
        ]
    }
}

pub(super) async fn insert(
    tx: &TenantTx,
    id: VisitId,
    person: PersonId,
    new: Content,
) -> Result<(), DbError> {
    let keys = [tx.tenant_uuid().into(), id.uuid().into()];
    let values = keys
        .into_iter()
        .chain(new.values())
        .chain([person.uuid().into()]);
    tx.conn()
        .execute_raw(sql(
            "insert into directory.visits (tenant_id, id, host_id, reason, firm, number_plate, vip, group_ids,
                                           starts_at, ends_at, person_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values,
        ))
        .await?;
    Ok(())
}

/// Writes what a visit becomes, with the next version.
pub(super) async fn update(tx: &TenantTx, id: VisitId, new: Content) -> Result<(), DbError> {
    let keys = [tx.tenant_uuid().into(), id.uuid().into()];
    tx.conn()
        .execute_raw(sql(
            "update directory.visits
                set host_id = $3, reason = $4, firm = $5, number_plate = $6, vip = $7, group_ids = $8,
                    starts_at = $9, ends_at = $10, updated_at = now(), version = version + 1
              where tenant_id = $1 and id = $2",
            keys.into_iter().chain(new.values()),
        ))
        .await?;
    Ok(())
}

pub(super) async fn cancel(tx: &TenantTx, id: VisitId, now: DateTime<Utc>) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.visits
                set cancelled_at = $3, in_force = false, updated_at = $3, version = version + 1
              where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into(), now.into()],
        ))
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Id {
    id: Uuid,
}

/// Another visit of the person that is not cancelled and meets this window.
pub(super) async fn overlapping(
    tx: &TenantTx,
    person: PersonId,
    but: Option<VisitId>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
) -> Result<Option<VisitId>, DbError> {
    let statement = sql(
        "select id from directory.visits
          where tenant_id = $1 and person_id = $2 and cancelled_at is null
            and starts_at < $4 and ends_at > $3 and id is distinct from $5 limit 1",
        [
            tx.tenant_uuid().into(),
            person.uuid().into(),
            starts_at.into(),
            ends_at.into(),
            but.map(VisitId::uuid).into(),
        ],
    );
    let row = Id::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.map(|row| VisitId::from_uuid(row.id)))
}

/// A visit that is to be in force.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct First {
    pub(super) id: Uuid,
    pub(super) vip: bool,
    pub(super) group_ids: Option<Vec<Uuid>>,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

/// Of the person's visits that are still to end, the first.
pub(super) async fn first_to_end(
    tx: &TenantTx,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Option<First>, DbError> {
    let statement = sql(
        "select id, vip, group_ids, starts_at, ends_at from directory.visits
          where tenant_id = $1 and person_id = $2 and cancelled_at is null and ends_at > $3
          order by starts_at limit 1",
        [tx.tenant_uuid().into(), person.uuid().into(), now.into()],
    );
    Ok(First::find_by_statement(statement).one(tx.conn()).await?)
}

/// Marks which of the person's visits that are still to end is in force.
pub(super) async fn mark(
    tx: &TenantTx,
    person: PersonId,
    in_force: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.visits set in_force = not in_force
              where tenant_id = $1 and person_id = $2 and cancelled_at is null and ends_at > $3
                and in_force = (id is distinct from $4)",
            [
                tx.tenant_uuid().into(),
                person.uuid().into(),
                now.into(),
                in_force.into(),
            ],
        ))
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Type {
    kind: String,
}

/// The type of a person, where there is one.
pub(super) async fn type_of(tx: &TenantTx, person: PersonId) -> Result<Option<String>, DbError> {
    let statement = sql(
        "select type as kind from directory.persons where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), person.uuid().into()],
    );
    let row = Type::find_by_statement(statement).one(tx.conn()).await?;
    Ok(row.map(|row| row.kind))
}

/// Of these groups, those that are for visitors.
pub(super) async fn visitor_groups(
    tx: &TenantTx,
    groups: &[GroupId],
) -> Result<Vec<GroupId>, DbError> {
    let wanted: Vec<Uuid> = groups.iter().map(|id| id.uuid()).collect();
    let statement = sql(
        "select id from directory.groups where tenant_id = $1 and id = any($2) and type = 'visitor'",
        [tx.tenant_uuid().into(), wanted.into()],
    );
    let rows = Id::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| GroupId::from_uuid(row.id))
        .collect())
}

/// What speaks against letting a person in anywhere.
#[derive(Debug, Clone, Copy, FromQueryResult)]
pub(super) struct Standing {
    /// Switched off, or with priority `never`.
    pub(super) disabled: bool,
    pub(super) blocklisted: bool,
}

pub(super) async fn standing(tx: &TenantTx, person: Uuid) -> Result<Option<Standing>, DbError> {
    let statement = sql(
        "select p.disabled_at is not null or p.priority = 'never' as disabled,
                p.type = 'blocklist' or exists (
                  select from directory.group_members m
                    join directory.groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
                   where m.tenant_id = p.tenant_id and m.person_id = p.id and g.type = 'blocklist') as blocklisted
           from directory.persons p where p.tenant_id = $1 and p.id = $2",
        [tx.tenant_uuid().into(), person.into()],
    );
    Ok(Standing::find_by_statement(statement)
        .one(tx.conn())
        .await?)
}
