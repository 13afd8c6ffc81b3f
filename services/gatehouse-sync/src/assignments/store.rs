//! The SQL of the lists, and of trying again by hand.

use super::view::AssignmentState;
use chrono::{DateTime, Utc};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::words::UnknownWord;
use gatehouse_domain::{DeviceId, PersonId};
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

/// An assignment with what is known of its device.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Row {
    pub(super) device_id: Uuid,
    pub(super) person_id: Option<Uuid>,
    pub(super) number: String,
    pub(super) state: String,
    pub(super) desired: bool,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
    pub(super) applied_at: Option<DateTime<Utc>>,
    pub(super) proved_at: Option<DateTime<Utc>>,
    pub(super) changed_at: DateTime<Utc>,
    pub(super) attempts: i32,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) offered: bool,
    pub(super) sent_at: Option<DateTime<Utc>>,
    pub(super) truncated: bool,
    pub(super) protocol: String,
    pub(super) connected_at: Option<DateTime<Utc>>,
    pub(super) disconnected_at: Option<DateTime<Utc>>,
}

const ROWS: &str = "select a.device_id, a.person_id, a.number, a.state, a.desired is not null as desired, \
         a.error_code, a.error_message, a.applied_at, a.proved_at, a.changed_at, a.attempts, a.due_at, \
         a.offer is not null as offered, a.sent_at, \
         coalesce(w.truncated and a.admittance = 'scheduled', false) as truncated, \
         d.protocol, t.connected_at, t.disconnected_at \
    from sync.assignments a \
    join directory.devices d on d.tenant_id = a.tenant_id and d.id = a.device_id \
    left join hub.terminals t on t.tenant_id = a.tenant_id and t.device_id = a.device_id \
    left join sync.weeks w on w.tenant_id = a.tenant_id and w.id = a.week_id";

/// The condition, with the state as a literal: only then the index of what is not in order serves.
fn in_state(state: Option<AssignmentState>) -> String {
    state.map_or_else(String::new, |state| format!(" and a.state = '{state}'"))
}

/// The persons of a device by their number, after a given one.
pub(super) async fn of_device(
    tx: &TenantTx,
    device: DeviceId,
    state: Option<AssignmentState>,
    after: Option<String>,
    rows: u64,
) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "{ROWS} where a.tenant_id = $1 and a.device_id = $2 and a.number > $3{} order by a.number limit $4",
            in_state(state)
        ),
        [
            tx.tenant_uuid().into(),
            device.uuid().into(),
            after.unwrap_or_default().into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// The devices of a person, after a given one.
pub(super) async fn of_person(
    tx: &TenantTx,
    person: PersonId,
    state: Option<AssignmentState>,
    after: Option<Uuid>,
    rows: u64,
) -> Result<Vec<Row>, DbError> {
    let statement = sql(
        &format!(
            "{ROWS} where a.tenant_id = $1 and a.person_id = $2 and a.device_id > $3{} order by a.device_id limit $4",
            in_state(state)
        ),
        [
            tx.tenant_uuid().into(),
            person.uuid().into(),
            after.unwrap_or_default().into(),
            i64::try_from(rows).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// The protocol of a device of this tenant.
pub(crate) async fn protocol_of(
    tx: &TenantTx,
    device: DeviceId,
) -> Result<Option<DeviceProtocol>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select protocol from directory.devices where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), device.uuid().into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let word: String = row.try_get("", "protocol")?;
    let unknown = |error: UnknownWord| DbError::Refused(DbErr::Custom(error.to_string()));
    word.parse().map(Some).map_err(unknown)
}

/// Whether the tenant has this person.
pub(super) async fn person_exists(tx: &TenantTx, person: PersonId) -> Result<bool, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select 1 from directory.persons where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), person.uuid().into()],
        ))
        .await?;
    Ok(row.is_some())
}

/// What failed or waits for a time is due now; of these persons, or of all. Gives how many.
pub(super) async fn retry(
    tx: &TenantTx,
    device: DeviceId,
    persons: Option<&[PersonId]>,
) -> Result<u64, DbError> {
    let chosen = persons.map_or("", |_| " and person_id = any($3)");
    let persons: Vec<Uuid> = persons
        .unwrap_or_default()
        .iter()
        .map(|person| person.uuid())
        .collect();
    let changed = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "update sync.assignments set due_at = now(), attempts = 0, error_code = null, error_message = null, \
                    state = case when desired is null then 'removing' else 'pending' end \
                  where tenant_id = $1 and device_id = $2 and $3::uuid[] is not null and state <> 'applied' and offer is null \
                    and (state = 'failed' or due_at > now()){chosen}"
            ),
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                persons.into(),
            ],
        ))
        .await?;
    Ok(changed.rows_affected())
}
