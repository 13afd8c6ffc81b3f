//! The SQL by which a command moves on: taken, heard of, ended. Every statement names the states it
//! starts from, so that two who want to end the same command cannot both do so.

use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::{CommandId, DeviceId, TenantId};
use gatehouse_platform::db::{Database, DbError, SystemTx, TenantTx, sql};
use gatehouse_schema::entities::hub::commands;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::Value;

/// Takes the most urgent waiting command of a device for a session, of those up to an urgency. Two sessions never take the
/// same one, and one that is being stored by somebody else is passed over.
pub(crate) async fn claim(
    tx: &SystemTx,
    tenant: TenantId,
    device: DeviceId,
    session: i64,
    up_to: i16,
) -> Result<Option<commands::Model>, DbError> {
    let statement = sql(
        "update hub.commands set state = 'sent', sent_at = now(), heard_at = now(), session = $3 \
         where tenant_id = $1 and state = 'queued' and id = ( \
           select id from hub.commands where tenant_id = $1 and device_id = $2 and state = 'queued' \
             and expires_at > now() and urgency <= $4 \
           order by urgency, id limit 1 for update skip locked) \
         returning *",
        [
            tenant.uuid().into(),
            device.uuid().into(),
            session.into(),
            up_to.into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?)
}

/// Puts a taken command back into the queue.
pub(crate) async fn give_back(
    tx: &SystemTx,
    tenant: TenantId,
    command: CommandId,
    session: i64,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update hub.commands set state = 'queued', sent_at = null, heard_at = null, session = null \
             where tenant_id = $1 and id = $2 and state = 'sent' and session = $3",
            [tenant.uuid().into(), command.uuid().into(), session.into()],
        ))
        .await?;
    Ok(())
}

/// Notes that the terminal still works on a command, and how far it is.
pub(crate) async fn heard(
    tx: &SystemTx,
    tenant: TenantId,
    command: CommandId,
    progress: Value,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update hub.commands set heard_at = now(), progress = $3 where tenant_id = $1 and id = $2 and state = 'sent'",
            [tenant.uuid().into(), command.uuid().into(), progress.into()],
        ))
        .await?;
    Ok(())
}

/// Keeps one person of a list; a repeat replaces. The command's own row is touched once in a few
/// seconds only.
pub(crate) async fn keep_person(
    tx: &TenantTx,
    command: CommandId,
    index: u32,
    person: Value,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into hub.command_persons (tenant_id, command_id, index, person) values ($1, $2, $3, $4) \
             on conflict (tenant_id, command_id, index) do update set person = excluded.person",
            [tx.tenant_uuid().into(), command.uuid().into(), i64::from(index).into(), person.into()],
        ))
        .await?;
    tx.conn()
        .execute_raw(sql(
            "update hub.commands set heard_at = now() \
             where tenant_id = $1 and id = $2 and state = 'sent' and heard_at < now() - interval '5 seconds'",
            [tx.tenant_uuid().into(), command.uuid().into()],
        ))
        .await?;
    Ok(())
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ending {
    /// A final state.
    pub(crate) state: CommandState,
    /// Code and sentence, where it did not succeed.
    pub(crate) error: Option<(String, String)>,
    /// What the terminal brought.
    pub(crate) result: Option<Value>,
    /// The picture it took.
    pub(crate) photo_key: Option<String>,
}

/// Ends a command that has not ended yet; `None` where it has. A command that is still `queued` can
/// be ended too: a crash of the database may have taken back that it was sent.
pub(crate) async fn end(
    tx: &TenantTx,
    command: CommandId,
    ending: &Ending,
) -> Result<Option<commands::Model>, DbError> {
    let (code, detail) = ending.error.clone().unzip();
    let statement = sql(
        "update hub.commands set state = $3, finished_at = now(), result = $4, photo_key = $5, error_code = $6, error_detail = $7 \
         where tenant_id = $1 and id = $2 and state in ('queued', 'sent') returning *",
        [
            tx.tenant_uuid().into(),
            command.uuid().into(),
            ending.state.as_str().into(),
            ending.result.clone().into(),
            ending.photo_key.clone().into(),
            code.into(),
            detail.into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .one(tx.conn())
        .await?)
}

/// What was sent by a session that is over and never answered.
pub(crate) async fn sent_by(
    tx: &TenantTx,
    device: DeviceId,
    session: i64,
) -> Result<Vec<CommandId>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select id from hub.commands where tenant_id = $1 and device_id = $2 and state = 'sent' and session = $3",
            [tx.tenant_uuid().into(), device.uuid().into(), session.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| Ok(CommandId::from_uuid(row.try_get("", "id")?)))
        .collect()
}

/// Which of these have ended.
pub(crate) async fn ended_among(
    db: &Database,
    awaited: &[(TenantId, CommandId)],
) -> Result<Vec<CommandId>, DbError> {
    let (tenants, ids): (Vec<_>, Vec<_>) = awaited
        .iter()
        .map(|(tenant, id)| (tenant.uuid(), id.uuid()))
        .unzip();
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select c.id from unnest($1::uuid[], $2::uuid[]) a (tenant_id, id) \
             join hub.commands c on c.tenant_id = a.tenant_id and c.id = a.id where c.state not in ('queued', 'sent')",
            [tenants.into(), ids.into()],
        ))
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| Ok(CommandId::from_uuid(row.try_get("", "id")?)))
        .collect()
}

/// Ends waiting commands whose time is over, some hundred at a time. Rows that somebody else ends at
/// this moment are passed over.
pub(crate) async fn expire(
    tx: &SystemTx,
    unwaiting: Vec<String>,
    undeliverable: (&str, &str),
    expired: (&str, &str),
    rows: i64,
) -> Result<Vec<commands::Model>, DbError> {
    let statement = sql(
        "with due as ( \
           select tenant_id, id from hub.commands where state = 'queued' and expires_at <= now() \
           order by expires_at limit $6 for update skip locked) \
         update hub.commands c set finished_at = now(), \
           state = case when c.type = any($1) then 'undeliverable' else 'expired' end, \
           error_code = case when c.type = any($1) then $2 else $4 end, \
           error_detail = case when c.type = any($1) then $3 else $5 end \
         from due where c.tenant_id = due.tenant_id and c.id = due.id returning c.*",
        [
            unwaiting.into(),
            undeliverable.0.into(),
            undeliverable.1.into(),
            expired.0.into(),
            expired.1.into(),
            rows.into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .all(tx.conn())
        .await?)
}

/// What silence means for the commands of one type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The type.
    pub(crate) kind: CommandType,
    /// Longest silence, in milliseconds, where the session that sent it is gone.
    pub(crate) without_session_ms: i64,
    /// Longest silence, in milliseconds, whatever the session does.
    pub(crate) at_most_ms: i64,
}

/// Ends sent commands on which the terminal has fallen silent.
pub(crate) async fn time_out(
    tx: &SystemTx,
    patience: &[Patience],
    error: (&str, &str),
    rows: i64,
) -> Result<Vec<commands::Model>, DbError> {
    let kinds: Vec<String> = patience
        .iter()
        .map(|p| p.kind.as_str().to_owned())
        .collect();
    let without_session: Vec<i64> = patience.iter().map(|p| p.without_session_ms).collect();
    let at_most: Vec<i64> = patience.iter().map(|p| p.at_most_ms).collect();
    let statement = sql(
        "with due as ( \
           select c.tenant_id, c.id from hub.commands c \
           join unnest($1::text[], $2::bigint[], $3::bigint[]) p (type, without_session_ms, at_most_ms) on p.type = c.type \
           left join hub.terminals t on t.tenant_id = c.tenant_id and t.device_id = c.device_id \
           where c.state = 'sent' and coalesce(c.heard_at, c.sent_at) < now() - make_interval(secs => (case \
             when t.session is distinct from c.session or t.disconnected_at >= t.connected_at \
             then p.without_session_ms else p.at_most_ms end)::float8 / 1000) \
           order by c.sent_at limit $6 for update of c skip locked) \
         update hub.commands c set state = 'timed_out', finished_at = now(), error_code = $4, error_detail = $5 \
         from due where c.tenant_id = due.tenant_id and c.id = due.id returning c.*",
        [
            kinds.into(),
            without_session.into(),
            at_most.into(),
            error.0.into(),
            error.1.into(),
            rows.into(),
        ],
    );
    Ok(commands::Entity::find()
        .from_raw_sql(statement)
        .all(tx.conn())
        .await?)
}
