//! At each local midnight the weeks of a zone are rendered again, and who is told something else by
//! them is planned again.

use super::changes::Scope;
use super::{plan, rounds, weeks};
use crate::sync::Sync;
use chrono::{DateTime, NaiveDate, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{Database, DbError, sql};
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(60);
const REASON: &str = "midnight";

/// The schedule.
pub(super) fn schedule(sync: &Arc<Sync>) -> Schedule {
    let sync = Arc::clone(sync);
    Schedule::new("sync.midnight", EVERY, move || {
        let sync = Arc::clone(&sync);
        async move { look(&sync).await.map_err(|e| e.to_string()) }
    })
}

async fn look(sync: &Sync) -> Result<(), DbError> {
    let now = Utc::now();
    let mut last = Ok(());
    for scope in tenants_with_old_weeks(&sync.kit.db, now).await? {
        // One tenant's failure is no other's.
        if let Err(error) = turn(sync, &scope, now).await {
            tracing::warn!(%error, tenant = %scope.tenant(), "the weeks of a tenant are not rendered for today yet");
            last = Err(error);
        }
    }
    last
}

async fn turn(sync: &Sync, scope: &TenantScope, now: DateTime<Utc>) -> Result<(), DbError> {
    let tx = sync.kit.db.tenant(scope).await?;
    plan::hold(&tx).await?;
    let planned = plan::scope(&tx, now, Scope::default(), REASON).await?;
    tx.commit().await?;
    rounds::tell(sync, scope, &planned);
    Ok(())
}

/// Tenants with a week that does not begin today, where it applies.
pub(super) async fn tenants_with_old_weeks(
    db: &Database,
    now: DateTime<Utc>,
) -> Result<Vec<TenantScope>, DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql("select distinct zone from sync.weeks", []))
        .await?;
    let zones = rows
        .iter()
        .map(|row| Ok(row.try_get("", "zone")?))
        .collect::<Result<Vec<String>, DbError>>()?;
    let today: Vec<NaiveDate> = zones
        .iter()
        .map(|zone| weeks::local_date(zone, now))
        .collect();
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct k.tenant_id from sync.weeks k \
               join unnest($1::text[], $2::date[]) z (zone, today) on z.zone = k.zone where k.starts_on <> z.today",
            [zones.into(), today.into()],
        ))
        .await?;
    let scopes = rows
        .iter()
        .map(|row| {
            let tenant = TenantId::from_uuid(row.try_get("", "tenant_id")?);
            Ok(tx.scope(tenant, Actor::System))
        })
        .collect();
    tx.commit().await?;
    scopes
}
