//! The SQL of `hub.discovered_devices`.

use crate::sessions::{Knocking, serial_number};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DiscoveredDeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, TenantTx, sql};
use gatehouse_schema::entities::hub::discovered_devices;
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Longest text of a terminal's own about itself that is kept.
const WORDS_MAX_CHARS: usize = 128;
/// Discovered numbers of one tenant that are kept: whoever knows a token can invent any number.
const MOST_OF_A_TENANT: i64 = 1_000;

/// Writes down who knocked in vain.
pub(crate) async fn note(
    tx: &SystemTx,
    strangers: &[(TenantId, &Knocking)],
) -> Result<(), DbError> {
    let mut latest: BTreeMap<(TenantId, String), (i64, &Knocking)> = BTreeMap::new();
    for (tenant, knocking) in strangers {
        let number = serial_number(&knocking.register);
        let entry = latest.entry((*tenant, number)).or_insert((0, knocking));
        *entry = (entry.0.saturating_add(1), knocking);
    }
    if latest.is_empty() {
        return Ok(());
    }
    let words = |of: fn(&Knocking) -> &str| -> sea_orm::Value {
        let all = latest.values().map(|(_, k)| {
            of(k)
                .chars()
                .filter(|c| *c != '\0')
                .take(WORDS_MAX_CHARS)
                .collect()
        });
        all.collect::<Vec<String>>().into()
    };
    let values = [
        latest
            .keys()
            .map(|(tenant, _)| tenant.uuid())
            .collect::<Vec<Uuid>>()
            .into(),
        latest
            .keys()
            .map(|_| Uuid::now_v7())
            .collect::<Vec<Uuid>>()
            .into(),
        latest
            .keys()
            .map(|(_, sn)| sn.clone())
            .collect::<Vec<String>>()
            .into(),
        latest
            .values()
            .map(|(attempts, _)| *attempts)
            .collect::<Vec<i64>>()
            .into(),
        words(|k| k.remote.as_deref().unwrap_or_default()),
        words(|k| &k.register.hardware_version),
        words(|k| &k.register.software_version),
        words(|k| &k.register.alg_version),
        DeviceProtocol::TerminalWs.as_str().into(),
        MOST_OF_A_TENANT.into(),
    ];
    tx.conn()
        .execute_raw(sql(
            "insert into hub.discovered_devices as d (tenant_id, id, sn, protocol, attempts, remote_address,
               hardware_version, software_version, algorithm_version)
             select tenant_id, id, sn, $9, attempts, nullif(remote, ''), hardware, software, algorithm
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int8[], $5::text[], $6::text[], $7::text[], $8::text[])
               as new (tenant_id, id, sn, attempts, remote, hardware, software, algorithm)
             where $10 > (select count(*) from hub.discovered_devices o where o.tenant_id = new.tenant_id)
               or exists (select from hub.discovered_devices o where o.tenant_id = new.tenant_id and o.sn = new.sn)
             on conflict (tenant_id, sn) do update set last_seen_at = now(), attempts = d.attempts + excluded.attempts,
               remote_address = excluded.remote_address, hardware_version = excluded.hardware_version,
               software_version = excluded.software_version, algorithm_version = excluded.algorithm_version",
            values,
        ))
        .await?;
    Ok(())
}

/// Writes down a device that called over HTTP in vain.
pub(crate) async fn note_caller(
    tx: &SystemTx,
    tenant: TenantId,
    sn: &str,
    remote: Option<&str>,
) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "insert into hub.discovered_devices as d (tenant_id, id, sn, protocol, remote_address)
             select $1, $2, $3, $4, $5
             where $6 > (select count(*) from hub.discovered_devices o where o.tenant_id = $1)
               or exists (select from hub.discovered_devices o where o.tenant_id = $1 and o.sn = $3)
             on conflict (tenant_id, sn) do update set last_seen_at = now(), attempts = d.attempts + 1,
               protocol = excluded.protocol, remote_address = excluded.remote_address",
            [
                tenant.uuid().into(),
                Uuid::now_v7().into(),
                sn.into(),
                DeviceProtocol::HttpPush.as_str().into(),
                remote.into(),
                MOST_OF_A_TENANT.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// The discovered numbers of a tenant, newest first, below a position. One that was claimed a moment
/// ago is none any more, whether the news has arrived or not.
pub(super) async fn list(
    tx: &TenantTx,
    below: Option<Uuid>,
    rows: u64,
) -> Result<Vec<discovered_devices::Model>, DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let statement = sql(
        "select * from hub.discovered_devices o where tenant_id = $1 and ($2::uuid is null or id < $2)
           and not exists (select from directory.devices d where d.tenant_id = o.tenant_id and d.sn = o.sn)
         order by id desc limit $3",
        [tx.tenant_uuid().into(), below.into(), rows.into()],
    );
    Ok(discovered_devices::Model::find_by_statement(statement)
        .all(tx.conn())
        .await?)
}

/// Forgets one; whether it was there.
pub(super) async fn forget(tx: &TenantTx, id: DiscoveredDeviceId) -> Result<bool, DbError> {
    let forgotten = tx
        .conn()
        .execute_raw(sql(
            "delete from hub.discovered_devices where tenant_id = $1 and id = $2",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(forgotten.rows_affected() > 0)
}

/// Forgets the number of a device that was claimed.
pub(super) async fn forget_number(tx: &TenantTx, sn: &str) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from hub.discovered_devices where tenant_id = $1 and sn = $2",
            [tx.tenant_uuid().into(), sn.into()],
        ))
        .await?;
    Ok(())
}
