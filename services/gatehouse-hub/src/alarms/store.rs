//! The SQL of alarms.

use gatehouse_domain::AlarmId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_schema::entities::hub::alarms;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult};
use uuid::Uuid;

/// Alarms of a tenant, newest first, below a position; of all, or only those that were or were not
/// acknowledged. Each of the three has its index.
pub(super) async fn list(
    tx: &TenantTx,
    acknowledged: Option<bool>,
    below: Option<Uuid>,
    rows: u64,
) -> Result<Vec<alarms::Model>, DbError> {
    let which = match acknowledged {
        None => "",
        Some(true) => "and acknowledged_at is not null",
        Some(false) => "and acknowledged_at is null",
    };
    let statement = sql(
        &format!(
            "select * from hub.alarms where tenant_id = $1 and ($2::uuid is null or id < $2) {which} order by id desc limit $3"
        ),
        [
            tx.tenant_uuid().into(),
            below.into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(alarms::Model::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}

/// One alarm.
pub(super) async fn find(tx: &TenantTx, id: AlarmId) -> Result<Option<alarms::Model>, DbError> {
    Ok(alarms::Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .one(tx.conn())
        .await?)
}

/// Notes who has seen it; `false` where somebody had before, which stays.
pub(super) async fn acknowledge(
    tx: &TenantTx,
    id: AlarmId,
    by: &str,
    note: &str,
) -> Result<bool, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "update hub.alarms set acknowledged_at = now(), acknowledged_by = $3, note = $4 \
             where tenant_id = $1 and id = $2 and acknowledged_at is null",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                by.into(),
                note.into(),
            ],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}
