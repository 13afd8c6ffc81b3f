//! Persons whose validity ends are taken from the terminals when it does. That it begins needs
//! nothing: terminals are told beforehand from when on somebody may pass.

use super::changes::Scope;
use super::{plan, rounds};
use crate::sync::Sync;
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{Database, DbError, sql};
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::FromQueryResult;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(5);
const REASON: &str = "validity.ended";
/// Persons of one look.
const PERSONS: i64 = 5000;
/// A look goes back further than the one before ended, for clocks that differ and rows that were
/// written late.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// How often all ends of the past are looked at.
const LOOK_AT_ALL: TimeDelta = TimeDelta::hours(1);

/// How far this process has looked. A new process looks at all of the past: whatever ended while none
/// ran is found.
#[derive(Debug, Clone, Copy, Default)]
struct Looked {
    until: Option<DateTime<Utc>>,
    at_all: Option<DateTime<Utc>>,
}

impl Looked {
    /// From when on the next look is to be.
    fn since(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let due = self
            .at_all
            .is_none_or(|at| now - at >= LOOK_AT_ALL || at > now);
        if due {
            None
        } else {
            self.until.map(|at| at - OVERLAP)
        }
    }

    fn done(&mut self, since: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.until = Some(now);
        if since.is_none() {
            self.at_all = Some(now);
        }
    }
}

/// The schedule.
pub(super) fn schedule(sync: &Arc<Sync>) -> Schedule {
    let sync = Arc::clone(sync);
    let looked = Arc::new(Mutex::new(Looked::default()));
    Schedule::new("sync.endings", EVERY, move || {
        let (sync, looked) = (Arc::clone(&sync), Arc::clone(&looked));
        async move { look(&sync, &looked).await.map_err(|e| e.to_string()) }
    })
}

async fn look(sync: &Sync, looked: &Mutex<Looked>) -> Result<(), DbError> {
    let now = Utc::now();
    let since = {
        let looked = *looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.since(now)
    };
    let mut last = Ok(());
    let mut failed = Vec::new();
    loop {
        let (ended, more) = ended_since(&sync.kit.db, since, &failed).await?;
        for (scope, persons) in ended {
            // One tenant's failure is no other's.
            if let Err(error) = take_away(sync, &scope, persons, now).await {
                tracing::warn!(%error, tenant = %scope.tenant(), "persons whose validity has ended are not taken from terminals yet");
                failed.push(scope.tenant().uuid());
                last = Err(error);
            }
        }
        if !more {
            break;
        }
    }
    last?;
    looked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .done(since, now);
    Ok(())
}

async fn take_away(
    sync: &Sync,
    scope: &TenantScope,
    persons: Vec<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let tx = sync.kit.db.tenant(scope).await?;
    plan::hold(&tx).await?;
    let planned = plan::scope(&tx, now, Scope::persons(persons), REASON).await?;
    tx.commit().await?;
    rounds::tell(sync, scope, &planned);
    Ok(())
}

/// Persons whose validity ended since, and who are still wanted somewhere, except those of some tenants;
/// and whether there are more.
pub(super) async fn ended_since(
    db: &Database,
    since: Option<DateTime<Utc>>,
    except: &[Uuid],
) -> Result<(Vec<(TenantScope, Vec<Uuid>)>, bool), DbError> {
    #[derive(FromQueryResult)]
    struct Ended {
        tenant_id: Uuid,
        id: Uuid,
    }
    let tx = db.system().await?;
    let statement = sql(
        // Lateral with a limit: person by person through the index, whatever the statistics say.
        "select p.tenant_id, p.id from directory.persons p cross join lateral ( \
           select from sync.assignments a where a.tenant_id = p.tenant_id and a.person_id = p.id and a.desired is not null limit 1) a \
          where p.valid_to <= now() and p.valid_to >= $1 and p.tenant_id <> all($3::uuid[]) order by p.valid_to limit $2",
        [
            since.unwrap_or_default().into(),
            PERSONS.into(),
            except.to_vec().into(),
        ],
    );
    let rows = Ended::find_by_statement(statement).all(tx.conn()).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count >= PERSONS);
    let mut of_tenant: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for Ended { tenant_id, id } in rows {
        of_tenant.entry(tenant_id).or_default().push(id);
    }
    let ended = of_tenant
        .into_iter()
        .map(|(tenant, persons)| {
            (
                tx.scope(TenantId::from_uuid(tenant), Actor::System),
                persons,
            )
        })
        .collect();
    tx.commit().await?;
    Ok((ended, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_is_at_all_and_the_next_at_what_is_new() {
        let now = Utc::now();
        let mut looked = Looked::default();
        assert_eq!(looked.since(now), None);
        looked.done(None, now);
        let later = now + TimeDelta::seconds(5);
        assert_eq!(looked.since(later), Some(now - OVERLAP));
        looked.done(Some(now), later);
        assert_eq!(looked.since(later), Some(later - OVERLAP));
    }

    #[test]
    fn all_of_the_past_is_looked_at_again_now_and_then() {
        let now = Utc::now();
        let mut looked = Looked::default();
        looked.done(None, now);
        assert_eq!(looked.since(now + LOOK_AT_ALL), None);
        // A clock that was set back forgets nothing.
        assert_eq!(looked.since(now - TimeDelta::days(1)), None);
    }

    #[test]
    fn a_look_that_failed_counts_for_nothing() {
        let now = Utc::now();
        let mut looked = Looked::default();
        looked.done(None, now);
        let since = looked.since(now + TimeDelta::minutes(30));
        assert_eq!(since, Some(now - OVERLAP));
    }
}
