//! The SQL of reading records. Filters are a few; each has an index that ends in the list's order.

use chrono::{DateTime, Utc};
use gatehouse_domain::record::{RecordResult, RecordType};
use gatehouse_domain::{DeviceId, PersonId, RecordId};
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_schema::entities::hub::records;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which records are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) device: Option<DeviceId>,
    pub(super) person: Option<PersonId>,
    pub(super) person_number: Option<String>,
    pub(super) record_type: Option<RecordType>,
    pub(super) result: Option<RecordResult>,
    /// Passed at this instant or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Passed before this instant.
    pub(super) to: Option<DateTime<Utc>>,
}

/// A place in the list: newest first by the time of the pass, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) passed_at: DateTime<Utc>,
    pub(super) id: Uuid,
}

/// Records of a tenant, newest first, below a position.
pub(super) async fn list(
    tx: &TenantTx,
    filter: Filter,
    below: Option<Position>,
    rows: u64,
) -> Result<Vec<records::Model>, DbError> {
    use records::Column;
    let Filter {
        device,
        person,
        person_number,
        record_type,
        result,
        from,
        to,
    } = filter;
    let mut query = records::Entity::find().filter(Column::TenantId.eq(tx.tenant_uuid()));
    if let Some(device) = device {
        query = query.filter(Column::DeviceId.eq(device.uuid()));
    }
    if let Some(person) = person {
        query = query.filter(Column::PersonId.eq(person.uuid()));
    }
    if let Some(number) = person_number {
        // Said twice, so that the partial index on numbers serves.
        query = query
            .filter(Column::PersonNumber.eq(number))
            .filter(Column::PersonNumber.ne(""));
    }
    if let Some(record_type) = record_type {
        query = query.filter(Column::Type.eq(record_type.as_str()));
    }
    if let Some(result) = result {
        query = query.filter(Column::Result.eq(result.as_str()));
    }
    if let Some(from) = from {
        query = query.filter(Column::PassedAt.gte(from));
    }
    if let Some(to) = to {
        query = query.filter(Column::PassedAt.lt(to));
    }
    if let Some(below) = below {
        let place = Expr::tuple([Expr::col(Column::PassedAt), Expr::col(Column::Id)]);
        query = query.filter(place.lt(Expr::tuple([
            Expr::value(below.passed_at),
            Expr::value(below.id),
        ])));
    }
    let found = query
        .order_by_desc(Column::PassedAt)
        .order_by_desc(Column::Id)
        .limit(rows)
        .all(tx.conn())
        .await?;
    Ok(found)
}

/// One record.
pub(super) async fn find(tx: &TenantTx, id: RecordId) -> Result<Option<records::Model>, DbError> {
    Ok(records::Entity::find_by_id((tx.tenant_uuid(), id.uuid()))
        .one(tx.conn())
        .await?)
}
