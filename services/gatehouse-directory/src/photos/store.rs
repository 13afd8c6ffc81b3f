//! Rows of `directory.photos`.

use chrono::{DateTime, Utc};
use gatehouse_domain::PersonId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A picture of a person.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) slot: i16,
    pub(super) sha256: Vec<u8>,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) original_bytes: i32,
    pub(super) created_at: DateTime<Utc>,
}

/// The pictures of a person, by slot.
pub(super) async fn of_person(tx: &TenantTx, person: PersonId) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        "select id, person_id, slot, sha256, width, height, original_bytes, created_at
           from directory.photos where tenant_id = $1 and person_id = $2 order by slot",
        [tx.tenant_uuid().into(), person.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}
