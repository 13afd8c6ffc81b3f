//! Lists of visits. Each state has an index that leads to it, so that a page costs the same after a
//! million visits.

use super::store::{COLUMNS, PERSONS, Row};
use super::view::State;
use chrono::{DateTime, Utc};
use gatehouse_domain::PersonId;
use gatehouse_platform::db::{DbError, TenantTx, sql};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a page of visits begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) at: DateTime<Utc>,
    pub(super) id: Uuid,
}

/// Which visits are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) person: Option<PersonId>,
    pub(super) host: Option<PersonId>,
    pub(super) state: Option<State>,
    /// Beginning at this instant or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Beginning before this instant.
    pub(super) to: Option<DateTime<Utc>>,
    /// The last visit that was read before.
    pub(super) after: Option<Position>,
}

impl Wanted {
    /// Whether those who leave first come first, and not those who came last.
    fn by_end(&self) -> bool {
        self.state == Some(State::Current)
    }

    /// The position of a visit in this list.
    pub(super) fn position(&self, row: &Row) -> Position {
        let at = if self.by_end() {
            row.ends_at
        } else {
            row.starts_at
        };
        Position { at, id: row.id }
    }
}

/// Conditions with their values.
struct Conditions {
    text: String,
    values: Vec<sea_orm::Value>,
}

impl Conditions {
    /// Adds a condition; `{}` in it stands for the value.
    fn with(&mut self, condition: &str, value: impl Into<sea_orm::Value>) {
        self.values.push(value.into());
        let parameter = format!("${}", self.values.len());
        self.text.push_str(" and ");
        self.text.push_str(&condition.replace("{}", &parameter));
    }
}

/// Visits: those that began last first, the current ones by their end.
pub(super) async fn list(
    tx: &TenantTx,
    wanted: &Wanted,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Row>, DbError> {
    let mut conditions = Conditions {
        text: "v.tenant_id = $1".to_owned(),
        values: vec![
            tx.tenant_uuid().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ],
    };
    let order = conditions_of(wanted, now, &mut conditions);
    let Conditions { text, values } = conditions;
    let statement = sql(
        &format!(
            "select {COLUMNS} from (select * from directory.visits v where {text} order by {order} limit $2) v
             {PERSONS} order by {order}"
        ),
        values,
    );
    Ok(Row::find_by_statement(statement).all(tx.conn()).await?)
}

/// Adds the conditions; the answer is the order.
fn conditions_of(wanted: &Wanted, now: DateTime<Utc>, conditions: &mut Conditions) -> &'static str {
    let Wanted {
        person,
        host,
        state,
        from,
        to,
        after,
    } = wanted;
    if let Some(person) = person {
        conditions.with("v.person_id = {}", person.uuid());
    }
    if let Some(host) = host {
        conditions.with("v.host_id = {}", host.uuid());
    }
    if let Some(from) = from {
        conditions.with("v.starts_at >= {}", *from);
    }
    if let Some(to) = to {
        conditions.with("v.starts_at < {}", *to);
    }
    match state {
        None => {}
        Some(State::Cancelled) => conditions.text.push_str(" and v.cancelled_at is not null"),
        Some(State::Expected) => {
            conditions.with("v.cancelled_at is null and v.starts_at > {}", now);
        }
        Some(State::Current) => {
            conditions.with("v.cancelled_at is null and v.ends_at > {}", now);
            conditions.with("v.starts_at <= {}", now);
        }
        Some(State::Ended) => {
            conditions.with("v.cancelled_at is null and v.ends_at <= {}", now);
            // What ended has begun: the index need not go through what is still to come.
            conditions.with("v.starts_at < {}", now);
        }
    }
    let (order, beyond) = if wanted.by_end() {
        ("v.ends_at, v.id", "(v.ends_at, v.id) > ")
    } else {
        ("v.starts_at desc, v.id desc", "(v.starts_at, v.id) < ")
    };
    if let Some(Position { at, id }) = after {
        conditions.values.push((*at).into());
        conditions.values.push((*id).into());
        let last = conditions.values.len();
        let position = format!(" and {beyond}(${}, ${last})", last.saturating_sub(1));
        conditions.text.push_str(&position);
    }
    order
}
