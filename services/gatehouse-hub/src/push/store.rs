//! The SQL of push devices: who they are, how often they call, what their feed listed.

use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// A device is gone after this much silence at the earliest.
pub(super) const SILENT_AT_LEAST_MS: i64 = 90_000;
/// Two heartbeats further apart than this say nothing about how often the device beats.
const INTERVAL_MAX_MS: i64 = 3_600_000;
/// Whoever says twice within this time that it holds nothing says it once.
const LOST_AGAIN_AFTER_S: i64 = 60;
/// Lines of the feed that are this old are of no use.
const LINES_KEPT_HOURS: i64 = 48;

/// A device of the tenant.
#[derive(Debug, FromQueryResult)]
pub(super) struct DeviceRow {
    pub(super) id: Uuid,
    pub(super) protocol: String,
    pub(super) interval_ms: Option<i64>,
}

/// The device of a serial number.
pub(super) async fn find_device(
    tx: &SystemTx,
    tenant: TenantId,
    sn: &str,
) -> Result<Option<DeviceRow>, DbError> {
    let statement = sql(
        "select d.id, d.protocol, p.interval_ms from directory.devices d
         left join hub.push_devices p on p.tenant_id = d.tenant_id and p.device_id = d.id
         where d.tenant_id = $1 and d.sn = $2",
        [tenant.uuid().into(), sn.into()],
    );
    Ok(DeviceRow::find_by_statement(statement)
        .one(tx.conn())
        .await?)
}

/// What follows is durable a moment later: it is found out again by the next call.
pub(super) async fn soon(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn()
        .execute_unprepared("set local synchronous_commit = off")
        .await?;
    Ok(())
}

/// Writes down that a device is there, while the tenant has it.
pub(super) async fn seen(
    tx: &TenantTx,
    device: DeviceId,
    remote: Option<&str>,
    node: &str,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into hub.terminals as t (tenant_id, device_id, session, remote_address, node, connected_at, last_seen_at)
             select $1, $2, 0, $3, $4, now(), now() from directory.devices d where d.tenant_id = $1 and d.id = $2
             on conflict (tenant_id, device_id) do update set
               connected_at = case when t.session = 0 and t.disconnected_at is null and t.connected_at is not null
                                   then t.connected_at else now() end,
               session = 0, remote_address = excluded.remote_address, node = excluded.node, disconnected_at = null,
               last_seen_at = now(), close_reason = null",
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                remote.into(),
                node.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Writes down a heartbeat; how often the device beats, where that is known. Of the last two times
/// between beats the smaller counts: the other may have been an absence.
pub(super) async fn beat(tx: &TenantTx, device: DeviceId) -> Result<Option<i64>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "insert into hub.push_devices as p (tenant_id, device_id, heartbeat_at)
             select $1, $2, now() from directory.devices d where d.tenant_id = $1 and d.id = $2
             on conflict (tenant_id, device_id) do update set heartbeat_at = now(),
               gap_ms = (extract(epoch from now() - p.heartbeat_at) * 1000)::int8,
               interval_ms = case when p.heartbeat_at is not null then
                 least((extract(epoch from now() - p.heartbeat_at) * 1000)::int8, p.gap_ms, $3) end
             returning interval_ms",
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                INTERVAL_MAX_MS.into(),
            ],
        ))
        .await?;
    row.map_or(Ok(None), |row| Ok(row.try_get_by_index(0)?))
}

/// Ends the sessions of devices that have been silent for three times their interval.
pub(super) async fn end_silent(tx: &SystemTx) -> Result<u64, DbError> {
    let ended = tx
        .conn()
        .execute_raw(sql(
            "update hub.terminals t set disconnected_at = now(), close_reason = 'silent'
             where t.session = 0 and t.disconnected_at is null and t.last_seen_at < now() - $1 * interval '1 millisecond'
               and t.last_seen_at < now() - 3 * interval '1 millisecond' * coalesce((
                 select p.interval_ms from hub.push_devices p
                 where p.tenant_id = t.tenant_id and p.device_id = t.device_id), 0)",
            [SILENT_AT_LEAST_MS.into()],
        ))
        .await?;
    Ok(ended.rows_affected())
}

/// One offer of sync to a push device, with what the device is told.
#[derive(Debug, FromQueryResult)]
pub(super) struct OfferRow {
    pub(super) offer: Uuid,
    pub(super) number: String,
    pub(super) is_removal: bool,
    pub(super) name: Option<String>,
    pub(super) gender: Option<String>,
    pub(super) person_type: Option<String>,
    pub(super) display_text: Option<String>,
    pub(super) photo_id: Option<Uuid>,
    pub(super) week_is_missing: bool,
    pub(super) content: Option<Vec<u8>>,
}

/// What is offered and was not answered, the most urgent first. The hash is sync's, over the same
/// rows (see also `deliveries::store`).
pub(super) async fn offers(
    tx: &TenantTx,
    device: DeviceId,
    rows: i64,
) -> Result<Vec<OfferRow>, DbError> {
    let statement = sql(
        "select a.offer, a.number, a.desired is null as is_removal, p.name, p.gender, p.type as person_type, p.display_text,
           f.id as photo_id, a.admittance <> 'never' and w.id is null as week_is_missing,
           sync.content_hash(p.terminal_hash, a.admittance, w.hash,
             case when w.id is null then '' else sync.week_cut(p.valid_from, p.valid_to, d.timezone, w.starts_on) end) as content
         from sync.assignments a
         join directory.devices d on d.tenant_id = a.tenant_id and d.id = a.device_id
         left join directory.persons p on p.tenant_id = a.tenant_id and p.id = a.person_id and a.desired is not null
         left join sync.weeks w on w.tenant_id = a.tenant_id and w.id = a.week_id and a.admittance <> 'never'
         left join lateral (
           select o.id from directory.photos o where o.tenant_id = p.tenant_id and o.person_id = p.id
           order by o.slot limit 1) f on true
         left join hub.push_feed l on l.tenant_id = a.tenant_id and l.device_id = a.device_id and l.number = a.number
         where a.tenant_id = $1 and a.device_id = $2 and a.offer is not null and a.offered_session = 0
           and (l.offer is distinct from a.offer or l.answered_at is null)
         order by a.urgency, a.offer limit $3",
        [tx.tenant_uuid().into(), device.uuid().into(), rows.into()],
    );
    Ok(OfferRow::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}

/// A line of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: String,
    pub(super) offer: Uuid,
    /// Hash of what was listed; `None`: the person is to be taken away.
    pub(super) content: Option<Vec<u8>>,
    /// It was not listed, and that was told to sync.
    pub(super) is_answered: bool,
}

/// Writes down what the feed lists. Where an offer was listed before and not answered, the first
/// listing stands: an answer may be to that one.
pub(super) async fn list(tx: &TenantTx, device: DeviceId, lines: &[Line]) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let hex = |line: &Line| line.content.as_ref().map(hex::encode).unwrap_or_default();
    let values = [
        tx.tenant_uuid().into(),
        device.uuid().into(),
        lines
            .iter()
            .map(|line| line.number.clone())
            .collect::<Vec<String>>()
            .into(),
        lines
            .iter()
            .map(|line| line.offer)
            .collect::<Vec<Uuid>>()
            .into(),
        lines.iter().map(hex).collect::<Vec<String>>().into(),
        lines
            .iter()
            .map(|line| line.is_answered)
            .collect::<Vec<bool>>()
            .into(),
    ];
    tx.conn()
        .execute_raw(sql(
            "insert into hub.push_feed as f (tenant_id, device_id, number, offer, content, answered_at)
             select $1, $2, number, offer, decode(nullif(content, ''), 'hex'), case when answered then now() end
             from unnest($3::text[], $4::uuid[], $5::text[], $6::bool[]) as new (number, offer, content, answered)
             on conflict (tenant_id, device_id, number) do update set offer = excluded.offer, content = excluded.content,
               listed_at = now(), answered_at = excluded.answered_at
             where f.offer <> excluded.offer or excluded.answered_at is not null",
            values,
        ))
        .await?;
    Ok(())
}

/// What is known after a device asked for its feed.
#[derive(Debug, FromQueryResult)]
pub(super) struct Asked {
    /// The cursor to tell, in seconds: never less than before.
    pub(super) cursor: i64,
    /// It says that it holds nothing, and has not said so a moment ago.
    pub(super) lost: bool,
}

/// Writes down that a device asked for its feed with a cursor (0: everything). Whoever has confirmed
/// nothing has lost nothing; and who has shown no cursor since it last said so never got one.
pub(super) async fn asked(
    tx: &TenantTx,
    device: DeviceId,
    shown_s: i64,
    now_s: i64,
) -> Result<Asked, DbError> {
    let values = [
        tx.tenant_uuid().into(),
        device.uuid().into(),
        now_s.max(shown_s).into(),
        (shown_s == 0).into(),
        LOST_AGAIN_AFTER_S.into(),
    ];
    let statement = sql(
        "with held as (
           select $4 and exists (select from sync.assignments a
             where a.tenant_id = $1 and a.device_id = $2 and a.applied is not null) as asks_again)
         insert into hub.push_devices as p (tenant_id, device_id, cursor, register_lost_at, cursor_shown)
         select $1, $2, $3, case when asks_again then now() end, not $4 from held
         on conflict (tenant_id, device_id) do update set cursor = greatest(p.cursor, excluded.cursor),
           register_lost_at = case when excluded.register_lost_at is not null and (p.register_lost_at is null
               or p.cursor_shown and p.register_lost_at < now() - $5 * interval '1 second')
             then now() else p.register_lost_at end,
           cursor_shown = case when excluded.register_lost_at is not null and (p.register_lost_at is null
               or p.cursor_shown and p.register_lost_at < now() - $5 * interval '1 second')
             then false else p.cursor_shown or excluded.cursor_shown end
         returning cursor, coalesce(register_lost_at = now(), false) as lost",
        values,
    );
    Asked::find_by_statement(statement)
        .one(tx.conn())
        .await?
        .ok_or_else(|| DbError::from(sea_orm::DbErr::RecordNotFound("the feed's row".to_owned())))
}

/// What the feed listed last of a person, and was not answered.
#[derive(Debug, FromQueryResult)]
pub(super) struct Listed {
    pub(super) number: String,
    pub(super) offer: Uuid,
    pub(super) content: Option<Vec<u8>>,
}

/// Takes the listings of these persons: they are answered now.
pub(super) async fn answered(
    tx: &TenantTx,
    device: DeviceId,
    numbers: Vec<String>,
    at: DateTime<Utc>,
) -> Result<Vec<Listed>, DbError> {
    let statement = sql(
        "update hub.push_feed set answered_at = $4
         where tenant_id = $1 and device_id = $2 and number = any($3::text[]) and answered_at is null
         returning number, offer, content",
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            numbers.into(),
            at.into(),
        ],
    );
    Ok(Listed::find_by_statement(statement).all(tx.conn()).await?)
}

/// Forgets lines that are long settled, of all tenants.
pub(super) async fn forget_old_lines(tx: &SystemTx) -> Result<u64, DbError> {
    let forgotten = tx
        .conn()
        .execute_raw(sql(
            "delete from hub.push_feed where listed_at < now() - $1 * interval '1 hour'",
            [LINES_KEPT_HOURS.into()],
        ))
        .await?;
    Ok(forgotten.rows_affected())
}

/// The hash of a photo's original, while the tenant has the photo.
pub(super) async fn photo_hash(tx: &TenantTx, photo: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select sha256 from directory.photos where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), photo.into()],
        ))
        .await?;
    row.map_or(Ok(None), |row| Ok(Some(row.try_get_by_index(0)?)))
}
