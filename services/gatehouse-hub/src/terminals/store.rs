//! The SQL of `hub.terminals` and `hub.unknown_messages`.

use crate::sessions::Knocking;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_proto_terminal::{Position, SignVerdict};
use gatehouse_schema::entities::hub::{terminals, unknown_messages};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Longest text of a terminal's own about itself that is kept.
const WORDS_MAX_CHARS: usize = 128;
/// Messages of an unknown type that are kept of one device.
const UNKNOWN_KEPT: i64 = 100;

/// A terminal that was admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Which.
    pub(crate) device: DeviceId,
    /// What it said.
    pub(crate) knocking: &'a Knocking,
}

/// Writes down that terminals are here.
pub(crate) async fn arrive(
    tx: &SystemTx,
    node: &str,
    arrivals: &[Arrival<'_>],
) -> Result<(), DbError> {
    // One row may be written once by a statement: of several sessions of a device the last counts.
    let latest: BTreeMap<(TenantId, DeviceId), &Arrival<'_>> = arrivals
        .iter()
        .map(|arrival| ((arrival.tenant, arrival.device), arrival))
        .collect();
    if latest.is_empty() {
        return Ok(());
    }
    let arrivals: Vec<&Arrival<'_>> = latest.into_values().collect();
    let words = |of: fn(&Knocking) -> &str| -> sea_orm::Value {
        arrivals
            .iter()
            .map(|a| clipped(of(a.knocking)))
            .collect::<Vec<String>>()
            .into()
    };
    let values = [
        arrivals
            .iter()
            .map(|a| a.tenant.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        arrivals
            .iter()
            .map(|a| a.device.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        arrivals
            .iter()
            .map(|a| a.knocking.session)
            .collect::<Vec<i64>>()
            .into(),
        words(|k| k.remote.as_deref().unwrap_or_default()),
        words(|k| &k.register.protocol_version),
        words(|k| &k.register.hardware_version),
        words(|k| &k.register.software_version),
        words(|k| &k.register.alg_version),
        words(|k| sign_word(k.register.sign_verdict())),
        arrivals
            .iter()
            .map(|a| a.knocking.clock_offset_ms.unwrap_or(i64::MIN))
            .collect::<Vec<i64>>()
            .into(),
        node.into(),
    ];
    tx.conn()
        .execute_raw(sql(
            "insert into hub.terminals as t (tenant_id, device_id, session, remote_address, protocol_version,
               hardware_version, software_version, algorithm_version, sign_verdict, clock_offset_ms, clock_measured_at,
               node, connected_at, disconnected_at, last_seen_at, close_reason)
             select tenant_id, device_id, session, nullif(remote, ''), protocol, hardware, software, algorithm, sign,
               nullif(offset_ms, -9223372036854775808), case when offset_ms > -9223372036854775808 then now() end,
               $11, now(), null, now(), null
             from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
               $9::text[], $10::int8[]) as new (tenant_id, device_id, session, remote, protocol, hardware, software,
               algorithm, sign, offset_ms)
             on conflict (tenant_id, device_id) do update set session = excluded.session,
               remote_address = excluded.remote_address, protocol_version = excluded.protocol_version,
               hardware_version = excluded.hardware_version, software_version = excluded.software_version,
               algorithm_version = excluded.algorithm_version, sign_verdict = excluded.sign_verdict,
               clock_offset_ms = coalesce(excluded.clock_offset_ms, t.clock_offset_ms),
               clock_measured_at = coalesce(excluded.clock_measured_at, t.clock_measured_at), node = excluded.node,
               connected_at = excluded.connected_at, disconnected_at = null, last_seen_at = excluded.last_seen_at,
               close_reason = null",
            values,
        ))
        .await?;
    Ok(())
}

const fn sign_word(verdict: SignVerdict) -> &'static str {
    match verdict {
        SignVerdict::Valid => "valid",
        SignVerdict::Wrong => "wrong",
        SignVerdict::Missing => "missing",
    }
}

fn clipped(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\0')
        .take(WORDS_MAX_CHARS)
        .collect()
}

/// What is to be written down about a session.
#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) session: i64,
    pub(crate) seen_at: DateTime<Utc>,
    /// Since the last sighting.
    pub(crate) unknown_messages: u32,
    /// Since the last sighting.
    pub(crate) malformed_messages: u32,
    /// Where it said it is.
    pub(crate) position: Option<Position>,
    /// Why it ended, if it has.
    pub(crate) ended: Option<&'static str>,
}

/// Writes sightings into the rows of the sessions they are of; a device that has begun a newer
/// session keeps that.
pub(crate) async fn note(tx: &SystemTx, sightings: &[Sighting]) -> Result<(), DbError> {
    if sightings.is_empty() {
        return Ok(());
    }
    let degrees = |of: fn(&Position) -> f64| -> sea_orm::Value {
        let all = sightings
            .iter()
            .map(|s| s.position.as_ref().map_or(f64::NAN, of));
        all.collect::<Vec<f64>>().into()
    };
    let values = [
        sightings
            .iter()
            .map(|s| s.tenant.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        sightings
            .iter()
            .map(|s| s.device.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        sightings
            .iter()
            .map(|s| s.session)
            .collect::<Vec<i64>>()
            .into(),
        sightings
            .iter()
            .map(|s| s.seen_at)
            .collect::<Vec<DateTime<Utc>>>()
            .into(),
        sightings
            .iter()
            .map(|s| i64::from(s.unknown_messages))
            .collect::<Vec<i64>>()
            .into(),
        sightings
            .iter()
            .map(|s| i64::from(s.malformed_messages))
            .collect::<Vec<i64>>()
            .into(),
        degrees(|position| position.longitude),
        degrees(|position| position.latitude),
        sightings
            .iter()
            .map(|s| s.ended.unwrap_or_default().to_owned())
            .collect::<Vec<String>>()
            .into(),
    ];
    tx.conn()
        .execute_raw(sql(
            "update hub.terminals t set last_seen_at = greatest(t.last_seen_at, s.seen_at),
               unknown_messages = t.unknown_messages + s.unknown_messages,
               malformed_messages = t.malformed_messages + s.malformed_messages,
               longitude = coalesce(nullif(s.longitude, 'NaN'), t.longitude),
               latitude = coalesce(nullif(s.latitude, 'NaN'), t.latitude),
               disconnected_at = case when s.ended = '' then t.disconnected_at else now() end,
               close_reason = coalesce(nullif(s.ended, ''), t.close_reason)
             from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::timestamptz[], $5::int8[], $6::int8[], $7::float8[],
               $8::float8[], $9::text[]) as s (tenant_id, device_id, session, seen_at, unknown_messages,
               malformed_messages, longitude, latitude, ended)
             where t.tenant_id = s.tenant_id and t.device_id = s.device_id and t.session = s.session",
            values,
        ))
        .await?;
    Ok(())
}

/// Ends the sessions whose process is gone: nobody has written them down for so long. Devices that
/// call over HTTP (session 0) have no process; see `push`.
pub(crate) async fn close_abandoned(tx: &SystemTx, silent_for_ms: i64) -> Result<u64, DbError> {
    let closed = tx
        .conn()
        .execute_raw(sql(
            "update hub.terminals set disconnected_at = greatest(last_seen_at, connected_at), close_reason = 'process gone'
             where disconnected_at is null and connected_at is not null and session is distinct from 0
               and greatest(last_seen_at, connected_at) < now() - $1 * interval '1 millisecond'",
            [silent_for_ms.into()],
        ))
        .await?;
    Ok(closed.rows_affected())
}

/// Keeps messages of unknown types, the newest of each device.
pub(crate) async fn keep_unknown(
    tx: &TenantTx,
    messages: &[(DeviceId, DateTime<Utc>, String, String)],
) -> Result<(), DbError> {
    let values = [
        tx.tenant_uuid().into(),
        messages
            .iter()
            .map(|_| Uuid::now_v7())
            .collect::<Vec<Uuid>>()
            .into(),
        messages
            .iter()
            .map(|m| m.0.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        messages
            .iter()
            .map(|m| m.1)
            .collect::<Vec<DateTime<Utc>>>()
            .into(),
        messages
            .iter()
            .map(|m| m.2.clone())
            .collect::<Vec<String>>()
            .into(),
        messages
            .iter()
            .map(|m| m.3.clone())
            .collect::<Vec<String>>()
            .into(),
    ];
    tx.conn()
        .execute_raw(sql(
            "insert into hub.unknown_messages (tenant_id, id, device_id, received_at, message_type, body)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])",
            values,
        ))
        .await?;
    let mut devices: Vec<Uuid> = messages.iter().map(|m| m.0.uuid()).collect();
    devices.sort_unstable();
    devices.dedup();
    tx.conn()
        .execute_raw(sql(
            "delete from hub.unknown_messages m using unnest($2::uuid[]) as d (device_id)
             where m.tenant_id = $1 and m.device_id = d.device_id and m.id < (
               select k.id from hub.unknown_messages k where k.tenant_id = $1 and k.device_id = d.device_id
               order by k.id desc offset $3 limit 1)",
            [tx.tenant_uuid().into(), devices.into(), (UNKNOWN_KEPT - 1).into()],
        ))
        .await?;
    Ok(())
}

/// Which of these devices are connected, by what was last written down. Devices that call over HTTP
/// (session 0) are, until their silence was noticed.
pub(crate) async fn connected(
    tx: &TenantTx,
    devices: &[DeviceId],
    silent_for_ms: i64,
) -> Result<Vec<DeviceId>, DbError> {
    let wanted: Vec<Uuid> = devices.iter().map(|device| device.uuid()).collect();
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select device_id from hub.terminals where tenant_id = $1 and device_id = any($2::uuid[])
               and disconnected_at is null
               and (session = 0 or last_seen_at > now() - $3 * interval '1 millisecond')",
            [tx.tenant_uuid().into(), wanted.into(), silent_for_ms.into()],
        ))
        .await?;
    let ids: Result<Vec<Uuid>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(ids?.into_iter().map(DeviceId::from_uuid).collect())
}

/// What is known of one terminal; `None` where it never was here.
pub(super) async fn find(
    tx: &TenantTx,
    device: DeviceId,
) -> Result<Option<terminals::Model>, DbError> {
    let statement = sql(
        "select * from hub.terminals where tenant_id = $1 and device_id = $2",
        [tx.tenant_uuid().into(), device.uuid().into()],
    );
    Ok(terminals::Model::find_by_statement(statement)
        .one(tx.conn())
        .await?)
}

/// Whether the tenant has this device.
pub(super) async fn device_exists(tx: &TenantTx, device: DeviceId) -> Result<bool, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from directory.devices where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    Ok(row.is_some())
}

/// Messages of unknown types of one device, newest first, below a position.
pub(super) async fn unknown_messages(
    tx: &TenantTx,
    device: DeviceId,
    below: Option<Uuid>,
    rows: u64,
) -> Result<Vec<unknown_messages::Model>, DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let statement = sql(
        "select * from hub.unknown_messages where tenant_id = $1 and device_id = $2 and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        [tx.tenant_uuid().into(), device.uuid().into(), below.into(), rows.into()],
    );
    Ok(unknown_messages::Model::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}

/// Forgets everything about the sessions of a device that was removed. Its records stay.
pub(crate) async fn forget(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    for statement in [
        "delete from hub.terminals where tenant_id = $1 and device_id = $2",
        "delete from hub.parameters where tenant_id = $1 and device_id = $2",
        "delete from hub.unknown_messages where tenant_id = $1 and device_id = $2",
        "delete from hub.push_devices where tenant_id = $1 and device_id = $2",
        "delete from hub.push_feed where tenant_id = $1 and device_id = $2",
        // They end at their time; this says that it has come.
        "update hub.commands set expires_at = now() where tenant_id = $1 and device_id = $2 and state = 'queued'",
    ] {
        tx.conn()
            .execute_raw(sql(
                statement,
                [tx.tenant_uuid().into(), device.uuid().into()],
            ))
            .await?;
    }
    Ok(())
}

/// Forgets messages of unknown types that are older than a week, of all tenants.
pub(crate) async fn forget_unknown(tx: &SystemTx) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from hub.unknown_messages where received_at < now() - interval '7 days'",
            [],
        ))
        .await?;
    Ok(())
}
