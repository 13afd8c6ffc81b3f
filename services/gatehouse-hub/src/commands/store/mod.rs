//! The SQL of commands. Instants are the database's own: several processes write these rows.

mod transitions;

pub(crate) use transitions::{
    Ending, Patience, claim, end, ended_among, expire, give_back, heard, keep_person, sent_by,
    time_out,
};

use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use gatehouse_schema::entities::hub::{command_persons, commands};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use serde_json::Value;

/// Why a command is there at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Somebody asked through the API.
    Api,
    /// The platform brings desired parameters to the terminal.
    Shadow,
}

impl Origin {
    /// The spelling in rows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Shadow => "shadow",
        }
    }
}

/// How long an unsent command stays worth sending. One that must not wait still needs a moment to
/// reach the process that holds the socket.
const HANDOVER_S: i64 = 5;

/// A command to be stored.
#[derive(Debug)]
pub(crate) struct NewCommand {
    /// Drawn by the caller.
    pub(crate) id: CommandId,
    /// For whom.
    pub(crate) device: DeviceId,
    /// What.
    pub(crate) kind: CommandType,
    /// Beside the type, with secrets sealed.
    pub(crate) parameters: Value,
    /// Why.
    pub(crate) origin: Origin,
    /// Ended before it began: state, code, sentence.
    pub(crate) ended: Option<(CommandState, &'static str, &'static str)>,
}

fn missing_row() -> DbError {
    DbError::Refused(DbErr::RecordNotInserted)
}

/// Stores a command.
pub(crate) async fn insert(tx: &TenantTx, new: NewCommand) -> Result<commands::Model, DbError> {
    let state = new
        .ended
        .map_or(CommandState::Queued, |(state, _, _)| state);
    let statement = sql(
        "insert into hub.commands (tenant_id, id, device_id, type, parameters, state, urgency, origin, expires_at, \
           finished_at, error_code, error_detail) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9::float8), \
           case when $6 = 'queued' then null else now() end, $10, $11) returning *",
        [
            tx.tenant_uuid().into(),
            new.id.uuid().into(),
            new.device.uuid().into(),
            new.kind.as_str().into(),
            new.parameters.into(),
            state.as_str().into(),
            new.kind.urgency().into(),
            new.origin.as_str().into(),
            new.kind.time_to_live_s().max(HANDOVER_S).into(),
            new.ended.map(|(_, code, _)| code).into(),
            new.ended.map(|(_, _, detail)| detail).into(),
        ],
    );
    let row = commands::Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?;
    row.ok_or_else(missing_row)
}

/// The protocol of a device of this tenant.
pub(crate) async fn device_protocol(
    tx: &TenantTx,
    device: DeviceId,
) -> Result<Option<DeviceProtocol>, DbError> {
    let statement = sql(
        "select protocol from directory.devices where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), device.uuid().into()],
    );
    let Some(row) = tx.conn().query_one_raw(statement).await? else {
        return Ok(None);
    };
    let word: String = row.try_get("", "protocol")?;
    word.parse()
        .map(Some)
        .map_err(|e| crate::commands::view::unknown_word(&e))
}

/// One command of one device.
pub(crate) async fn find(
    tx: &TenantTx,
    device: DeviceId,
    command: CommandId,
) -> Result<Option<commands::Model>, DbError> {
    let statement = sql(
        "select * from hub.commands where tenant_id = $1 and id = $2 and device_id = $3",
        [
            tx.tenant_uuid().into(),
            command.uuid().into(),
            device.uuid().into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?)
}

/// Which commands of a device are wanted.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// In this state.
    pub(crate) state: Option<CommandState>,
    /// Of this type.
    pub(crate) kind: Option<CommandType>,
    /// Older than this one.
    pub(crate) before: Option<uuid::Uuid>,
}

/// Commands of a device, newest first.
pub(crate) async fn list(
    tx: &TenantTx,
    device: DeviceId,
    filter: Filter,
    rows: u64,
) -> Result<Vec<commands::Model>, DbError> {
    let statement = sql(
        "select * from hub.commands where tenant_id = $1 and device_id = $2 and ($3::text is null or state = $3) \
           and ($4::text is null or type = $4) and ($5::uuid is null or id < $5) \
         order by id desc limit $6",
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            filter.state.map(CommandState::as_str).into(),
            filter.kind.map(CommandType::as_str).into(),
            filter.before.into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .all(tx.conn())
        .await?)
}

/// Persons that came in answer to a command, by their index, after a given one.
pub(crate) async fn persons(
    tx: &TenantTx,
    command: CommandId,
    after: Option<i64>,
    rows: u64,
) -> Result<Vec<command_persons::Model>, DbError> {
    let statement = sql(
        "select * from hub.command_persons where tenant_id = $1 and command_id = $2 and index > $3 order by index limit $4",
        [
            tx.tenant_uuid().into(),
            command.uuid().into(),
            after.unwrap_or(-1).into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(command_persons::Entity::find()
        .from_raw_sql(statement)
        .all(tx.conn())
        .await?)
}

/// The command that is bringing parameters to a device, where one is under way.
pub(crate) async fn open_set_parameters(
    tx: &TenantTx,
    device: DeviceId,
) -> Result<Option<CommandId>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select id from hub.commands where tenant_id = $1 and device_id = $2 and type = 'set_parameters' \
               and state in ('queued', 'sent') order by id limit 1",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    row.map(|row| Ok(CommandId::from_uuid(row.try_get("", "id")?)))
        .transpose()
}

/// How often this version of the desired parameters was written since the terminal connected:
/// (all attempts, those that did not succeed).
pub(crate) async fn writes_of_version(
    tx: &TenantTx,
    device: DeviceId,
    version: i64,
) -> Result<(i64, i64), DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select count(*) as attempts, count(*) filter (where c.state <> 'succeeded') as failures \
             from hub.commands c \
             left join hub.terminals t on t.tenant_id = c.tenant_id and t.device_id = c.device_id \
             where c.tenant_id = $1 and c.device_id = $2 and c.type = 'set_parameters' and c.state not in ('queued', 'sent') \
               and (c.parameters ->> 'desired_version')::bigint = $3 and c.sent_at >= coalesce(t.connected_at, '-infinity')",
            [tx.tenant_uuid().into(), device.uuid().into(), version.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((row.try_get("", "attempts")?, row.try_get("", "failures")?))
}
