//! Whether a device is there: the hub that holds its session renews a lease in Redis. While Redis is
//! away, the hub's last row about it has to do.

use super::store::Row;
use chrono::{DateTime, Duration, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::cache::Cache;
use uuid::Uuid;

/// A row that was not touched for so long speaks of a hub that died.
const ROW_BELIEVED_FOR_MINUTES: i64 = 10;

/// The lease of a device's session, as the hub writes it.
fn lease(tenant: Uuid, device: Uuid) -> String {
    format!("presence:{}:{}", tenant.as_simple(), device.as_simple())
}

/// Says of each device whether it is online.
pub(super) async fn of(cache: &Cache, tenant: TenantId, rows: Vec<Row>) -> Vec<(Row, bool)> {
    let keys: Vec<String> = rows
        .iter()
        .map(|row| lease(tenant.uuid(), row.id))
        .collect();
    match cache.held(&keys).await {
        Ok(leases) => {
            let leases = leases
                .into_iter()
                .map(|lease| lease.is_some())
                .chain(std::iter::repeat(false));
            rows.into_iter().zip(leases).collect()
        }
        Err(error) => {
            tracing::debug!(%error, "presence is judged by the rows alone");
            let now = Utc::now();
            rows.into_iter()
                .map(|row| {
                    let online = by_row(&row, now);
                    (row, online)
                })
                .collect()
        }
    }
}

fn by_row(row: &Row, now: DateTime<Utc>) -> bool {
    let connected = match (row.connected_at, row.disconnected_at) {
        (Some(connected), Some(disconnected)) => connected > disconnected,
        (Some(_), None) => true,
        (None, Some(_) | None) => false,
    };
    connected
        && row
            .last_seen_at
            .is_some_and(|seen| seen > now - Duration::minutes(ROW_BELIEVED_FOR_MINUTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_has_the_form_that_the_hub_writes() {
        let (tenant, device) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(
            lease(tenant, device),
            format!("presence:{:032x}:{:032x}", 1, 2)
        );
    }

    #[test]
    fn without_redis_the_row_decides() {
        let now = Utc::now();
        let ago = |minutes| Some(now - Duration::minutes(minutes));
        for (connected_at, disconnected_at, last_seen_at, online) in [
            (None, None, None, false),
            (ago(60), None, ago(1), true),
            (ago(60), ago(90), ago(1), true),
            (ago(60), ago(2), ago(2), false),
            (ago(60), None, ago(11), false),
            (ago(60), None, None, false),
        ] {
            let row = Row {
                connected_at,
                disconnected_at,
                last_seen_at,
                ..Row::sample()
            };
            assert_eq!(
                by_row(&row, now),
                online,
                "{connected_at:?} {disconnected_at:?} {last_seen_at:?}"
            );
        }
    }
}
