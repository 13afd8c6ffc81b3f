//! Rows of `attendance.punches`.

use chrono::{DateTime, Utc};
use gatehouse_contracts::StoredRecord;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Stores punches in one statement. Those that are there already stay as they are.
///
/// Array parameters hold no nulls, so an absent person travels as an empty text.
pub(super) async fn insert(tx: &TenantTx, punches: Vec<StoredRecord>) -> Result<(), DbError> {
    let columns = Columns::of(punches);
    tx.conn()
        .execute_raw(sql(
            "insert into attendance.punches
               (tenant_id, record_id, device_id, person_id, person_number, passed_at, received_at, passage)
             select $1, record_id, device_id, nullif(person_id, '')::uuid, person_number, passed_at, received_at, passage
               from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[])
                 as p (record_id, device_id, person_id, person_number, passed_at, received_at, passage)
             on conflict do nothing",
            [
                tx.tenant_uuid().into(),
                columns.record_ids.into(),
                columns.device_ids.into(),
                columns.person_ids.into(),
                columns.person_numbers.into(),
                columns.passed_at.into(),
                columns.received_at.into(),
                columns.passages.into(),
            ],
        ))
        .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    record_ids: Vec<Uuid>,
    device_ids: Vec<Uuid>,
    person_ids: Vec<String>,
    person_numbers: Vec<String>,
    passed_at: Vec<DateTime<Utc>>,
    received_at: Vec<DateTime<Utc>>,
    passages: Vec<String>,
}

impl Columns {
    fn of(punches: Vec<StoredRecord>) -> Self {
        let mut columns = Self::default();
        for punch in punches {
            let StoredRecord {
                record_id,
                device_id,
                person_id,
                person_number,
                passed_at,
                received_at,
                record_type: _,
                result: _,
                verification: _,
                passage,
            } = punch;
            columns.record_ids.push(record_id.uuid());
            columns.device_ids.push(device_id.uuid());
            columns
                .person_ids
                .push(person_id.map_or_else(String::new, |p| p.uuid().to_string()));
            columns.person_numbers.push(person_number);
            columns.passed_at.push(passed_at);
            columns.received_at.push(received_at);
            columns.passages.push(passage.to_string());
        }
        columns
    }
}
