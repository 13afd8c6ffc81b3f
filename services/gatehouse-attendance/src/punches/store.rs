//! Rows of `attendance.punches`.

use chrono::{DateTime, Utc};
use gatehouse_contracts::StoredRecord;
use gatehouse_domain::PersonId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Stores punches in one statement. Those that are there already stay as they are.
///
/// Whoever was erased after the record was stored has no punches any more, or they are nobody's: as
/// `erase` would have left them.
///
/// Array parameters hold no nulls, so an absent person travels as an empty text.
pub(super) async fn insert(tx: &TenantTx, punches: Vec<StoredRecord>) -> Result<(), DbError> {
    let columns = Columns::of(punches);
    tx.conn()
        .execute_raw(sql(
            "insert into attendance.punches
               (tenant_id, record_id, device_id, person_id, person_number, passed_at, received_at, passage)
             select $1, record_id, device_id, case when e.id is null then nullif(p.person_id, '')::uuid end,
                    coalesce(e.id::text, p.person_number), passed_at, received_at, passage
               from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[])
                 as p (record_id, device_id, person_id, person_number, passed_at, received_at, passage)
               left join directory.erasures e on e.tenant_id = $1
                 and e.person_number = case when p.person_number ~ '^[1-9][0-9]{0,17}$' then p.person_number::bigint end
              where e.records is distinct from 'delete'
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

/// Deletes the punches of a person; how many there were.
pub(super) async fn delete(tx: &TenantTx, person: PersonId, number: &str) -> Result<u64, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "delete from attendance.punches
              where tenant_id = $1 and person_number = $3 and (person_id = $2 or person_id is null)",
            [tx.tenant_uuid().into(), person.uuid().into(), number.into()],
        ))
        .await?;
    Ok(done.rows_affected())
}

/// Puts a pseudonym in the place of a person; how many punches there are.
pub(super) async fn rename(
    tx: &TenantTx,
    person: PersonId,
    number: &str,
    pseudonym: &str,
) -> Result<u64, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "update attendance.punches set person_id = null, person_number = $4
              where tenant_id = $1 and person_number = $3 and (person_id = $2 or person_id is null)",
            [
                tx.tenant_uuid().into(),
                person.uuid().into(),
                number.into(),
                pseudonym.into(),
            ],
        ))
        .await?;
    Ok(done.rows_affected())
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
