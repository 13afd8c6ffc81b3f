//! The SQL of planning: what is wanted is laid out in a table of the transaction, and compared with
//! the assignments. The rows never leave the database. A row whose desired hash stays is not touched,
//! except for the week it refers to.
//!
//! Deliberately absent: what a person may (the view `directory.reach`) and what a terminal is told (the
//! functions `sync.content_hash` and `sync.week_cut`, which the hub calls as well).

use super::changes::Scope;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

const NO_PHOTO: &str = "no_photo";
const NO_PHOTO_SENTENCE: &str =
    "The person has no photo, and a terminal must get one. Add a photo; it is sent then.";

/// Tables that go with the transaction: what is wanted, whose rows are to be withdrawn or changed, and
/// how many of each per device.
const TABLES: &str = "
  create temporary table wanted (device_id uuid, number text, person_id uuid, terminal_hash bytea, has_photo boolean,
    valid_from timestamptz, valid_to timestamptz, admittance text, schedules uuid[]) on commit drop;
  create temporary table unwanted (device_id uuid, number text) on commit drop;
  create temporary table changed (device_id uuid, number text, person_id uuid, admittance text, week_id uuid,
    content bytea, has_photo boolean, old_desired bytea) on commit drop;
  create temporary table tally (device_id uuid, adds bigint, updates bigint, removes bigint) on commit drop;";

/// Makes the tables. Once in a transaction.
pub(super) async fn prepare(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn().execute_unprepared(TABLES).await?;
    Ok(())
}

/// Lays out what is wanted within the scope, and which rows of it are not wanted any more.
pub(super) async fn lay_out(tx: &TenantTx, scope: &Scope) -> Result<(), DbError> {
    let devices = devices_of(tx, scope).await?;
    let values = || -> [Value; 3] {
        [
            tx.tenant_uuid().into(),
            devices.clone().into(),
            scope.persons.clone().into(),
        ]
    };
    // Two statements each and not one with "or": either condition finds an index by itself.
    let of_devices = "device_id = any($2) and $3::uuid[] is not null";
    let of_persons = "person_id = any($3) and device_id <> all($2)";
    for condition in [of_devices, of_persons] {
        let statement = format!(
            "insert into pg_temp.wanted \
             select device_id, number::text, person_id, terminal_hash, photo_count > 0, valid_from, valid_to, admittance, \
                    case when admittance = 'scheduled' then schedules end \
               from directory.reach where tenant_id = $1 and {condition}"
        );
        tx.conn().execute_raw(sql(&statement, values())).await?;
    }
    tx.conn().execute_unprepared("analyze wanted").await?;
    for condition in [of_devices, of_persons] {
        let statement = format!(
            "insert into pg_temp.unwanted \
             select a.device_id, a.number from sync.assignments a \
              where a.tenant_id = $1 and a.{condition} and a.person_id is not null \
                and (a.desired is not null or a.state <> 'removing') \
                and not exists (select from pg_temp.wanted w where w.device_id = a.device_id and w.number = a.number)"
        );
        tx.conn().execute_raw(sql(&statement, values())).await?;
    }
    tx.conn().execute_unprepared("analyze unwanted").await?;
    Ok(())
}

async fn devices_of(tx: &TenantTx, scope: &Scope) -> Result<Vec<Uuid>, DbError> {
    if !scope.everything {
        return Ok(scope.devices.clone());
    }
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select id from directory.devices where tenant_id = $1",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Withdraws who is not wanted: the row goes at once where the terminal cannot hold the person.
pub(super) async fn withdraw(tx: &TenantTx, change: Uuid) -> Result<(), DbError> {
    let of_row = "a.tenant_id = $1 and a.device_id = u.device_id and a.number = u.number \
                  and (a.desired is not null or a.state <> 'removing')";
    tx.conn()
        .execute_raw(sql(
            &format!(
                "with gone as ( \
                   delete from sync.assignments a using pg_temp.unwanted u \
                    where {of_row} and not ({HELD}) returning a.device_id) \
                 insert into pg_temp.tally select device_id, 0, 0, count(*) from gone group by device_id"
            ),
            [tx.tenant_uuid().into()],
        ))
        .await?;
    tx.conn()
        .execute_raw(sql(
            &format!(
                "with withdrawn as ( \
                   update sync.assignments a set desired = null, state = 'removing', urgency = 0, \
                          due_at = case when a.offer is null then now() else a.due_at end, \
                          attempts = case when a.offer is null then 0 else a.attempts end, \
                          error_code = null, error_message = null, change_id = $2, changed_at = now() \
                     from pg_temp.unwanted u where {of_row} returning a.device_id) \
                 insert into pg_temp.tally select device_id, 0, 0, count(*) from withdrawn group by device_id"
            ),
            [tx.tenant_uuid().into(), change.into()],
        ))
        .await?;
    Ok(())
}

/// Whether a terminal holds the person, or may.
const HELD: &str = "a.applied is not null or a.maybe_held or a.offer is not null";

/// Whether nothing was sent since the terminal last confirmed: then it holds what was applied.
const CERTAIN: &str =
    "not a.maybe_held and a.attempts = 0 and (a.sent_at is null or a.applied_at >= a.sent_at)";

/// What is wanted, with its week and the hash of what the terminal is told.
const LAID_OUT: &str = "
   pg_temp.wanted w
   join directory.devices d on d.tenant_id = $1 and d.id = w.device_id
   left join sync.weeks k on k.tenant_id = $1 and k.zone = d.timezone and k.schedules = w.schedules";
const CONTENT: &str = "sync.content_hash(w.terminal_hash, w.admittance, k.hash, \
   case when w.admittance = 'scheduled' then sync.week_cut(w.valid_from, w.valid_to, k.zone, k.starts_on) else '' end)";

/// Changes the rows of those who are wanted otherwise than before. Who lost the last photo is taken
/// away where a terminal holds them, and waits for another one where none does.
pub(super) async fn change(tx: &TenantTx, change: Uuid) -> Result<(), DbError> {
    // The fence (offset 0) keeps the hash from being computed for each comparison anew.
    let differing = format!(
        "insert into pg_temp.changed \
         select n.device_id, n.number, n.person_id, n.admittance, n.week_id, n.content, n.has_photo, n.old_desired from ( \
           select w.device_id, w.number, w.person_id, w.admittance, w.has_photo, k.id as week_id, {CONTENT} as content, \
                  a.desired as old_desired, a.person_id as old_person, a.week_id as old_week, ({HELD}) as held \
             from {LAID_OUT} \
             join sync.assignments a on a.tenant_id = $1 and a.device_id = w.device_id and a.number = w.number \
           offset 0) n \
         where case when n.has_photo or not n.held then n.content end is distinct from n.old_desired \
            or n.old_person is distinct from n.person_id or n.old_week is distinct from n.week_id"
    );
    tx.conn()
        .execute_raw(sql(&differing, [tx.tenant_uuid().into()]))
        .await?;
    tx.conn().execute_unprepared("analyze changed").await?;
    let desired = format!("case when c.has_photo or not ({HELD}) then c.content end");
    let same = format!("a.desired is not distinct from {desired}");
    let takes_away = format!("not c.has_photo and ({HELD})");
    let statement = format!(
        "with changed as ( \
           update sync.assignments a set \
             person_id = c.person_id, admittance = c.admittance, week_id = c.week_id, desired = {desired}, \
             state = case when {same} then a.state when {takes_away} then 'removing' when not c.has_photo then 'failed' \
                          when a.offer is not null then 'sending' \
                          when a.applied = c.content and {CERTAIN} then 'applied' else 'pending' end, \
             due_at = case when {same} or a.offer is not null then a.due_at when not c.has_photo and not ({HELD}) then null \
                           when c.has_photo and a.applied = c.content and {CERTAIN} then null else now() end, \
             urgency = case when {same} then a.urgency when {takes_away} then 0 \
                            when c.admittance = 'never' and ({HELD}) then 0 else 1 end, \
             attempts = case when {same} or a.offer is not null then a.attempts else 0 end, \
             error_code = case when {same} then a.error_code when not c.has_photo then $3 end, \
             error_message = case when {same} then a.error_message when not c.has_photo then $4 end, \
             change_id = case when {same} then a.change_id else $2 end, \
             changed_at = case when {same} then a.changed_at else now() end \
            from pg_temp.changed c where a.tenant_id = $1 and a.device_id = c.device_id and a.number = c.number \
           returning a.device_id, c.old_desired, a.desired) \
         insert into pg_temp.tally \
         select device_id, count(*) filter (where old_desired is null), \
                count(*) filter (where old_desired is not null and desired is not null), \
                count(*) filter (where desired is null) \
           from changed where old_desired is distinct from desired group by device_id"
    );
    let values = [
        tx.tenant_uuid().into(),
        change.into(),
        NO_PHOTO.into(),
        NO_PHOTO_SENTENCE.into(),
    ];
    tx.conn().execute_raw(sql(&statement, values)).await?;
    Ok(())
}

/// Adds rows for those who had none. Where somebody else adds the same row at the same moment (who
/// reads a register back may), the transaction fails, and the plan is made again.
pub(super) async fn add(tx: &TenantTx, change: Uuid) -> Result<(), DbError> {
    let statement = format!(
        "with added as ( \
           insert into sync.assignments (tenant_id, device_id, number, person_id, admittance, week_id, desired, \
                  state, due_at, error_code, error_message, change_id) \
           select $1, w.device_id, w.number, w.person_id, w.admittance, k.id, {CONTENT}, \
                  case when w.has_photo then 'pending' else 'failed' end, case when w.has_photo then now() end, \
                  case when not w.has_photo then $3 end, case when not w.has_photo then $4 end, $2 \
             from {LAID_OUT} \
            where not exists (select from sync.assignments a \
                               where a.tenant_id = $1 and a.device_id = w.device_id and a.number = w.number) \
           returning device_id) \
         insert into pg_temp.tally select device_id, count(*), 0, 0 from added group by device_id"
    );
    let values = [
        tx.tenant_uuid().into(),
        change.into(),
        NO_PHOTO.into(),
        NO_PHOTO_SENTENCE.into(),
    ];
    tx.conn().execute_raw(sql(&statement, values)).await?;
    Ok(())
}
