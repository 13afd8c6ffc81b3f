//! Messages whose type nobody here knows: later versions of the protocol have more of them. Counted,
//! kept a week for whoever wants to look at them, never answered, never a reason to close.

use super::terminal::Terminal;
use crate::hub::Hub;
use crate::terminals;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, TenantId};
use gatehouse_platform::db::DbError;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::TenantScope;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest body that is kept.
const BODY_MAX_CHARS: usize = 4_000;
/// Longest type that is kept.
const TYPE_MAX_CHARS: usize = 64;
/// Most messages that wait to be written; older ones give way.
const WAITING: usize = 2_000;
const WRITTEN_EVERY: Duration = Duration::from_secs(3);
const FORGOTTEN_EVERY: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
struct Message {
    scope: TenantScope,
    device: DeviceId,
    received_at: DateTime<Utc>,
    message_type: String,
    body: String,
}

/// Those that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Unknowns {
    waiting: Mutex<VecDeque<Message>>,
}

impl Unknowns {
    /// Keeps one.
    pub(super) fn keep(&self, terminal: &Terminal, message_type: &str, frame: &[u8]) {
        self.keep_of(&terminal.scope, terminal.device, message_type, frame);
    }

    /// The same of a device without a session.
    pub(crate) fn keep_of(
        &self,
        scope: &TenantScope,
        device: DeviceId,
        message_type: &str,
        frame: &[u8],
    ) {
        let clip = |text: &str, most| text.chars().filter(|c| *c != '\0').take(most).collect();
        let message = Message {
            scope: scope.clone(),
            device,
            received_at: Utc::now(),
            message_type: clip(message_type, TYPE_MAX_CHARS),
            body: clip(&String::from_utf8_lossy(frame), BODY_MAX_CHARS),
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING {
            waiting.pop_front();
        }
        waiting.push_back(message);
    }

    fn take(&self) -> VecDeque<Message> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes what waits.
pub(crate) fn write_unknown_messages(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.unknown_messages", WRITTEN_EVERY, move || {
        let hub = hub.clone();
        async move { write(&hub).await.map_err(|error| error.to_string()) }
    })
}

/// Forgets those of more than a week ago: nobody knows what they say, and of whom.
pub(crate) fn forget_unknown_messages(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.unknown_messages.forget", FORGOTTEN_EVERY, move || {
        let hub = hub.clone();
        async move { forget(&hub).await.map_err(|error| error.to_string()) }
    })
}

async fn forget(hub: &Hub) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    terminals::forget_unknown(&tx).await?;
    tx.commit().await
}

async fn write(hub: &Hub) -> Result<(), DbError> {
    let mut by_tenant: BTreeMap<TenantId, (TenantScope, Vec<_>)> = BTreeMap::new();
    for message in hub.unknowns.take() {
        by_tenant
            .entry(message.scope.tenant())
            .or_insert_with(|| (message.scope, Vec::new()))
            .1
            .push((
                message.device,
                message.received_at,
                message.message_type,
                message.body,
            ));
    }
    for (scope, messages) in by_tenant.into_values() {
        let tx = hub.kit.db.tenant(&scope).await?;
        terminals::keep_unknown(&tx, &messages).await?;
        tx.commit().await?;
    }
    Ok(())
}
