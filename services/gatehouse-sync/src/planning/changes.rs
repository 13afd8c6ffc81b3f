//! What waits to be planned: the directory's notes (`directory.access_changes`) for which no
//! distribution stands yet.

use chrono::{DateTime, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// Notes that are planned together at most.
const NOTES_AT_ONCE: i64 = 1000;
/// Persons of notes that are planned together; a single note may name more.
const PERSONS_AT_ONCE: usize = 20_000;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub(super) struct Change {
    /// Its id, and the distribution's.
    pub(super) id: Uuid,
    /// A word of the directory, for example `person.updated`.
    pub(super) reason: String,
    device_ids: Option<Vec<Uuid>>,
    person_ids: Option<Vec<Uuid>>,
}

/// Whose assignments are planned again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// All devices of the tenant.
    pub(super) everything: bool,
    /// Everybody on these devices.
    pub(super) devices: Vec<Uuid>,
    /// These persons on whatever device.
    pub(super) persons: Vec<Uuid>,
}

impl Scope {
    /// Of one device.
    pub(super) fn device(device: Uuid) -> Self {
        Self {
            devices: vec![device],
            ..Self::default()
        }
    }

    /// Of some persons.
    pub(super) fn persons(persons: Vec<Uuid>) -> Self {
        Self {
            persons,
            ..Self::default()
        }
    }

    /// Of notes, each of their devices and persons once.
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut scope = Self::default();
        for change in changes {
            scope.everything |= change.device_ids.is_none() && change.person_ids.is_none();
            scope.devices.extend(change.device_ids.iter().flatten());
            scope.persons.extend(change.person_ids.iter().flatten());
        }
        scope.settle();
        scope
    }

    /// Takes in another.
    pub(super) fn widen(&mut self, devices: Vec<Uuid>, persons: Vec<Uuid>) {
        self.devices.extend(devices);
        self.persons.extend(persons);
        self.settle();
    }

    /// Whether nobody is concerned.
    pub(super) const fn is_empty(&self) -> bool {
        !self.everything && self.devices.is_empty() && self.persons.is_empty()
    }

    /// Whether whole devices are concerned.
    pub(super) const fn has_devices(&self) -> bool {
        self.everything || !self.devices.is_empty()
    }

    fn settle(&mut self) {
        for ids in [&mut self.devices, &mut self.persons] {
            ids.sort_unstable();
            ids.dedup();
        }
    }
}

/// The least id of a note written since: they are UUIDs of version 7, which begin with the time.
pub(super) fn least_id(since: Option<DateTime<Utc>>) -> Uuid {
    let ms = since.map_or(0, |at| at.timestamp_millis());
    Uuid::from_u128(u128::from(u64::try_from(ms).unwrap_or(0)) << 80)
}

/// Tenants with notes that are not planned, of those written since.
pub(super) async fn tenants_waiting(
    tx: &SystemTx,
    since: Option<DateTime<Utc>>,
) -> Result<Vec<TenantId>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct c.tenant_id from directory.access_changes c \
              where c.created_at >= $1 and not exists ( \
                select from sync.distributions d where d.tenant_id = c.tenant_id and d.id = c.id)",
            [since.unwrap_or_default().into()],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok(TenantId::from_uuid(row.try_get("", "tenant_id")?)))
        .collect()
}

/// The scope of a tenant, where it has a note written since that is not planned.
pub(super) async fn waiting(
    tx: &SystemTx,
    tenant: TenantId,
    since: Option<DateTime<Utc>>,
) -> Result<Option<TenantScope>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from directory.access_changes c where c.tenant_id = $1 and c.id >= $2 and not exists ( \
               select from sync.distributions d where d.tenant_id = c.tenant_id and d.id = c.id) limit 1",
            [tenant.uuid().into(), least_id(since).into()],
        ))
        .await?;
    Ok(row.map(|_| tx.scope(tenant, Actor::System)))
}

/// The notes that are planned next, oldest first.
pub(super) async fn take(
    tx: &TenantTx,
    since: Option<DateTime<Utc>>,
) -> Result<Vec<Change>, DbError> {
    let statement = sql(
        "select c.id, c.reason, c.device_ids, c.person_ids from directory.access_changes c \
          where c.tenant_id = $1 and c.id >= $2 and not exists ( \
            select from sync.distributions d where d.tenant_id = c.tenant_id and d.id = c.id) \
          order by c.id limit $3",
        [
            tx.tenant_uuid().into(),
            least_id(since).into(),
            NOTES_AT_ONCE.into(),
        ],
    );
    let changes = Change::find_by_statement(statement).all(tx.conn()).await?;
    Ok(bounded(changes, PERSONS_AT_ONCE))
}

/// As many of the notes, from the first on, as do not name too many persons together.
fn bounded(mut changes: Vec<Change>, most: usize) -> Vec<Change> {
    let mut persons = 0_usize;
    let fit = changes
        .iter()
        .take_while(|change| {
            persons = persons.saturating_add(change.person_ids.as_ref().map_or(0, Vec::len));
            persons <= most
        })
        .count();
    changes.truncate(fit.max(1));
    changes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn change(devices: Option<&[u128]>, persons: Option<&[u128]>) -> Change {
        let ids = |ids: &[u128]| ids.iter().copied().map(Uuid::from_u128).collect();
        Change {
            id: Uuid::now_v7(),
            reason: "test".to_owned(),
            device_ids: devices.map(ids),
            person_ids: persons.map(ids),
        }
    }

    #[test]
    fn many_notes_about_the_same_come_to_one_scope() {
        let scope = Scope::of(&[
            change(Some(&[2, 1]), None),
            change(None, Some(&[7])),
            change(Some(&[1]), None),
            change(None, Some(&[7, 6])),
        ]);
        assert_eq!(scope.devices, [1, 2].map(Uuid::from_u128));
        assert_eq!(scope.persons, [6, 7].map(Uuid::from_u128));
        assert!(!scope.everything && !scope.is_empty());
        assert!(Scope::of(&[change(None, None)]).everything);
        assert!(Scope::of(&[]).is_empty());
    }

    #[test]
    fn a_plan_takes_some_notes_and_always_one() {
        let notes = vec![
            change(None, Some(&[1, 2])),
            change(Some(&[1]), None),
            change(None, Some(&[3])),
        ];
        for (most, taken) in [(3, 3), (2, 2), (1, 1), (0, 1)] {
            assert_eq!(bounded(notes.clone(), most).len(), taken, "{most}");
        }
        assert_eq!(bounded(Vec::new(), 3), []);
    }

    #[test]
    fn ids_are_in_the_order_of_time() {
        let now = Utc::now();
        let id = Uuid::now_v7();
        assert!(least_id(Some(now)) <= id);
        assert!(least_id(Some(now + chrono::Duration::seconds(5))) > id);
        assert_eq!(least_id(None), Uuid::nil());
    }
}
