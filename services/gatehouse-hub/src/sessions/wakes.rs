//! What other processes tell: commands that wait, devices and tokens that changed, sessions that
//! began elsewhere. A lost wake-up costs time, nothing else (see `reconcile`).

use super::link::{Link, Signal};
use super::reconcile;
use crate::hub::Hub;
use async_trait::async_trait;
use gatehouse_contracts::{Event, RawEnvelope, TerminalTokenChanged, Wake};
use gatehouse_platform::bus::{Consumer, HandleError, Handler};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::service::Task;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Hears wake-ups.
pub(super) fn task(hub: &Arc<Hub>) -> Task {
    let hub = hub.clone();
    Task::new("hub.wakes", move |cancel| async move {
        hear(&hub, cancel).await
    })
}

async fn hear(hub: &Arc<Hub>, cancel: CancellationToken) {
    let mut wakes = hub.kit.bus.wakes();
    while let Some(wake) = cancel.run_until_cancelled(wakes.recv()).await {
        match wake {
            Ok(wake) => heard(hub, wake),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "wake-ups were missed; everything is looked at");
                hub.gate.entrances.forget();
                for link in hub.registry.terminals() {
                    link.signal(Signal::Nudge);
                    link.signal(Signal::Offers);
                }
                reconcile::check_all(hub).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn heard(hub: &Arc<Hub>, wake: Wake) {
    match wake {
        Wake::Commands {
            tenant_id,
            device_id,
        } => {
            hub.registry.nudge(tenant_id, device_id);
        }
        Wake::Deliveries {
            tenant_id,
            device_id,
        } => hub.registry.offer(tenant_id, device_id),
        Wake::CommandFinished { .. }
        | Wake::Access { .. }
        | Wake::Assignments { .. }
        | Wake::Job => {}
        Wake::Device {
            tenant_id,
            device_id,
        } => {
            if let Some(link) = hub.registry.of(tenant_id, device_id) {
                look_again(hub, link);
            }
        }
        Wake::SessionBegan {
            tenant_id,
            device_id,
            session,
        } => {
            let older = hub
                .registry
                .of(tenant_id, device_id)
                .filter(|link| u64::try_from(link.session) != Ok(session));
            // Wake-ups may arrive late: which session is the newer one stands in the database.
            if let Some(link) = older {
                look_again(hub, link);
            }
        }
        Wake::TerminalToken {
            terminal_token_id, ..
        } => {
            hub.gate.entrances.forget();
            let by_it = hub
                .registry
                .sockets()
                .into_iter()
                .filter(|link| link.entrance.token() == Some(terminal_token_id));
            for link in by_it {
                link.signal(Signal::TokenRevoked);
            }
        }
    }
}

/// Compares one session with the database, while the next wake-ups are heard.
fn look_again(hub: &Arc<Hub>, link: Arc<Link>) {
    let hub = hub.clone();
    tokio::spawn(async move { reconcile::check_or_log(&hub, &[link]).await });
}

/// Hears from the directory that a token was revoked, and tells every process that may hold sessions
/// by it.
pub(crate) fn token_consumer(hub: &Arc<Hub>) -> Consumer {
    Consumer {
        queue: "hub.tokens",
        kinds: &[TerminalTokenChanged::KIND],
        handler: Arc::new(Tokens { hub: hub.clone() }),
    }
}

struct Tokens {
    hub: Arc<Hub>,
}

#[async_trait]
impl Handler for Tokens {
    async fn handle(&self, _tx: &TenantTx, message: RawEnvelope) -> Result<(), HandleError> {
        let event = message.read::<TerminalTokenChanged>()?;
        if event.data.revoked {
            self.hub.kit.bus.wake(Wake::TerminalToken {
                tenant_id: event.tenant_id,
                terminal_token_id: event.data.terminal_token_id,
            });
        }
        Ok(())
    }
}
