//! Commands that other services ask for: stored under the id they drew, and sent like any other.

use crate::commands::store;
use crate::hub::Hub;
use async_trait::async_trait;
use gatehouse_contracts::{CommandFinished, CommandWanted, Event, RawEnvelope, Wake};
use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::{DbError, HUB, TenantTx, sql};
use gatehouse_platform::outbox;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;

/// The session is woken this long after the command was written: the transaction that stores it ends
/// when the handler has returned. A wake-up that still comes too early is made good by the look for
/// queued commands.
const COMMITTED_WITHIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(300)];

/// Reads what is wanted.
pub(crate) fn consumer(hub: &Arc<Hub>) -> Consumer {
    Consumer {
        queue: "hub.wanted_commands",
        kinds: &[CommandWanted::KIND],
        handler: Arc::new(Wanted { hub: hub.clone() }),
    }
}

struct Wanted {
    hub: Arc<Hub>,
}

#[async_trait]
impl Handler for Wanted {
    async fn handle(&self, tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let tenant_id = message.tenant_id;
        let wanted = message.read::<CommandWanted>()?.data;
        let device_id = wanted.device_id;
        if !may_be_wanted(wanted.command_type) {
            return Err(HandleError::Permanent(format!(
                "a service asked for {}, which only somebody with the permission may ask for",
                wanted.command_type
            )));
        }
        if store(tx, &wanted).await? {
            let hub = self.hub.clone();
            tokio::spawn(async move {
                for pause in COMMITTED_WITHIN {
                    tokio::time::sleep(pause).await;
                    hub.kit.bus.wake(Wake::Commands {
                        tenant_id,
                        device_id,
                    });
                }
            });
        }
        Ok(())
    }
}

/// Only what reads the register: a service has no permissions, and needs none for this.
const fn may_be_wanted(kind: CommandType) -> bool {
    match kind {
        CommandType::CountPersons | CommandType::ListPersons | CommandType::ReadPerson => true,
        CommandType::OpenDoor
        | CommandType::Reboot
        | CommandType::CapturePhoto
        | CommandType::GetParameters
        | CommandType::SetParameters
        | CommandType::UpgradeFirmware
        | CommandType::ClearRecords => false,
    }
}

/// Stores the command, if it is new and there is a terminal to ask; whether there is.
async fn store(tx: &TenantTx, wanted: &CommandWanted) -> Result<bool, DbError> {
    let CommandWanted {
        command_id,
        device_id,
        command_type,
        parameters,
        origin,
    } = wanted;
    match store::device_protocol(tx, *device_id).await? {
        Some(DeviceProtocol::TerminalWs) => {}
        // Whoever asked hears that nothing comes of it; there is no row to tell more.
        Some(DeviceProtocol::HttpPush) | None => {
            let event = CommandFinished {
                command_id: *command_id,
                device_id: *device_id,
                command_type: *command_type,
                state: CommandState::Undeliverable,
            };
            outbox::publish(tx, HUB, event).await?;
            tracing::info!(command = %command_id, device = %device_id, "a command was wanted of a device that takes none");
            return Ok(false);
        }
    }
    forget_older(tx, wanted).await?;
    let stored = tx
        .conn()
        .execute_raw(sql(
            "insert into hub.commands (tenant_id, id, device_id, type, parameters, urgency, origin, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8::float8)) on conflict do nothing",
            [
                tx.tenant_uuid().into(),
                command_id.uuid().into(),
                device_id.uuid().into(),
                command_type.as_str().into(),
                parameters.clone().into(),
                command_type.urgency().into(),
                origin.as_str().into(),
                command_type.time_to_live_s().into(),
            ],
        ))
        .await?;
    Ok(stored.rows_affected() > 0)
}

/// What was told before in answer to the same service is of no use any more, and a register holds
/// names: it goes with the next question.
async fn forget_older(tx: &TenantTx, wanted: &CommandWanted) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "delete from hub.commands where tenant_id = $1 and device_id = $2 and origin = $3 \
               and finished_at < now() - interval '1 hour'",
            [
                tx.tenant_uuid().into(),
                wanted.device_id.uuid().into(),
                wanted.origin.as_str().into(),
            ],
        ))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_only_look() {
        for kind in CommandType::ALL {
            let looks = matches!(
                kind,
                CommandType::CountPersons | CommandType::ListPersons | CommandType::ReadPerson
            );
            assert_eq!(may_be_wanted(*kind), looks, "{kind}");
        }
    }
}
