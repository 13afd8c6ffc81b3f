//! Who comes in: a terminal says its serial number, the tenant is known from its address or from the
//! platform's bindings, and the directory says whether the number is the tenant's.
//!
//! Registrations that arrive together are judged together: after a power cut a building's terminals
//! come back within a second. Deliberately absent: sending the verdict (`live`).

use super::link::Entrance;
use super::terminal::DeviceSettings;
use crate::discovered;
use crate::hub::Hub;
use crate::terminals::{self, Arrival};
use chrono_tz::Tz;
use gatehouse_domain::device::{DeviceProtocol, DoorDecision, SignCheck};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::{DbError, SystemTx, sql};
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::{Actor, TenantScope};
use gatehouse_proto_terminal::{ErrorCode, Register, SignVerdict};
use sea_orm::FromQueryResult;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Most registrations that are judged together.
const BATCH: usize = 500;
/// Registrations that may wait.
const WAITING: usize = 4 * BATCH;

/// A terminal that wants in.
#[derive(Debug, Clone)]
pub(crate) struct Knocking {
    pub(crate) entrance: Entrance,
    pub(crate) register: Register,
    pub(crate) session: i64,
    /// Where it comes from.
    pub(crate) remote: Option<String>,
    /// By how much its clock was ahead.
    pub(crate) clock_offset_ms: Option<i64>,
    /// Who registered in the same connection before.
    pub(crate) settled: Option<(TenantId, DeviceId)>,
}

/// What becomes of it.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It comes in.
    Welcome(Welcome),
    /// It does not.
    Refused(Refusal),
    /// Nobody can say at the moment.
    TryLater,
}

/// What a session needs to know of an admitted terminal.
#[derive(Debug, Clone)]
pub(crate) struct Welcome {
    pub(crate) scope: TenantScope,
    pub(crate) device: DeviceId,
    /// Its serial number, as the directory holds it.
    pub(crate) sn: String,
    pub(crate) settings: DeviceSettings,
    /// Whether commands wait for it.
    pub(crate) commands_wait: bool,
}

/// Why a terminal does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The serial number is not bound to a tenant, and the address named none.
    Unbound,
    /// The tenant has no device of this number; it is listed as discovered.
    Unclaimed,
    /// The device is set to another protocol.
    OtherProtocol,
    /// The tenant is disabled.
    TenantDisabled,
    /// The device's signatures are enforced, and this one is wrong or missing.
    Sign,
    /// A registered connection registers as somebody else.
    AnotherTerminal,
}

impl Refusal {
    /// The code in the answer (document 004, section 3): 201 where the check of the registration
    /// itself failed.
    pub(crate) const fn code(self) -> ErrorCode {
        match self {
            Self::Sign => ErrorCode::RegistrationRefused,
            Self::Unbound
            | Self::Unclaimed
            | Self::OtherProtocol
            | Self::TenantDisabled
            | Self::AnotherTerminal => ErrorCode::Failure,
        }
    }

    /// The reason in the close frame.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Unbound => "serial number not bound to a tenant",
            Self::Unclaimed => "device not claimed",
            Self::OtherProtocol => "device set to another protocol",
            Self::TenantDisabled => "tenant disabled",
            Self::Sign => "wrong signature",
            Self::AnotherTerminal => "another serial number on one connection",
        }
    }
}

#[derive(Debug)]
struct Waiting {
    knocking: Knocking,
    told: oneshot::Sender<Verdict>,
}

/// The way in.
#[derive(Debug)]
pub(crate) struct Admissions {
    waiting: mpsc::Sender<Waiting>,
    queue: Mutex<Option<mpsc::Receiver<Waiting>>>,
}

impl Admissions {
    /// Nobody is judged until the task runs.
    pub(crate) fn new() -> Self {
        let (waiting, queue) = mpsc::channel(WAITING);
        Self {
            waiting,
            queue: Mutex::new(Some(queue)),
        }
    }

    /// Asks for a verdict.
    pub(super) async fn ask(&self, knocking: Knocking) -> Verdict {
        let (told, verdict) = oneshot::channel();
        if self.waiting.send(Waiting { knocking, told }).await.is_err() {
            return Verdict::TryLater;
        }
        verdict.await.unwrap_or(Verdict::TryLater)
    }
}

/// The task that judges.
pub(super) fn task(hub: &Arc<Hub>) -> Task {
    let hub = hub.clone();
    Task::new("hub.admissions", move |cancel| async move {
        run(&hub, cancel).await
    })
}

async fn run(hub: &Hub, cancel: CancellationToken) {
    let taken = hub
        .admissions
        .queue
        .lock()
        .ok()
        .and_then(|mut queue| queue.take());
    let Some(mut queue) = taken else {
        return;
    };
    let mut batch = Vec::with_capacity(BATCH);
    while cancel
        .run_until_cancelled(queue.recv_many(&mut batch, BATCH))
        .await
        .is_some_and(|count| count > 0)
    {
        let knocking: Vec<&Knocking> = batch.iter().map(|waiting| &waiting.knocking).collect();
        let verdicts = match judge_all(hub, &knocking).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                tracing::warn!(%error, terminals = batch.len(), "terminals cannot be admitted at the moment");
                vec![Verdict::TryLater; batch.len()]
            }
        };
        for (waiting, verdict) in batch.drain(..).zip(verdicts) {
            // Who asked may have gone in the meantime.
            let _: Result<(), Verdict> = waiting.told.send(verdict);
        }
    }
}

/// Looks everybody up, judges, and writes down who came and who was not let in.
async fn judge_all(hub: &Hub, knocking: &[&Knocking]) -> Result<Vec<Verdict>, DbError> {
    let tx = hub.kit.db.system().await?;
    let found = look_up(&tx, knocking).await?;
    let mut verdicts = vec![Verdict::TryLater; knocking.len()];
    let (mut arrivals, mut strangers) = (Vec::new(), Vec::new());
    for row in &found {
        let place = usize::try_from(row.place).unwrap_or(usize::MAX);
        let (Some(knocks), Some(verdict)) = (knocking.get(place), verdicts.get_mut(place)) else {
            continue;
        };
        *verdict = judge(&tx, knocks, row);
        match verdict {
            Verdict::Welcome(welcome) => arrivals.push(Arrival {
                tenant: welcome.scope.tenant(),
                device: welcome.device,
                knocking: knocks,
            }),
            Verdict::Refused(Refusal::Unclaimed) => {
                strangers.extend(
                    row.tenant_id
                        .map(|tenant| (TenantId::from_uuid(tenant), *knocks)),
                );
            }
            Verdict::Refused(_) | Verdict::TryLater => {}
        }
    }
    terminals::arrive(&tx, &hub.kit.node, &arrivals).await?;
    discovered::note(&tx, &strangers).await?;
    // A crash that takes this back ends the sessions too.
    tx.commit_soon().await?;
    Ok(verdicts)
}

/// What the directory says about one who knocks.
#[derive(Debug, Clone, FromQueryResult)]
struct Found {
    /// Which of the batch.
    place: i64,
    tenant_id: Option<Uuid>,
    tenant_disabled: Option<bool>,
    device_id: Option<Uuid>,
    protocol: Option<String>,
    timezone: Option<String>,
    sign_check: Option<String>,
    door_decision: Option<String>,
    commands_wait: bool,
}

async fn look_up(tx: &SystemTx, knocking: &[&Knocking]) -> Result<Vec<Found>, DbError> {
    let places: Vec<i64> = (0_i64..).take(knocking.len()).collect();
    let tenants: Vec<Uuid> = knocking
        .iter()
        .map(|k| {
            k.entrance
                .tenant()
                .map_or(Uuid::nil(), |tenant| tenant.uuid())
        })
        .collect();
    let numbers: Vec<String> = knocking
        .iter()
        .map(|k| serial_number(&k.register))
        .collect();
    let statement = sql(
        "select k.place, t.tenant_id, t.disabled_at is not null as tenant_disabled, d.id as device_id, d.protocol,
           d.timezone, d.sign_check, d.door_decision,
           exists (select from hub.commands c
             where c.tenant_id = d.tenant_id and c.device_id = d.id and c.state = 'queued') as commands_wait
         from unnest($1::int8[], $2::uuid[], $3::text[]) as k (place, tenant_id, sn)
         left join directory.terminal_bindings b
           on k.tenant_id = '00000000-0000-0000-0000-000000000000' and b.sn = k.sn
         left join directory.tenants t on t.tenant_id = coalesce(b.tenant_id, k.tenant_id)
         left join directory.devices d on d.tenant_id = t.tenant_id and d.sn = k.sn",
        [places.into(), tenants.into(), numbers.into()],
    );
    Ok(Found::find_by_statement(statement).all(tx.conn()).await?)
}

/// As the directory holds it: no white space around it, no NUL.
pub(crate) fn serial_number(register: &Register) -> String {
    register.device_no.trim().replace('\0', "")
}

fn judge(tx: &SystemTx, knocks: &Knocking, found: &Found) -> Verdict {
    let signed = knocks.register.sign_verdict() == SignVerdict::Valid;
    match weigh(found, signed, knocks.settled) {
        Err(Some(refusal)) => Verdict::Refused(refusal),
        Err(None) => {
            tracing::error!(sn = %knocks.register.device_no, "a device's row cannot be read");
            Verdict::TryLater
        }
        Ok((tenant, device, settings)) => Verdict::Welcome(Welcome {
            scope: tx.scope(tenant, Actor::Terminal(device)),
            device,
            sn: serial_number(&knocks.register),
            settings,
            commands_wait: found.commands_wait,
        }),
    }
}

/// Who it is, and how it is to be treated; or why it is refused; or nothing, where the row is damaged.
fn weigh(
    found: &Found,
    signed: bool,
    settled: Option<(TenantId, DeviceId)>,
) -> Result<(TenantId, DeviceId, DeviceSettings), Option<Refusal>> {
    let tenant = found
        .tenant_id
        .map(TenantId::from_uuid)
        .ok_or(Refusal::Unbound)?;
    if found.tenant_disabled.unwrap_or(true) {
        return Err(Some(Refusal::TenantDisabled));
    }
    let device = found
        .device_id
        .map(DeviceId::from_uuid)
        .ok_or(Refusal::Unclaimed)?;
    if settled.is_some_and(|settled| settled != (tenant, device)) {
        return Err(Some(Refusal::AnotherTerminal));
    }
    if found.protocol.as_deref() != Some(DeviceProtocol::TerminalWs.as_str()) {
        return Err(Some(Refusal::OtherProtocol));
    }
    let settings = read_settings(
        found.timezone.as_deref(),
        found.sign_check.as_deref(),
        found.door_decision.as_deref(),
    )
    .ok_or(None)?;
    if settings.sign_check == SignCheck::Enforce && !signed {
        return Err(Some(Refusal::Sign));
    }
    Ok((tenant, device, settings))
}

/// Reads the columns of a device's row that a session needs.
pub(super) fn read_settings(
    timezone: Option<&str>,
    sign_check: Option<&str>,
    door_decision: Option<&str>,
) -> Option<DeviceSettings> {
    Some(DeviceSettings {
        zone: timezone?.parse::<Tz>().ok()?,
        sign_check: sign_check?.parse::<SignCheck>().ok()?,
        door_decision: door_decision?.parse::<DoorDecision>().ok()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            place: 0,
            tenant_id: Some(Uuid::from_u128(1)),
            tenant_disabled: Some(false),
            device_id: Some(Uuid::from_u128(2)),
            protocol: Some("terminal_ws".to_owned()),
            timezone: Some("Asia/Shanghai".to_owned()),
            sign_check: Some("warn".to_owned()),
            door_decision: Some("terminal".to_owned()),
            commands_wait: false,
        }
    }

    fn refusal(found: &Found, signed: bool) -> Option<Refusal> {
        weigh(found, signed, None).unwrap_err()
    }

    #[test]
    fn a_claimed_terminal_comes_in() {
        let (tenant, device, settings) = weigh(&found(), true, None).unwrap();
        assert_eq!(
            (tenant.uuid(), device.uuid()),
            (Uuid::from_u128(1), Uuid::from_u128(2))
        );
        assert_eq!(settings.zone, chrono_tz::Asia::Shanghai);
        assert!(weigh(&found(), true, Some((tenant, device))).is_ok());
    }

    #[test]
    fn each_obstacle_is_told_by_its_own_refusal() {
        type Change = fn(&mut Found);
        let cases: [(Change, Refusal); 5] = [
            (|f| f.tenant_id = None, Refusal::Unbound),
            (|f| f.tenant_disabled = Some(true), Refusal::TenantDisabled),
            (|f| f.device_id = None, Refusal::Unclaimed),
            (
                |f| f.protocol = Some("http_push".to_owned()),
                Refusal::OtherProtocol,
            ),
            (|f| f.sign_check = Some("enforce".to_owned()), Refusal::Sign),
        ];
        for (change, expected) in cases {
            let mut found = found();
            change(&mut found);
            assert_eq!(refusal(&found, false), Some(expected));
        }
        let other = (
            TenantId::from_uuid(Uuid::from_u128(1)),
            DeviceId::from_uuid(Uuid::from_u128(9)),
        );
        assert_eq!(
            weigh(&found(), true, Some(other)).unwrap_err(),
            Some(Refusal::AnotherTerminal)
        );
    }

    #[test]
    fn a_signature_counts_only_where_it_is_enforced() {
        for (setting, signed, comes_in) in [
            ("off", false, true),
            ("warn", false, true),
            ("enforce", true, true),
            ("enforce", false, false),
        ] {
            let mut found = found();
            found.sign_check = Some(setting.to_owned());
            assert_eq!(
                weigh(&found, signed, None).is_ok(),
                comes_in,
                "{setting} {signed}"
            );
        }
    }

    #[test]
    fn a_damaged_row_is_no_refusal() {
        let mut found = found();
        found.timezone = Some("Mars/Olympus".to_owned());
        assert_eq!(refusal(&found, true), None);
    }
}
