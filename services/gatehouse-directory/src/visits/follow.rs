//! Visits that waited for another one of the same person to end.

use super::force;
use crate::access_changes::{self, Scope};
use crate::directory::Directory;
use crate::persons;
use chrono::Utc;
use gatehouse_domain::{PersonId, TenantId};
use gatehouse_platform::db::{Database, DbError, sql};
use gatehouse_platform::http::Answer;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::FromQueryResult;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// So late a visit can come into force that follows another one at once.
const EVERY: Duration = Duration::from_secs(10);
const AT_ONCE: i64 = 500;

#[derive(FromQueryResult)]
struct Waiting {
    tenant_id: Uuid,
    person_id: Uuid,
}

/// Brings visits into force whose predecessor has ended.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = directory.clone();
    Schedule::new("directory.visits.follow", EVERY, move || {
        let directory = directory.clone();
        async move { follow(&directory).await }
    })
}

async fn follow(directory: &Directory) -> Result<(), String> {
    let waiting = waiting(&directory.kit.db)
        .await
        .map_err(|e| e.to_string())?;
    let mut last = Ok(());
    for (scope, person) in waiting {
        match settle(directory, &scope, person).await {
            Ok(true) => access_changes::wake(directory, scope.tenant()),
            Ok(false) => {}
            // Whoever cannot be settled holds up nobody else.
            Err(problem) => {
                tracing::warn!(tenant = %scope.tenant(), %person, %problem, "a visit does not come into force yet");
                last = Err(problem.to_string());
            }
        }
    }
    last
}

async fn waiting(db: &Database) -> Result<Vec<(TenantScope, PersonId)>, DbError> {
    let tx = db.system().await?;
    // Few wait: each is looked up by itself, and the visits that ended are never gone through.
    let statement = sql(
        "select distinct v.tenant_id, v.person_id from directory.visits v
          where v.cancelled_at is null and not v.in_force and v.ends_at > now()
            and (select f.id from directory.visits f
                  where f.tenant_id = v.tenant_id and f.person_id = v.person_id and f.in_force
                    and f.cancelled_at is null and f.ends_at > now() limit 1) is null
          limit $1",
        [AT_ONCE.into()],
    );
    let rows = Waiting::find_by_statement(statement).all(tx.conn()).await?;
    let waiting = rows.into_iter().map(
        |Waiting {
             tenant_id,
             person_id,
         }| {
            let scope = tx.scope(TenantId::from_uuid(tenant_id), Actor::System);
            (scope, PersonId::from_uuid(person_id))
        },
    );
    Ok(waiting.collect())
}

/// Another process may have done it meanwhile: then nothing changes.
async fn settle(directory: &Directory, scope: &TenantScope, person: PersonId) -> Answer<bool> {
    let tx = directory.kit.db.tenant(scope).await?;
    let Some(held) = persons::read_to_change(&tx, person).await? else {
        return Ok(false);
    };
    let concerns = force::settle(&tx, &directory.kit.secrets, &held, None, Utc::now()).await?;
    if concerns {
        access_changes::note(&tx, "visit.followed", Scope::Persons(&[person])).await?;
    }
    tx.commit().await?;
    Ok(concerns)
}
