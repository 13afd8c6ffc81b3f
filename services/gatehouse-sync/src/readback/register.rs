//! The SQL of comparing and mending: the persons that a terminal told (`hub.command_persons`) beside
//! its assignments.

use super::same::Expected;
use chrono::{DateTime, NaiveDateTime, Utc};
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;
use uuid::Uuid;

/// Somebody whom the terminal told, with what is known of them.
#[derive(Debug)]
pub(super) struct Judgeable {
    pub(super) index: i64,
    pub(super) number: String,
    /// In the words of the hub.
    pub(super) told: Value,
    pub(super) person_id: Option<Uuid>,
    /// There is a row for this number.
    pub(super) is_assigned: bool,
    /// Nothing happened to it since the reading began.
    pub(super) is_settled: bool,
    /// The terminal confirmed something of them.
    pub(super) is_confirmed: bool,
    pub(super) maybe_held: bool,
    /// What it confirmed is what it would be told now.
    pub(super) is_current: bool,
    /// What it would be told now.
    pub(super) expected: Option<Expected>,
}

#[derive(Debug, FromQueryResult)]
struct PageRow {
    index: i64,
    number: String,
    told: Value,
    person_id: Option<Uuid>,
    is_assigned: bool,
    is_settled: bool,
    is_confirmed: bool,
    maybe_held: bool,
    is_current: bool,
    admittance: Option<String>,
    name: Option<String>,
    card_no: Option<String>,
    valid_from: Option<NaiveDateTime>,
    valid_to: Option<NaiveDateTime>,
    days: Option<Value>,
}

impl From<PageRow> for Judgeable {
    fn from(row: PageRow) -> Self {
        let PageRow {
            index,
            number,
            told,
            person_id,
            is_assigned,
            is_settled,
            is_confirmed,
            maybe_held,
            is_current,
            admittance,
            name,
            card_no,
            valid_from,
            valid_to,
            days,
        } = row;
        let expected = name.zip(admittance).map(|(name, admittance)| Expected {
            name,
            card: card_no,
            admittance: admittance.parse().ok(),
            valid_from,
            valid_to,
            week: days.and_then(|days| serde_json::from_value(days).ok()),
        });
        Self {
            index,
            number,
            told,
            person_id,
            is_assigned,
            is_settled,
            is_confirmed,
            maybe_held,
            is_current,
            expected,
        }
    }
}

/// Nothing happened to `a` since the reading began at `$4`.
const SETTLED: &str =
    "a.offer is null and coalesce(a.applied_at < $4, true) and coalesce(a.sent_at < $4, true)";

/// Persons that the terminal told, in the order it told them, after an index.
pub(super) async fn page(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
    began_at: DateTime<Utc>,
    after: i64,
    rows: i64,
) -> Result<Vec<Judgeable>, DbError> {
    // The numbers are taken out of the JSON first: an index of a guarded table serves only for plain
    // columns.
    let statement = sql(
        &format!(
            "with told as materialized ( \
               select index, coalesce(person ->> 'number', '') as number, person from hub.command_persons \
                where tenant_id = $1 and command_id = $3 and index > $5 order by index limit $6) \
             select l.index, l.number, l.person as told, a.person_id, a.number is not null as is_assigned, \
                    coalesce({SETTLED}, false) as is_settled, a.applied is not null as is_confirmed, \
                    coalesce(a.maybe_held, false) as maybe_held, \
                    coalesce(a.applied = sync.content_hash(p.terminal_hash, a.admittance, \
                      w.hash, case when w.id is null then '' \
                           else sync.week_cut(p.valid_from, p.valid_to, d.timezone, w.starts_on) end), false) as is_current, \
                    a.admittance, p.name, c.card_no, \
                    p.valid_from at time zone d.timezone as valid_from, p.valid_to at time zone d.timezone as valid_to, w.days \
               from told l \
               left join sync.assignments a on a.tenant_id = $1 and a.device_id = $2 and a.number = l.number \
               left join directory.devices d on d.tenant_id = $1 and d.id = $2 \
               left join directory.persons p on p.tenant_id = $1 and p.id = a.person_id \
               left join sync.weeks w on w.tenant_id = $1 and w.id = a.week_id and a.admittance <> 'never' \
               left join lateral ( \
                 select o.card_no from directory.person_cards o where o.tenant_id = $1 and o.person_id = p.id \
                 order by o.position, o.card_no limit 1) c on true \
              order by l.index"
        ),
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            command.uuid().into(),
            began_at.into(),
            after.into(),
            rows.into(),
        ],
    );
    let rows = PageRow::find_by_statement(statement).all(tx.conn()).await?;
    Ok(rows.into_iter().map(Judgeable::from).collect())
}

async fn change(
    tx: &TenantTx,
    device: DeviceId,
    numbers: &[String],
    text: &str,
) -> Result<(), DbError> {
    if numbers.is_empty() {
        return Ok(());
    }
    tx.conn()
        .execute_raw(sql(
            text,
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                numbers.to_vec().into(),
            ],
        ))
        .await?;
    Ok(())
}

/// They are there as they should be.
pub(super) async fn prove(
    tx: &TenantTx,
    device: DeviceId,
    numbers: &[String],
) -> Result<(), DbError> {
    change(
        tx,
        device,
        numbers,
        "update sync.assignments set proved_at = now() where tenant_id = $1 and device_id = $2 and number = any($3)",
    )
    .await
}

/// They are there, but otherwise: what is confirmed is unknown, and they are told anew as a change.
pub(super) async fn tell_anew(
    tx: &TenantTx,
    device: DeviceId,
    numbers: &[String],
) -> Result<(), DbError> {
    change(
        tx,
        device,
        numbers,
        "update sync.assignments set applied = '\\x00', proved_at = null, attempts = 0, due_at = now(), \
            state = case when desired is null then 'removing' else 'pending' end \
          where tenant_id = $1 and device_id = $2 and number = any($3)",
    )
    .await
}

/// They are there though they were not confirmed: what comes next is a change, not an addition.
pub(super) async fn note_held(
    tx: &TenantTx,
    device: DeviceId,
    numbers: &[String],
) -> Result<(), DbError> {
    change(
        tx,
        device,
        numbers,
        "update sync.assignments set applied = '\\x00', maybe_held = true where tenant_id = $1 and device_id = $2 and number = any($3)",
    )
    .await
}

/// Nobody planned them for this device: they are to be taken away. Gives those that were not being
/// taken away already, with the person where the tenant has one of that number.
pub(super) async fn take_away(
    tx: &TenantTx,
    device: DeviceId,
    numbers: &[String],
) -> Result<Vec<(String, Option<Uuid>)>, DbError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "with told as materialized ( \
               select distinct t.number, case when t.number ~ '^[1-9][0-9]{0,17}$' then t.number::bigint end as of_person \
                 from unnest($3::text[]) t (number)) \
             insert into sync.assignments (tenant_id, device_id, number, person_id, desired, maybe_held, state, urgency, due_at) \
             select $1, $2, t.number, p.id, null, true, 'removing', 0, now() from told t \
               left join directory.persons p on p.tenant_id = $1 and p.number = t.of_person \
             on conflict do nothing returning number, person_id",
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                numbers.to_vec().into(),
            ],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "number")?, row.try_get("", "person_id")?)))
        .collect()
}

/// `not in`, which looks a number up in a hash whatever the planner believes of the tables.
const NOT_TOLD: &str = "a.number not in (select l.number from told l)";
const TOLD: &str = "with told as materialized ( \
    select coalesce(person ->> 'number', '') as number from hub.command_persons where tenant_id = $1 and command_id = $3)";

fn values(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
    began_at: DateTime<Utc>,
) -> [sea_orm::Value; 4] {
    [
        tx.tenant_uuid().into(),
        device.uuid().into(),
        command.uuid().into(),
        began_at.into(),
    ]
}

/// Those who were to be taken away and are not there: that is proved now.
pub(super) async fn drop_gone(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
    began_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let text = format!(
        "{TOLD} delete from sync.assignments a where a.tenant_id = $1 and a.device_id = $2 and a.desired is null \
           and {SETTLED} and {NOT_TOLD}"
    );
    tx.conn()
        .execute_raw(sql(&text, values(tx, device, command, began_at)))
        .await?;
    Ok(())
}

/// Those who should be there, may be by what is known, and are not: they are added again. Gives
/// whether each was confirmed.
pub(super) async fn forget_missing(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
    began_at: DateTime<Utc>,
) -> Result<Vec<(String, Option<Uuid>, bool)>, DbError> {
    let text = format!(
        "{TOLD}, gone as materialized ( \
           select a.number, a.applied is not null as was_confirmed from sync.assignments a \
            where a.tenant_id = $1 and a.device_id = $2 and a.desired is not null and (a.applied is not null or a.maybe_held) \
              and {SETTLED} and {NOT_TOLD}) \
         update sync.assignments a set applied = null, maybe_held = false, proved_at = null, \
            attempts = case when g.was_confirmed then 0 else a.attempts end, \
            state = case when a.state = 'failed' then 'failed' else 'pending' end, \
            due_at = case when g.was_confirmed and a.state <> 'failed' then now() else a.due_at end \
           from gone g where a.tenant_id = $1 and a.device_id = $2 and a.number = g.number \
         returning a.number, a.person_id, g.was_confirmed"
    );
    let rows = tx
        .conn()
        .query_all_raw(sql(&text, values(tx, device, command, began_at)))
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "number")?,
                row.try_get("", "person_id")?,
                row.try_get("", "was_confirmed")?,
            ))
        })
        .collect()
}
