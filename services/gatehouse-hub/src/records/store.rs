//! The SQL of records: many at once in, one list or one row out.

use super::facts;
use super::ingest::Stored;
use super::row::RecordRow;
use chrono::{DateTime, Utc};
use gatehouse_contracts::{AlarmRaised, RecordsStored};
use gatehouse_domain::{AlarmId, PersonId, TenantId};
use gatehouse_platform::db::{Database, DbError, HUB, SystemTx, sql};
use gatehouse_platform::outbox;
use gatehouse_platform::tenant::TenantScope;
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Arrays hold no nulls here: '', NaN, the nil UUID and the year 1 stand for them.
///
/// Whom the platform knows by the number is joined here, and whoever must not enter raises an alarm
/// here, so that a record costs no further round trip for either. Which blocklists stand at these
/// devices is found out once for all of them: as a rule there are none, and records pay nothing.
///
/// Terminals know one list of those who may not pass, and hold on it also whom the platform merely keeps
/// out: about whom it knows, the platform's own word counts.
///
/// Terminals upload late: of whoever was erased meanwhile nothing is stored that says who it was, or
/// nothing at all.
const INSERT: &str = "\
with new as (
  select new.*, p.id as person_id, p.type as person_type, e.records as erased
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::int8[], $9::text[], $10::timestamptz[], $11::int8[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::text[], $18::float4[], $19::text[], $20::text[], $21::float4[], $22::text[], $23::float8[],
    $24::float8[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::text[], $32::uuid[])
    as new (tenant_id, id, device_id, message_id, device_time, passed_at, device_passed_at, clock_offset_ms,
    clock_verdict, received_at, number, person_number, person_name, type, result, verification, passage,
    temperature_celsius, temperature_verdict, mask, match_score, card_number, longitude, latitude, snapshot_key,
    compare_key, photo_fault, id_document_hex, door_answer, door_reason, raw, alarm_id)
  left join directory.persons p on p.tenant_id = new.tenant_id and p.number = new.number
  left join directory.erasures e on e.tenant_id = new.tenant_id and e.person_number = new.number and p.id is null),
stored as (
  insert into hub.records (tenant_id, id, device_id, message_id, device_time, passed_at, device_passed_at,
    clock_offset_ms, clock_verdict, received_at, person_id, person_number, person_name, type, result,
    verification, passage, temperature_celsius, temperature_verdict, mask, match_score, card_number,
    longitude, latitude, snapshot_key, compare_key, photo_fault, id_document_sealed, door_answer, door_reason, raw)
  select tenant_id, id, device_id, message_id, device_time, passed_at,
    nullif(device_passed_at, '0001-01-01T00:00:00Z'), nullif(clock_offset_ms, -9223372036854775808), clock_verdict,
    received_at, person_id, case when erased is null then person_number else '' end,
    case when erased is null then person_name else '' end, type, result, verification, passage,
    nullif(temperature_celsius, 'NaN'), temperature_verdict, mask, nullif(match_score, 'NaN'),
    case when erased is null then nullif(card_number, '') end, nullif(longitude, 'NaN'), nullif(latitude, 'NaN'),
    case when erased is null then nullif(snapshot_key, '') end, case when erased is null then nullif(compare_key, '') end,
    nullif(photo_fault, ''), case when erased is null then decode(nullif(id_document_hex, ''), 'hex') end,
    door_answer, door_reason, case when erased is null then raw::jsonb else '{}' end
  from new
  where erased is distinct from 'delete'
  on conflict (tenant_id, device_id, message_id, device_time) do nothing
  returning id),
barred as materialized (
  select distinct x.tenant_id, x.device_id, x.group_id
  from directory.groups g
  join directory.permits x on x.tenant_id = g.tenant_id and x.group_id = g.id
  where g.type = 'blocklist' and g.tenant_id in (select tenant_id from new) and x.device_id in (select device_id from new)),
alarmed as (
  insert into hub.alarms (tenant_id, id, kind, record_id, device_id, person_id)
  select new.tenant_id, new.alarm_id, 'blocklist', new.id, new.device_id, new.person_id
  from new join stored on stored.id = new.id
  where (new.person_id is null and new.type = 'blocklist') or new.person_type = 'blocklist' or exists (
    select from barred b
    join directory.group_members m on m.tenant_id = b.tenant_id and m.group_id = b.group_id and m.person_id = new.person_id
    where b.tenant_id = new.tenant_id and b.device_id = new.device_id)
  returning id, record_id)
select new.id, new.person_id, alarmed.id as alarm_id, stored.id is not null as is_new, new.erased is not null as is_erased
from new left join stored on stored.id = new.id left join alarmed on alarmed.record_id = new.id
where stored.id is not null or new.erased is not null";

/// A record that was not there before, or that is an erased person's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Whether it was not there before, and is now.
    is_new: bool,
    /// Whether it is an erased person's.
    is_erased: bool,
    /// Whom the platform knows by the record's number.
    person: Option<PersonId>,
    /// The alarm it raised.
    alarm: Option<AlarmId>,
}

impl Found {
    /// What whoever brought the record is told.
    pub(super) const fn stored(self) -> Stored {
        if self.is_erased {
            Stored::Nobodys
        } else if self.is_new {
            Stored::New
        } else {
            Stored::Repeat
        }
    }
}

/// Stores records; answers which of them are new, or an erased person's. The others were there before.
pub(super) async fn insert(
    tx: &SystemTx,
    rows: &[&RecordRow],
) -> Result<HashMap<Uuid, Found>, DbError> {
    let found = tx.conn().query_all_raw(sql(INSERT, values(rows))).await?;
    found
        .iter()
        .map(|row| {
            let person: Option<Uuid> = row.try_get("", "person_id")?;
            let alarm: Option<Uuid> = row.try_get("", "alarm_id")?;
            let found = Found {
                is_new: row.try_get("", "is_new")?,
                is_erased: row.try_get("", "is_erased")?,
                person: person.map(PersonId::from_uuid),
                alarm: alarm.map(AlarmId::from_uuid),
            };
            Ok((row.try_get("", "id")?, found))
        })
        .collect()
}

fn values(rows: &[&RecordRow]) -> [sea_orm::Value; 32] {
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
    [
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
        // No person has the number 0.
        column(rows, |row| {
            facts::number_of(&row.passer.number).unwrap_or(0)
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
        text(|row| Some(&row.door.reason)),
        text(|row| Some(&row.raw)),
        column(rows, |_| Uuid::now_v7()),
    ]
}

/// The year 1, which no terminal reports.
fn no_time() -> DateTime<Utc> {
    DateTime::from_timestamp(-62_135_596_800, 0).unwrap_or_default()
}

/// One event about records per tenant of the batch, and one per alarm. Nobody hears of a record that is
/// an erased person's.
pub(super) async fn publish(
    tx: &SystemTx,
    rows: &[&RecordRow],
    found: &HashMap<Uuid, Found>,
) -> Result<(), DbError> {
    let mut by_tenant: BTreeMap<TenantId, RecordsStored> = BTreeMap::new();
    let mut alarms = Vec::new();
    for row in rows {
        let Some(found) = found.get(&row.id.uuid()) else {
            continue;
        };
        if !found.is_erased {
            by_tenant
                .entry(row.tenant)
                .or_insert_with(|| RecordsStored {
                    records: Vec::new(),
                })
                .records
                .push(row.as_event(found.person));
        }
        if let Some(alarm_id) = found.alarm {
            let raised = AlarmRaised {
                alarm_id,
                alarm_kind: "blocklist".to_owned(),
                record_id: row.id,
                device_id: row.device,
                person_id: found.person,
            };
            alarms.push((row.tenant, raised));
        }
    }
    metrics::counter!("gatehouse_alarms_raised_total")
        .increment(u64::try_from(alarms.len()).unwrap_or(0));
    outbox::publish_all_as_system(tx, HUB, by_tenant.into_iter().collect()).await?;
    outbox::publish_all_as_system(tx, HUB, alarms).await
}

/// Keeps an upload that can never be stored; once, however often it comes, and not of an erased person.
pub(super) async fn reject(
    db: &Database,
    scope: &TenantScope,
    row: &RecordRow,
    reason: &str,
) -> Result<(), DbError> {
    let tx = db.tenant(scope).await?;
    tx.conn()
        .execute_raw(sql(
            "insert into hub.rejected_uploads (tenant_id, id, device_id, message_id, reason, raw, person_number)
             select $1, $2, $3, $4, $5, $6, $7 where not exists (
               select from hub.rejected_uploads where tenant_id = $1 and device_id = $3 and message_id = $4 and raw = $6)
               and not exists (select from directory.erasures where tenant_id = $1 and person_number = $8)",
            [
                row.tenant.uuid().into(),
                row.id.uuid().into(),
                row.device.uuid().into(),
                row.message_id.clone().into(),
                reason.into(),
                row.raw.clone().into(),
                row.passer.number.clone().into(),
                facts::number_of(&row.passer.number).unwrap_or(0).into(),
            ],
        ))
        .await?;
    tx.commit().await
}
