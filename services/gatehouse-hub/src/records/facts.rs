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

/// Decides about the person of a number at a terminal's door.
pub(crate) async fn known(
    hub: &Hub,
    terminal: &Terminal,
    told: &str,
    at: DateTime<Utc>,
    measured: &Measured,
) -> Known {
    let Some(number) = number_of(told) else {
        return Known::Nobody;
    };
    let facts = facts(hub, &terminal.scope, terminal.device, number);
    match tokio::time::timeout(WITHIN, facts).await {
        Ok(Ok(Some(facts))) => Known::Person(decide(&facts, at, measured)),
        Ok(Ok(None)) => Known::Nobody,
        Ok(Err(error)) => {
            tracing::warn!(%error, device = %terminal.device, "a door stays closed: the authorities could not be read");
            Known::Unasked
        }
        Err(_) => Known::Unasked,
    }
}

/// All that the decision needs; none where the tenant has no person of that number.
///
/// # Errors
/// The database's.
pub(crate) async fn facts(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    number: i64,
) -> Result<Option<Facts>, DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select directory.access_facts($2, p.id) as facts from directory.persons p where p.tenant_id = $1 and p.number = $3",
            [tx.tenant_uuid().into(), device.uuid().into(), number.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let facts: Option<serde_json::Value> = row.try_get("", "facts")?;
    facts
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| DbError::Refused(DbErr::Json(error.to_string())))
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
