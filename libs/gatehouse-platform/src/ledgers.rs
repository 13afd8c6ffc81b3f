//! The ledgers that every service keeps beside its own tables: which messages it has handled, and
//! what it answered to an idempotency key. Here: the mark of a handled message, and pruning.

use crate::db::{Database, DbError, ServiceRoles, TenantTx, sql};
use crate::service::Schedule;
use gatehouse_domain::MessageId;
use sea_orm::ConnectionTrait;
use std::time::Duration;

/// Rows that one transaction of pruning deletes.
const PRUNE_ROWS: u64 = 5000;
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Notes within the handler's transaction that a consumer handles a message; `false` where it did
/// before. A second delivery at the same time waits here for the first to commit or to give up.
pub(crate) async fn mark_consumed(
    tx: &TenantTx,
    roles: ServiceRoles,
    consumer: &str,
    message: MessageId,
) -> Result<bool, DbError> {
    let marked = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "insert into {}.consumed_messages (tenant_id, consumer, message_id) values ($1, $2, $3) \
                 on conflict do nothing",
                roles.schema
            ),
            [
                tx.tenant_uuid().into(),
                consumer.into(),
                message.uuid().into(),
            ],
        ))
        .await?;
    Ok(marked.rows_affected() == 1)
}

/// What every service gets for free: its ledgers forget what nobody can repeat any more.
pub(crate) fn schedules(db: &Database) -> Vec<Schedule> {
    let prune = |name, table, age_column, keep| {
        let db = db.clone();
        Schedule::new(name, PRUNE_EVERY, move || {
            let db = db.clone();
            async move {
                prune(&db, table, age_column, keep)
                    .await
                    .map_err(|e| e.to_string())
            }
        })
    };
    vec![
        prune(
            "consumed_messages.prune",
            "consumed_messages",
            "consumed_at",
            "7 days",
        ),
        prune(
            "idempotency_keys.prune",
            "idempotency_keys",
            "created_at",
            "2 days",
        ),
    ]
}

/// Deletes rows older than `keep`, a few thousand per transaction, so that none is held for long.
pub(crate) async fn prune(
    db: &Database,
    table: &str,
    age_column: &str,
    keep: &str,
) -> Result<(), DbError> {
    let schema = db.roles().schema;
    let statement = format!(
        "delete from {schema}.{table} where ctid = any(array(\
         select ctid from {schema}.{table} where {age_column} < now() - interval '{keep}' \
         limit {PRUNE_ROWS}))"
    );
    loop {
        let tx = db.system().await?;
        let deleted = tx.conn().execute_raw(sql(&statement, [])).await?;
        tx.commit().await?;
        if deleted.rows_affected() < PRUNE_ROWS {
            return Ok(());
        }
    }
}
