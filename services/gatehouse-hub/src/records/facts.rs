//! What the platform knows of who stands at a door, and what it decides about them.

use super::door::Known;
use crate::hub::Hub;
use crate::sessions::Terminal;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use gatehouse_domain::access::{Facts, Measured, decide};
use gatehouse_platform::db::{DbError, sql};
use gatehouse_platform::tenant::TenantScope;
use sea_orm::{ConnectionTrait, DbErr};
use std::time::Duration;

/// Longer, nobody waits at a door.
const WITHIN: Duration = Duration::from_secs(2);

/// The number, where the platform may have given it: digits, no zeros before them.
pub(crate) fn number_of(told: &str) -> Option<i64> {
    let number: i64 = told.parse().ok()?;
    (number > 0 && told.starts_with(|first: char| matches!(first, '1'..='9'))).then_some(number)
}

/// Whom a number stands for.
#[derive(Debug)]
pub(crate) enum Found {
    /// A person of the tenant, with all that the decision needs.
    Person(Box<Facts>),
    /// Somebody who was erased, or whom the terminal is to hold no longer.
    Gone,
    /// Nobody whom the platform ever knew.
    Nobody,
}

/// Decides about the person of a number at a terminal's door.
pub(crate) async fn known(
    hub: &Hub,
    terminal: &Terminal,
    told: &str,
    at: DateTime<Utc>,
    measured: &Measured,
) -> Known {
    let found = find(hub, &terminal.scope, terminal.device, told);
    match tokio::time::timeout(WITHIN, found).await {
        Ok(Ok(Found::Person(facts))) => Known::Person(decide(&facts, at, measured)),
        Ok(Ok(Found::Gone)) => Known::Gone,
        Ok(Ok(Found::Nobody)) => Known::Nobody,
        Ok(Err(error)) => {
            tracing::warn!(%error, device = %terminal.device, "a door stays closed: the authorities could not be read");
            Known::Unasked
        }
        Err(_) => Known::Unasked,
    }
}

const FIND: &str = "\
select (select directory.access_facts($2, p.id) from directory.persons p where p.tenant_id = $1 and p.number = $3) as facts,
  exists (select from directory.erasures e where e.tenant_id = $1 and e.person_number = $3)
  or exists (select from sync.assignments a
             where a.tenant_id = $1 and a.device_id = $2 and a.number = $4 and a.desired is null) as is_gone";

/// Finds out whom a number stands for at a device.
///
/// # Errors
/// The database's.
pub(crate) async fn find(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    told: &str,
) -> Result<Found, DbError> {
    if told.is_empty() || told.contains('\0') {
        return Ok(Found::Nobody);
    }
    let tx = hub.kit.db.tenant(scope).await?;
    let row = tx
        .conn()
        .query_one_raw(sql(
            FIND,
            [
                tx.tenant_uuid().into(),
                device.uuid().into(),
                // No person has the number 0.
                number_of(told).unwrap_or(0).into(),
                told.into(),
            ],
        ))
        .await?;
    let Some(row) = row else {
        return Ok(Found::Nobody);
    };
    let facts: Option<serde_json::Value> = row.try_get("", "facts")?;
    match facts {
        Some(facts) => serde_json::from_value(facts)
            .map(Found::Person)
            .map_err(|error| DbError::Refused(DbErr::Json(error.to_string()))),
        None if row.try_get("", "is_gone")? => Ok(Found::Gone),
        None => Ok(Found::Nobody),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_as_the_platform_gives_them() {
        assert_eq!(number_of("20001"), Some(20_001));
        for told in [
            "",
            "0",
            "-1",
            "+1",
            "007",
            "1 ",
            "1.0",
            "99999999999999999999",
            "a1",
        ] {
            assert_eq!(number_of(told), None, "{told}");
        }
    }
}
