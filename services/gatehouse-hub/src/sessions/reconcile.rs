//! Compares the sessions of this process with the database: is the device still there, under this
//! number and set to this protocol, the tenant enabled, the token valid, and is this the session that
//! counts? Takes no input and can be run at any time; wake-ups only make it run sooner, for one session.

use super::admit::read_settings;
use super::link::{Link, Signal};
use crate::hub::Hub;
use crate::terminals;
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, sql};
use gatehouse_platform::service::Schedule;
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Sessions of one query.
const BATCH: usize = 1_000;
const CHECKED_EVERY: Duration = Duration::from_secs(60);
const QUEUED_EVERY: Duration = Duration::from_secs(10);
const ABANDONED_EVERY: Duration = Duration::from_secs(60);
/// A living session is written down every 30 seconds; one that was not for this long beyond its
/// longest silence has no process.
const ABANDONED_MARGIN_MS: i64 = 180_000;

/// What the database says about one session.
#[derive(Debug, Clone, FromQueryResult)]
struct State {
    place: i64,
    protocol: Option<String>,
    sn: Option<String>,
    timezone: Option<String>,
    sign_check: Option<String>,
    door_decision: Option<String>,
    tenant_enabled: bool,
    token_valid: bool,
    newest_session: Option<i64>,
}

/// Compares all sessions with the database from time to time.
pub(crate) fn check_sessions(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.sessions.check", CHECKED_EVERY, move || {
        let hub = hub.clone();
        async move {
            check_all(&hub).await;
            Ok(())
        }
    })
}

/// Compares all sessions with the database.
pub(super) async fn check_all(hub: &Hub) {
    for part in hub.registry.terminals().chunks(BATCH) {
        check_or_log(hub, part).await;
    }
}

/// Compares some sessions with the database; where that is away, they stay as they are.
pub(super) async fn check_or_log(hub: &Hub, links: &[Arc<Link>]) {
    if let Err(error) = check(hub, links).await {
        tracing::warn!(%error, sessions = links.len(), "sessions could not be compared with the database");
    }
}

async fn check(hub: &Hub, links: &[Arc<Link>]) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    for state in states(&tx, links).await? {
        let place = usize::try_from(state.place).unwrap_or(usize::MAX);
        if let Some(link) = links.get(place) {
            apply(link, &state);
        }
    }
    Ok(())
}

fn apply(link: &Link, state: &State) {
    let Some(terminal) = link.terminal() else {
        return;
    };
    if !state.tenant_enabled {
        link.signal(Signal::TenantDisabled);
    } else if !state.token_valid {
        link.signal(Signal::TokenRevoked);
    } else if state.protocol.as_deref() != Some(DeviceProtocol::TerminalWs.as_str())
        // Another terminal hangs in its place.
        || state.sn.as_deref() != Some(terminal.sn.as_str())
    {
        link.signal(Signal::DeviceRemoved);
    } else if state
        .newest_session
        .is_some_and(|newest| newest != link.session)
    {
        link.signal(Signal::Replaced);
    } else {
        let read = read_settings(
            state.timezone.as_deref(),
            state.sign_check.as_deref(),
            state.door_decision.as_deref(),
        );
        match read {
            Some(settings) => terminal.set_settings(settings),
            None => tracing::error!(device = %terminal.device, "a device's row cannot be read"),
        }
    }
}

async fn states(tx: &SystemTx, links: &[Arc<Link>]) -> Result<Vec<State>, DbError> {
    let known: Vec<(i64, Uuid, Uuid, Uuid)> = (0_i64..)
        .zip(links)
        .filter_map(|(place, link)| {
            let terminal = link.terminal()?;
            let token = link
                .entrance
                .token()
                .map_or(Uuid::nil(), |token| token.uuid());
            Some((
                place,
                terminal.tenant().uuid(),
                terminal.device.uuid(),
                token,
            ))
        })
        .collect();
    let statement = sql(
        "select s.place, d.protocol, d.sn, d.timezone, d.sign_check, d.door_decision,
           coalesce(t.tenant_id is not null and t.disabled_at is null, false) as tenant_enabled,
           s.token_id = '00000000-0000-0000-0000-000000000000'
             or coalesce(k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and k.id is not null, false)
             as token_valid,
           h.session as newest_session
         from unnest($1::int8[], $2::uuid[], $3::uuid[], $4::uuid[]) as s (place, tenant_id, device_id, token_id)
         left join directory.tenants t on t.tenant_id = s.tenant_id
         left join directory.devices d on d.tenant_id = s.tenant_id and d.id = s.device_id
         left join directory.terminal_tokens k on k.tenant_id = s.tenant_id and k.id = s.token_id
         left join hub.terminals h on h.tenant_id = s.tenant_id and h.device_id = s.device_id",
        [
            known.iter().map(|k| k.0).collect::<Vec<i64>>().into(),
            known.iter().map(|k| k.1).collect::<Vec<Uuid>>().into(),
            known.iter().map(|k| k.2).collect::<Vec<Uuid>>().into(),
            known.iter().map(|k| k.3).collect::<Vec<Uuid>>().into(),
        ],
    );
    Ok(State::find_by_statement(statement).all(tx.conn()).await?)
}

/// Finds commands whose wake-up got lost.
pub(crate) fn queued_commands(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.sessions.queued_commands", QUEUED_EVERY, move || {
        let hub = hub.clone();
        async move { nudge_queued(&hub).await.map_err(|error| error.to_string()) }
    })
}

async fn nudge_queued(hub: &Hub) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select distinct tenant_id, device_id from hub.commands where state = 'queued' and expires_at > now()",
            [],
        ))
        .await?;
    for row in rows {
        let (tenant, device): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        hub.registry
            .nudge(TenantId::from_uuid(tenant), DeviceId::from_uuid(device));
    }
    Ok(())
}

/// Ends, in their rows, the sessions whose process is gone.
pub(crate) fn close_abandoned(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.sessions.abandoned", ABANDONED_EVERY, move || {
        let hub = hub.clone();
        async move { end_abandoned(&hub).await.map_err(|error| error.to_string()) }
    })
}

async fn end_abandoned(hub: &Hub) -> Result<(), DbError> {
    let silent_for_ms = i64::from(hub.settings.dead_after_ms).saturating_add(ABANDONED_MARGIN_MS);
    let tx = hub.kit.db.system().await?;
    let closed = terminals::close_abandoned(&tx, silent_for_ms).await?;
    tx.commit().await?;
    if closed > 0 {
        tracing::info!(
            sessions = closed,
            "sessions of a process that is gone were ended"
        );
    }
    Ok(())
}
