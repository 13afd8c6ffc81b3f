//! The SQL of read-backs as such: begun, moved on, ended, listed.

use chrono::{DateTime, Utc};
use gatehouse_contracts::CommandWanted;
use gatehouse_domain::command::CommandType;
use gatehouse_domain::{CommandId, DeviceId, ReadbackId};
use gatehouse_platform::db::{DbError, SYNC, TenantTx, sql};
use gatehouse_platform::outbox;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use serde_json::{Value, json};
use uuid::Uuid;

/// A row of `sync.readbacks`.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) device_id: Uuid,
    pub(super) full_read: bool,
    pub(super) state: String,
    pub(super) asked_at: DateTime<Utc>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) counted: Option<i64>,
    pub(super) expected: Option<i64>,
    pub(super) missing: Option<i64>,
    pub(super) surplus: Option<i64>,
    pub(super) differing: Option<i64>,
    pub(super) findings: Value,
    pub(super) removed_meanwhile: Vec<String>,
    pub(super) error: Option<String>,
}

const COLUMNS: &str = "id, device_id, full_read, state, asked_at, finished_at, counted, expected, missing, surplus, differing, \
     findings, removed_meanwhile, error";
const OPEN: &str = "state in ('counting', 'reading', 'comparing')";
/// Who asks the hub.
const ORIGIN: &str = "readback";

fn command() -> CommandId {
    CommandId::from_uuid(Uuid::now_v7())
}

async fn want(
    tx: &TenantTx,
    device_id: DeviceId,
    command_id: CommandId,
    command_type: CommandType,
) -> Result<(), DbError> {
    let event = CommandWanted {
        command_id,
        device_id,
        command_type,
        parameters: json!({}),
        origin: ORIGIN.to_owned(),
    };
    outbox::publish(tx, SYNC, event).await?;
    Ok(())
}

/// Begins with counting, or joins the read-back of this terminal that is under way; whether it is new.
pub(super) async fn begin(
    tx: &TenantTx,
    device: DeviceId,
    full: bool,
) -> Result<(Row, bool), DbError> {
    let (id, command_id) = (Uuid::now_v7(), command());
    let statement = sql(
        &format!(
            "insert into sync.readbacks as r (tenant_id, id, device_id, full_read, state, command_id) \
             values ($1, $2, $3, $4, 'counting', $5) \
             on conflict (tenant_id, device_id) where {OPEN} do update set full_read = r.full_read or excluded.full_read \
             returning {COLUMNS}"
        ),
        [
            tx.tenant_uuid().into(),
            id.into(),
            device.uuid().into(),
            full.into(),
            command_id.uuid().into(),
        ],
    );
    let row = Row::find_by_statement(statement).one(tx.conn()).await?;
    let row = row.ok_or(DbError::Refused(DbErr::RecordNotInserted))?;
    let is_new = row.id == id;
    if is_new {
        want(tx, device, command_id, CommandType::CountPersons).await?;
    }
    Ok((row, is_new))
}

/// The open read-back that waits for this command, held until the end of the transaction.
pub(super) async fn awaiting(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!(
            "select {COLUMNS} from sync.readbacks \
              where tenant_id = $1 and device_id = $2 and {OPEN} and command_id = $3 for update"
        ),
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            command.uuid().into(),
        ],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// What the hub holds of a command.
#[derive(Debug, Default, FromQueryResult)]
pub(super) struct CommandRow {
    pub(super) sent_at: Option<DateTime<Utc>>,
    pub(super) result: Option<Value>,
    pub(super) error_detail: Option<String>,
}

impl CommandRow {
    /// How many persons the terminal says it holds.
    pub(super) fn count(&self) -> Option<i64> {
        self.result.as_ref()?.get("count")?.as_i64()
    }
}

/// A command; nothing where the hub has no such row.
pub(super) async fn command_row(tx: &TenantTx, command: CommandId) -> Result<CommandRow, DbError> {
    let statement = sql(
        "select sent_at, result, error_detail from hub.commands where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), command.uuid().into()],
    );
    let row = CommandRow::find_by_statement(statement)
        .one(tx.conn())
        .await?;
    Ok(row.unwrap_or_default())
}

/// How many persons of a list the hub kept.
pub(super) async fn kept(tx: &TenantTx, command: CommandId) -> Result<i64, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select count(*) as kept from hub.command_persons where tenant_id = $1 and command_id = $2",
            [tx.tenant_uuid().into(), command.uuid().into()],
        ))
        .await?;
    let row = row.ok_or(DbError::Refused(DbErr::RecordNotFound(
        "a count".to_owned(),
    )))?;
    Ok(row.try_get("", "kept")?)
}

/// How many the terminal should hold by what is proved: (proved, at least, at most). What is under
/// way may or may not have arrived.
pub(super) async fn expected(tx: &TenantTx, device: DeviceId) -> Result<(i64, i64, i64), DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select count(*) filter (where applied is not null) as proved, \
                    count(*) filter (where applied is not null and offer is null) as at_least, \
                    count(*) filter (where applied is not null or maybe_held) as at_most \
               from sync.assignments where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    let row = row.ok_or(DbError::Refused(DbErr::RecordNotFound(
        "a count".to_owned(),
    )))?;
    Ok((
        row.try_get("", "proved")?,
        row.try_get("", "at_least")?,
        row.try_get("", "at_most")?,
    ))
}

/// The whole register of the device was read.
pub(super) async fn note_full(tx: &TenantTx, device: DeviceId) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update sync.devices set full_read_due_at = null where tenant_id = $1 and device_id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// Goes on to read every person.
pub(super) async fn read_all(
    tx: &TenantTx,
    readback: &Row,
    counted: i64,
    expected: i64,
) -> Result<(), DbError> {
    let command_id = command();
    tx.conn()
        .execute_raw(sql(
            "update sync.readbacks set state = 'reading', command_id = $3, counted = $4, expected = $5 \
              where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                readback.id.into(),
                command_id.uuid().into(),
                counted.into(),
                expected.into(),
            ],
        ))
        .await?;
    let device = DeviceId::from_uuid(readback.device_id);
    want(tx, device, command_id, CommandType::ListPersons).await
}

/// What came of a read-back.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counted: i64,
    pub(super) expected: i64,
    pub(super) missing: i64,
    pub(super) surplus: i64,
    pub(super) differing: i64,
    pub(super) findings: Value,
}

/// It went well.
pub(super) async fn succeed(
    tx: &TenantTx,
    readback: &Row,
    outcome: Outcome,
) -> Result<(), DbError> {
    let Outcome {
        counted,
        expected,
        missing,
        surplus,
        differing,
        findings,
    } = outcome;
    tx.conn()
        .execute_raw(sql(
            "update sync.readbacks set state = 'succeeded', finished_at = now(), counted = $3, expected = $4, missing = $5, \
                surplus = $6, differing = $7, findings = $8, removed_meanwhile = '{}' where tenant_id = $1 and id = $2",
            [
                tx.tenant_uuid().into(),
                readback.id.into(),
                counted.into(),
                expected.into(),
                missing.into(),
                surplus.into(),
                differing.into(),
                findings.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// It did not.
pub(super) async fn fail(tx: &TenantTx, readback: &Row, why: &str) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update sync.readbacks set state = 'failed', finished_at = now(), error = $3, removed_meanwhile = '{}' \
              where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), readback.id.into(), why.into()],
        ))
        .await?;
    Ok(())
}

/// Ends those of which nothing was heard for so long; how many.
pub(super) async fn give_up(tx: &TenantTx, after_s: i64, why: &str) -> Result<u64, DbError> {
    let ended = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "update sync.readbacks set state = 'failed', finished_at = now(), error = $3, removed_meanwhile = '{{}}' \
                  where tenant_id = $1 and {OPEN} and asked_at < now() - make_interval(secs => $2::float8)"
            ),
            [tx.tenant_uuid().into(), after_s.into(), why.into()],
        ))
        .await?;
    Ok(ended.rows_affected())
}

/// One read-back.
pub(super) async fn find(tx: &TenantTx, id: ReadbackId) -> Result<Option<Row>, DbError> {
    let statement = sql(
        &format!("select {COLUMNS} from sync.readbacks where tenant_id = $1 and id = $2"),
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Row::find_by_statement(statement).one(tx.conn()).await?)
}

/// The read-backs of a device, newest first, below a position.
pub(super) async fn list(
    tx: &TenantTx,
    device: DeviceId,
    below: Option<Uuid>,
    rows: u64,
) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "select {COLUMNS} from sync.readbacks where tenant_id = $1 and device_id = $2 and id < $3 order by id desc limit $4"
        ),
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            below.unwrap_or(Uuid::max()).into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}
