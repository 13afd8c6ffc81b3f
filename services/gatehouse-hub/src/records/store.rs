//! The SQL of records: many at once in, one list or one row out.

use super::row::RecordRow;
use chrono::{DateTime, Utc};
use gatehouse_contracts::RecordsStored;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{Database, DbError, HUB, SystemTx, sql};
use gatehouse_platform::outbox;
use gatehouse_platform::tenant::TenantScope;
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Arrays hold no nulls here: '', NaN, the nil UUID and the year 1 stand for them.
const INSERT: &str = "\
insert into hub.records (tenant_id, id, device_id, message_id, device_time, passed_at, device_passed_at,
  clock_offset_ms, clock_verdict, received_at, person_id, person_number, person_name, type, result,
  verification, passage, temperature_celsius, temperature_verdict, mask, match_score, card_number,
  longitude, latitude, snapshot_key, compare_key, photo_fault, id_document_sealed, door_answer, raw)
select tenant_id, id, device_id, message_id, device_time, passed_at,
  nullif(device_passed_at, '0001-01-01T00:00:00Z'), nullif(clock_offset_ms, -9223372036854775808), clock_verdict,
  received_at, nullif(person_id, '00000000-0000-0000-0000-000000000000'), person_number, person_name, type, result,
  verification, passage, nullif(temperature_celsius, 'NaN'), temperature_verdict, mask, nullif(match_score, 'NaN'),
  nullif(card_number, ''), nullif(longitude, 'NaN'), nullif(latitude, 'NaN'), nullif(snapshot_key, ''),
  nullif(compare_key, ''), nullif(photo_fault, ''), decode(nullif(id_document_hex, ''), 'hex'), door_answer, raw::jsonb
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
  $8::int8[], $9::text[], $10::timestamptz[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[],
  $16::text[], $17::text[], $18::float4[], $19::text[], $20::text[], $21::float4[], $22::text[], $23::float8[],
  $24::float8[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[], $30::text[])
  as new (tenant_id, id, device_id, message_id, device_time, passed_at, device_passed_at, clock_offset_ms,
  clock_verdict, received_at, person_id, person_number, person_name, type, result, verification, passage,
  temperature_celsius, temperature_verdict, mask, match_score, card_number, longitude, latitude, snapshot_key,
  compare_key, photo_fault, id_document_hex, door_answer, raw)
on conflict (tenant_id, device_id, message_id, device_time) do nothing
returning id";

/// Stores records; answers which of them are new. The others were there before.
pub(super) async fn insert(tx: &SystemTx, rows: &[&RecordRow]) -> Result<HashSet<Uuid>, DbError> {
    fn column<T>(rows: &[&RecordRow], of: impl Fn(&RecordRow) -> T) -> sea_orm::Value
    where
        Vec<T>: Into<sea_orm::Value>,
    {
        rows.iter().map(|row| of(row)).collect::<Vec<T>>().into()
    }
    let text = |of: fn(&RecordRow) -> Option<&String>| {
        column(rows, |row| of(row).cloned().unwrap_or_default())
    };
    let word = |of: fn(&RecordRow) -> &'static str| column(rows, |row| of(row).to_owned());
    let degrees = |of: fn(&gatehouse_proto_terminal::Position) -> f64| {
        column(rows, |row| row.position.as_ref().map_or(f64::NAN, of))
    };
    let values = [
        column(rows, |row| row.tenant.uuid()),
        column(rows, |row| row.id.uuid()),
        column(rows, |row| row.device.uuid()),
        text(|row| Some(&row.message_id)),
        text(|row| Some(&row.device_time)),
        column(rows, |row| row.clock.passed_at),
        column(rows, |row| {
            row.clock.device_passed_at.unwrap_or_else(no_time)
        }),
        column(rows, |row| row.clock.offset_ms.unwrap_or(i64::MIN)),
        word(|row| row.clock.verdict.as_str()),
        column(rows, |row| row.received_at),
        column(rows, |row| {
            row.passer.person_id.map_or(Uuid::nil(), |id| id.uuid())
        }),
        text(|row| Some(&row.passer.number)),
        text(|row| Some(&row.passer.name)),
        word(|row| row.record_type.as_str()),
        word(|row| row.result.as_str()),
        word(|row| row.verification.as_str()),
        word(|row| row.passage.as_str()),
        column(rows, |row| row.temperature_celsius.unwrap_or(f32::NAN)),
        word(|row| row.temperature_verdict.as_str()),
        word(|row| row.mask.as_str()),
        column(rows, |row| row.match_score.unwrap_or(f32::NAN)),
        text(|row| row.card_number.as_ref()),
        degrees(|position| position.longitude),
        degrees(|position| position.latitude),
        text(|row| row.photos.snapshot_key.as_ref()),
        text(|row| row.photos.compare_key.as_ref()),
        text(|row| row.photos.fault.as_ref()),
        column(rows, |row| {
            row.id_document_sealed
                .as_ref()
                .map(hex::encode)
                .unwrap_or_default()
        }),
        word(|row| row.door.as_str()),
        text(|row| Some(&row.raw)),
    ];
    let new = tx.conn().query_all_raw(sql(INSERT, values)).await?;
    let ids: Result<HashSet<Uuid>, _> = new.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(ids?)
}

/// The year 1, which no terminal reports.
fn no_time() -> DateTime<Utc> {
    DateTime::from_timestamp(-62_135_596_800, 0).unwrap_or_default()
}

/// One event per tenant of the batch.
pub(super) async fn publish(
    tx: &SystemTx,
    rows: &[&RecordRow],
    new: &HashSet<Uuid>,
) -> Result<(), DbError> {
    let mut by_tenant: BTreeMap<TenantId, RecordsStored> = BTreeMap::new();
    for row in rows.iter().filter(|row| new.contains(&row.id.uuid())) {
        by_tenant
            .entry(row.tenant)
            .or_insert_with(|| RecordsStored {
                records: Vec::new(),
            })
            .records
            .push(row.as_event());
    }
    for (tenant, event) in by_tenant {
        outbox::publish_as_system(tx, HUB, tenant, event).await?;
    }
    Ok(())
}

/// Keeps an upload that can never be stored; once, however often it comes.
pub(super) async fn reject(
    db: &Database,
    scope: &TenantScope,
    row: &RecordRow,
    reason: &str,
) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    tx.conn()
        .execute_raw(sql(
            "insert into hub.rejected_uploads (tenant_id, id, device_id, message_id, reason, raw)
             select $1, $2, $3, $4, $5, $6 where not exists (
               select from hub.rejected_uploads where tenant_id = $1 and device_id = $3 and message_id = $4 and raw = $6)",
            [
                row.tenant.uuid().into(),
                row.id.uuid().into(),
                row.device.uuid().into(),
                row.message_id.clone().into(),
                reason.into(),
                row.raw.clone().into(),
            ],
        ))
        .await?;
    tx.commit().await
}
