//! Distributions that are old go, once the note they were made from is gone as well: a note without
//! distribution would be planned again.

use crate::sync::Sync;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::Actor;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3600);

/// The schedule.
pub(super) fn schedule(sync: &Arc<Sync>) -> Schedule {
    let sync = Arc::clone(sync);
    Schedule::new("sync.distributions.prune", EVERY, move || {
        let db = sync.kit.db.clone();
        async move { look(&db).await.map_err(|e| e.to_string()) }
    })
}

async fn look(db: &Database) -> Result<(), DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct tenant_id from sync.distributions where planned_at < now() - interval '30 days'",
            [],
        ))
        .await?;
    let scopes = rows
        .iter()
        .map(|row| {
            let tenant = TenantId::from_uuid(row.try_get("", "tenant_id")?);
            Ok(tx.scope(tenant, Actor::System))
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    tx.commit().await?;
    for scope in scopes {
        let tx = db.tenant(&scope).await?;
        prune(&tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Drops the tenant's old distributions; how many.
pub(super) async fn prune(tx: &TenantTx) -> Result<u64, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "delete from sync.distributions d where d.tenant_id = $1 and d.planned_at < now() - interval '30 days' \
                and not exists (select from directory.access_changes c where c.tenant_id = d.tenant_id and c.id = d.id)",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    Ok(done.rows_affected())
}
