//! The SQL of planning: what is wanted is laid out in a table of the transaction, and compared with
//! the assignments. The rows never leave the database. A row whose desired hash stays is not touched,
//! except for the week it refers to.
//!
//! Statistics may be missing: a tenant brings ten thousand persons in and gives them a door in the
//! same minute, and the planner of the database takes its rows for a handful. So how rows are joined is
//! said here: many of them by hashing (`join_by_hash`), few of them one by one through the primary key,
//! behind a fence (`offset 0`, `for update`) that keeps the database from turning the join around.
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

/// Rows up to which they are looked up one by one.
const FEW: u64 = 2000;
/// Members and persons up to which `directory.reach` may be read by nested loops.
const FEW_MEMBERS: i64 = 1000;
const FEW_PERSONS: usize = 100;

/// Tables that go with the transaction: what is wanted, whose rows are to be withdrawn or changed, and
/// how many of each per device.
const TABLES: &str = "
  create temporary table wanted (device_id uuid, number text, person_id uuid, terminal_hash bytea, has_photo boolean,
    valid_from timestamptz, valid_to timestamptz, admittance text, schedules uuid[]) on commit drop;
  create temporary table unwanted (device_id uuid, number text) on commit drop;
  create temporary table picked (tid tid) on commit drop;
  create temporary table changed (device_id uuid, number text, person_id uuid, admittance text, week_id uuid,
    content bytea, has_photo boolean, old_desired bytea, desired bytea) on commit drop;
  create temporary table tally (device_id uuid, adds bigint, updates bigint, removes bigint) on commit drop;";

/// Makes the tables. Once in a transaction.
pub(super) async fn prepare(tx: &TenantTx) -> Result<(), DbError> {
    tx.conn().execute_unprepared(TABLES).await?;
    Ok(())
}

/// How many rows were laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LaidOut {
    wanted: u64,
    unwanted: u64,
}

/// Lays out what is wanted within the scope, and which rows of it are not wanted any more.
pub(super) async fn lay_out(tx: &TenantTx, scope: &Scope) -> Result<LaidOut, DbError> {
    let devices = devices_of(tx, scope).await?;
    let values = || -> [Value; 3] {
        [
            tx.tenant_uuid().into(),
            devices.clone().into(),
            scope.persons.clone().into(),
        ]
    };
    // Who may always pass is told the week of all hours, so that validity cuts it too.
    let wanted = || values().into_iter().chain([Uuid::nil().into()]);
    let many = scope.persons.len() > FEW_PERSONS || has_many_members(tx, &devices).await?;
    join_by_hash(tx, many).await?;
    let mut laid_out = LaidOut::default();
    // Two statements each and not one with "or": either condition finds an index by itself.
    let of_devices = "device_id = any($2) and $3::uuid[] is not null";
    let of_persons = "person_id = any($3) and device_id <> all($2)";
    for condition in [of_devices, of_persons] {
        let statement = format!(
            "insert into pg_temp.wanted \
             select device_id, number::text, person_id, terminal_hash, photo_count > 0, valid_from, valid_to, admittance, \
                    case admittance when 'scheduled' then schedules when 'always' then array[$4::uuid] end \
               from directory.reach where tenant_id = $1 and {condition}"
        );
        let done = tx.conn().execute_raw(sql(&statement, wanted())).await?;
        laid_out.wanted = laid_out.wanted.saturating_add(done.rows_affected());
    }
    tx.conn().execute_unprepared("analyze wanted").await?;
    join_by_hash(tx, true).await?;
    for condition in [of_devices, of_persons] {
        let statement = format!(
            "insert into pg_temp.unwanted \
             select a.device_id, a.number from sync.assignments a \
              where a.tenant_id = $1 and a.{condition} and a.person_id is not null \
                and (a.desired is not null or a.state <> 'removing') \
                and not exists (select from pg_temp.wanted w where w.device_id = a.device_id and w.number = a.number)"
        );
        let done = tx.conn().execute_raw(sql(&statement, values())).await?;
        laid_out.unwanted = laid_out.unwanted.saturating_add(done.rows_affected());
    }
    tx.conn().execute_unprepared("analyze unwanted").await?;
    Ok(laid_out)
}

/// Keeps the database from nested loops, or lets it choose.
pub(super) async fn join_by_hash(tx: &TenantTx, only: bool) -> Result<(), DbError> {
    let nested_loops = if only { "off" } else { "on" };
    tx.conn()
        .execute_raw(sql(
            "select set_config('enable_nestloop', $1, true)",
            [nested_loops.into()],
        ))
        .await?;
    Ok(())
}

/// Whether the groups that may pass the devices have many members.
async fn has_many_members(tx: &TenantTx, devices: &[Uuid]) -> Result<bool, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select count(*) > $3 as many from ( \
               select from directory.group_members m where m.tenant_id = $1 and m.group_id = any(array( \
                 select x.group_id from directory.permits x where x.tenant_id = $1 and x.device_id = any($2))) \
               limit $3 + 1) m",
            [
                tx.tenant_uuid().into(),
                devices.to_vec().into(),
                FEW_MEMBERS.into(),
            ],
        ))
        .await?;
    Ok(row
        .map(|row| row.try_get("", "many"))
        .transpose()?
        .unwrap_or(false))
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
pub(super) async fn withdraw(
    tx: &TenantTx,
    change: Uuid,
    laid_out: LaidOut,
) -> Result<(), DbError> {
    let many = laid_out.unwanted > FEW;
    join_by_hash(tx, many).await?;
    let (using, from, which) = if many {
        (
            "using pg_temp.unwanted u",
            "from pg_temp.unwanted u",
            "a.device_id = u.device_id and a.number = u.number",
        )
    } else {
        // Where a row is stays true while it is locked.
        tx.conn()
            .execute_raw(sql(
                "insert into pg_temp.picked \
                 select x.tid from pg_temp.unwanted u cross join lateral ( \
                   select a.ctid as tid from sync.assignments a \
                    where a.tenant_id = $1 and a.device_id = u.device_id and a.number = u.number for update) x",
                [tx.tenant_uuid().into()],
            ))
            .await?;
        (
            "",
            "",
            "a.ctid = any(array(select tid from pg_temp.picked))",
        )
    };
    let of_row = format!(
        "a.tenant_id = $1 and {which} and (a.desired is not null or a.state <> 'removing')"
    );
    tx.conn()
        .execute_raw(sql(
            &format!(
                "with gone as ( \
                   delete from sync.assignments a {using} where {of_row} and not ({HELD}) returning a.device_id) \
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
                     {from} where {of_row} returning a.device_id) \
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
   case when k.id is null then '' else sync.week_cut(w.valid_from, w.valid_to, k.zone, k.starts_on) end)";

/// The row that is there for what is wanted.
fn row_there(laid_out: LaidOut) -> &'static str {
    if laid_out.wanted > FEW {
        "left join sync.assignments a on a.tenant_id = $1 and a.device_id = w.device_id and a.number = w.number"
    } else {
        "left join lateral (select * from sync.assignments r \
            where r.tenant_id = $1 and r.device_id = w.device_id and r.number = w.number offset 0) a on true"
    }
}

/// Changes the rows of those who are wanted otherwise than before. Who lost the last photo is taken
/// away where a terminal holds them, and waits for another one where none does.
pub(super) async fn change(tx: &TenantTx, change: Uuid, laid_out: LaidOut) -> Result<(), DbError> {
    join_by_hash(tx, laid_out.wanted > FEW).await?;
    let there = row_there(laid_out);
    // The fence (offset 0) keeps the hash from being computed for each comparison anew.
    let differing = format!(
        "insert into pg_temp.changed \
         select n.device_id, n.number, n.person_id, n.admittance, n.week_id, n.content, n.has_photo, n.old_desired, n.desired from ( \
           select n.*, case when n.has_photo or not n.held then n.content end as desired from ( \
             select w.device_id, w.number, w.person_id, w.admittance, w.has_photo, k.id as week_id, {CONTENT} as content, \
                    a.desired as old_desired, a.person_id as old_person, a.week_id as old_week, ({HELD}) as held \
               from {LAID_OUT} {there} where a.number is not null \
             offset 0) n offset 0) n \
         where n.desired is distinct from n.old_desired \
            or n.old_person is distinct from n.person_id or n.old_week is distinct from n.week_id"
    );
    let done = tx
        .conn()
        .execute_raw(sql(&differing, [tx.tenant_uuid().into()]))
        .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    // What is changed is found through the primary key in any case: as a conflict. New values come as
    // the row that would be inserted; without a photo its state is 'failed'.
    let has_photo = "excluded.state <> 'failed'";
    let desired = format!("case when {has_photo} or not ({HELD}) then excluded.desired end");
    let same = format!("a.desired is not distinct from {desired}");
    let takes_away = format!("not ({has_photo}) and ({HELD})");
    let applied_already = format!("{has_photo} and a.applied = excluded.desired and {CERTAIN}");
    let statement = format!(
        "insert into sync.assignments as a (tenant_id, device_id, number, person_id, admittance, week_id, desired, \
                state, due_at, error_code, error_message, change_id) \
         select $1, c.device_id, c.number, c.person_id, c.admittance, c.week_id, c.content, \
                case when c.has_photo then 'pending' else 'failed' end, case when c.has_photo then now() end, \
                case when not c.has_photo then $3 end, case when not c.has_photo then $4 end, $2 \
           from pg_temp.changed c order by c.device_id, c.number \
         on conflict (tenant_id, device_id, number) do update set \
           person_id = excluded.person_id, admittance = excluded.admittance, week_id = excluded.week_id, desired = {desired}, \
           state = case when {same} then a.state when {takes_away} then 'removing' when not ({has_photo}) then 'failed' \
                        when a.offer is not null then 'sending' when {applied_already} then 'applied' else 'pending' end, \
           due_at = case when {same} or a.offer is not null then a.due_at when {takes_away} then now() \
                         when not ({has_photo}) or {applied_already} then null else now() end, \
           urgency = case when {same} then a.urgency when {takes_away} then 0 \
                          when excluded.admittance = 'never' and ({HELD}) then 0 else 1 end, \
           attempts = case when {same} or a.offer is not null then a.attempts else 0 end, \
           error_code = case when {same} then a.error_code else excluded.error_code end, \
           error_message = case when {same} then a.error_message else excluded.error_message end, \
           change_id = case when {same} then a.change_id else excluded.change_id end, \
           changed_at = case when {same} then a.changed_at else now() end"
    );
    let values = [
        tx.tenant_uuid().into(),
        change.into(),
        NO_PHOTO.into(),
        NO_PHOTO_SENTENCE.into(),
    ];
    tx.conn().execute_raw(sql(&statement, values)).await?;
    tx.conn()
        .execute_unprepared(
            "insert into pg_temp.tally \
             select device_id, count(*) filter (where old_desired is null), \
                    count(*) filter (where old_desired is not null and desired is not null), \
                    count(*) filter (where desired is null) \
               from pg_temp.changed where old_desired is distinct from desired group by device_id",
        )
        .await?;
    Ok(())
}

/// Adds rows for those who had none. Where somebody else adds the same row at the same moment (who
/// reads a register back may), the transaction fails, and the plan is made again.
pub(super) async fn add(tx: &TenantTx, change: Uuid, laid_out: LaidOut) -> Result<(), DbError> {
    join_by_hash(tx, laid_out.wanted > FEW).await?;
    let there = row_there(laid_out);
    let statement = format!(
        "with added as ( \
           insert into sync.assignments (tenant_id, device_id, number, person_id, admittance, week_id, desired, \
                  state, due_at, error_code, error_message, change_id) \
           select $1, w.device_id, w.number, w.person_id, w.admittance, k.id, {CONTENT}, \
                  case when w.has_photo then 'pending' else 'failed' end, case when w.has_photo then now() end, \
                  case when not w.has_photo then $3 end, case when not w.has_photo then $4 end, $2 \
             from {LAID_OUT} {there} where a.number is null \
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
