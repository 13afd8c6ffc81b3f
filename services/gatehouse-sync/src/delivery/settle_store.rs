//! The SQL of settling answers. Every statement names the offer it settles, so that a repeat and an
//! answer to a void offer change nothing.

use super::backoff::WAITS_S;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use uuid::Uuid;

/// An answer, judged, as rows take it.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) offer: Uuid,
    pub(super) number: String,
    /// Hash of what was sent, in hex; empty where the person was taken away, or nothing was sent.
    pub(super) content: String,
    pub(super) at: DateTime<Utc>,
    pub(super) fate: &'static str,
    pub(super) code: String,
    pub(super) message: String,
}

/// An assignment after its answer.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub(super) struct Settled {
    /// Of the answer.
    pub(super) fate: String,
    /// From the change to the answer, in seconds.
    pub(super) took_s: f64,
}

/// Waits for whoever offers or settles for this device at the moment, and keeps others waiting.
pub(crate) async fn hold(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "select from sync.devices where tenant_id = $1 and device_id = $2 for update",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// The answers as a relation `x`, from the third parameter on.
const ANSWERS: &str = "unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[]) \
     as x (offer, number, content, at, fate, code, message)";

fn values(tx: &TenantTx, device: DeviceId, answers: &[Answered]) -> Vec<Value> {
    let texts = |of: fn(&Answered) -> &str| -> Value {
        let all: Vec<String> = answers.iter().map(|a| of(a).to_owned()).collect();
        all.into()
    };
    vec![
        tx.tenant_uuid().into(),
        device.uuid().into(),
        answers.iter().map(|a| a.offer).collect::<Vec<_>>().into(),
        texts(|a| &a.number),
        texts(|a| &a.content),
        answers.iter().map(|a| a.at).collect::<Vec<_>>().into(),
        texts(|a| a.fate),
        texts(|a| &a.code),
        texts(|a| &a.message),
    ]
}

/// Locks the rows that are answered, so that what is read of them stays true until the end.
pub(super) async fn lock(
    tx: &TenantTx,
    device: DeviceId,
    answers: &[Answered],
) -> Result<(), DbError> {
    let numbers: Vec<String> = answers.iter().map(|a| a.number.clone()).collect();
    tx.conn()
        .execute_raw(sql(
            "select from sync.assignments where tenant_id = $1 and device_id = $2 and number = any($3::text[]) \
              order by number for update",
            [tx.tenant_uuid().into(), device.uuid().into(), numbers.into()],
        ))
        .await?;
    Ok(())
}

/// Drops the rows of those who were taken away and are not wanted back; gives their numbers with how
/// long it took.
pub(super) async fn drop_removed(
    tx: &TenantTx,
    device: DeviceId,
    answers: &[Answered],
) -> Result<Vec<(String, Settled)>, DbError> {
    let statement = sql(
        &format!(
            "delete from sync.assignments a using {ANSWERS} \
              where a.tenant_id = $1 and a.device_id = $2 and a.number = x.number and a.offer = x.offer \
                and x.fate = 'done' and x.content = '' and a.desired is null \
             returning a.number, x.fate, greatest(extract(epoch from x.at - a.changed_at), 0)::float8 as took_s"
        ),
        values(tx, device, answers),
    );
    let rows = tx.conn().query_all_raw(statement).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "number")?,
                Settled::from_query_result(row, "")?,
            ))
        })
        .collect()
}

/// Writes what the answers say into the rows whose offers they answer. What is desired may have
/// changed since: then the row is due again at once, whatever the answer was.
pub(super) async fn settle(
    tx: &TenantTx,
    device: DeviceId,
    answers: &[Answered],
) -> Result<Vec<Settled>, DbError> {
    let mut values = values(tx, device, answers);
    values.push(WAITS_S.to_vec().into());
    let statement = sql(
        &format!(
            "update sync.assignments a set \
                offer = null, offered = null, offered_session = null, \
                applied = case when n.fate = 'done' then n.content else a.applied end, \
                applied_at = case when n.fate = 'done' then greatest(n.at, a.sent_at) else a.applied_at end, \
                maybe_held = a.maybe_held and n.fate <> 'done', \
                attempts = case when n.fate = 'at_once' then a.attempts \
                                when n.fate = 'done' or n.superseded then 0 else a.attempts + 1 end, \
                state = case when n.fate = 'done' and a.desired is not distinct from n.content then 'applied' \
                             when a.desired is null then 'removing' \
                             when n.fate = 'waits' and not n.superseded then 'failed' \
                             else 'pending' end, \
                due_at = case when n.fate = 'done' and a.desired is not distinct from n.content then null \
                              when n.fate in ('done', 'at_once') or n.superseded then now() \
                              when n.fate = 'waits' and a.desired is not null then null \
                              else now() + make_interval(secs => ($10::float8[])[least(a.attempts + 1, array_length($10::float8[], 1))]) end, \
                error_code = case when n.fate = 'at_once' then a.error_code \
                                  when n.fate = 'done' or n.superseded then null else n.code end, \
                error_message = case when n.fate = 'at_once' then a.error_message \
                                     when n.fate = 'done' or n.superseded then null else n.message end \
             from (select x.offer, x.number, decode(nullif(x.content, ''), 'hex') as content, x.at, x.fate, x.code, x.message, \
                          w.desired is distinct from coalesce(decode(nullif(x.content, ''), 'hex'), w.offered) as superseded \
                     from {ANSWERS} \
                     join sync.assignments w on w.tenant_id = $1 and w.device_id = $2 and w.number = x.number and w.offer = x.offer) n \
             where a.tenant_id = $1 and a.device_id = $2 and a.number = n.number and a.offer = n.offer \
             returning n.fate, greatest(extract(epoch from n.at - a.changed_at), 0)::float8 as took_s"
        ),
        values,
    );
    Ok(Settled::find_by_statement(statement).all(tx.conn()).await?)
}

/// After how many attempts in vain to take somebody away it is asked whether they are there at all.
const REMOVALS_IN_VAIN: i32 = 5;

/// Where a removal was refused some times over, the whole register is due to be read: whoever is not
/// told then is gone.
pub(super) async fn ask_for_register(
    tx: &TenantTx,
    device: DeviceId,
    refused: Vec<String>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update sync.devices s set full_read_due_at = least(s.full_read_due_at, now()) \
              where s.tenant_id = $1 and s.device_id = $2 and exists ( \
                select from sync.assignments a where a.tenant_id = $1 and a.device_id = $2 and a.number = any($3::text[]) \
                   and a.state = 'removing' and a.attempts > 0 and a.attempts % $4 = 0)",
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                refused.into(),
                REMOVALS_IN_VAIN.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// Places became free: as many of those whom the full terminal refused are tried again, the oldest
/// first.
pub(super) async fn fill_places(
    tx: &TenantTx,
    device: DeviceId,
    places: i64,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "with f as materialized (select number from sync.assignments \
                      where tenant_id = $1 and device_id = $2 and state = 'failed' and error_code = '302' \
                      order by changed_at, number limit $3 for update skip locked) \
             update sync.assignments a set state = 'pending', due_at = now(), attempts = 0 from f \
              where a.tenant_id = $1 and a.device_id = $2 and a.number = f.number",
            [tx.tenant_uuid().into(), device.uuid().into(), places.into()],
        ))
        .await?;
    Ok(())
}

/// Whoever reads the terminal's register at the moment may have been told of them before.
pub(super) async fn note_removed(
    tx: &TenantTx,
    device: DeviceId,
    numbers: Vec<String>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update sync.readbacks set removed_meanwhile = removed_meanwhile || $3::text[] \
              where tenant_id = $1 and device_id = $2 and state in ('counting', 'reading', 'comparing')",
            [tx.tenant_uuid().into(), device.uuid().into(), numbers.into()],
        ))
        .await?;
    Ok(())
}

/// The device says that it holds nothing: what it confirmed counts no more, what was offered is void.
/// Its word is no proof: who was to be taken away is taken away all the same.
pub(super) async fn forget_register(tx: &TenantTx, device: DeviceId) -> Result<u64, DbError> {
    let changed = tx
        .conn()
        .execute_raw(sql(
            "update sync.assignments set applied = null, maybe_held = desired is null, offer = null, offered = null, offered_session = null, \
                proved_at = null, attempts = 0, \
                state = case when desired is null then 'removing' \
                             when state = 'failed' and error_code is distinct from '302' then 'failed' else 'pending' end, \
                due_at = case when desired is not null and state = 'failed' and error_code is distinct from '302' then null else now() end, \
                urgency = case when desired is null then 0 else 1 end \
              where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    Ok(changed.rows_affected())
}
