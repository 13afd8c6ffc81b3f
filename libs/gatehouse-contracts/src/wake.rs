//! Wake-ups: hints that work is waiting. They carry no facts, so losing one costs only time.

use gatehouse_domain::{CommandId, DeviceId, TenantId, TerminalTokenId};
use serde::{Deserialize, Serialize};

/// A hint to every process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wake", rename_all = "snake_case")]
pub enum Wake {
    /// Commands wait for this device: whoever holds its session takes them.
    Commands {
        /// Whose device.
        tenant_id: TenantId,
        /// Which.
        device_id: DeviceId,
    },
    /// A command ended: whoever waits for it looks.
    CommandFinished {
        /// Which.
        command_id: CommandId,
    },
    /// A device's settings changed, or it was removed: whoever holds its session looks again.
    Device {
        /// Whose device.
        tenant_id: TenantId,
        /// Which.
        device_id: DeviceId,
    },
    /// A terminal token was revoked: whoever holds sessions that came in with it ends them.
    TerminalToken {
        /// Whose token.
        tenant_id: TenantId,
        /// Which.
        terminal_token_id: TerminalTokenId,
    },
    /// A session of this device began elsewhere: whoever holds an older one ends it.
    SessionBegan {
        /// Whose device.
        tenant_id: TenantId,
        /// Which.
        device_id: DeviceId,
        /// The session that stays, a number drawn at random by its process.
        session: u64,
    },
    /// Persons wait to be told to this device: whoever holds its session takes them.
    Deliveries {
        /// Whose device.
        tenant_id: TenantId,
        /// Which.
        device_id: DeviceId,
    },
    /// Who may pass where has changed: sync plans it.
    Access {
        /// Whose.
        tenant_id: TenantId,
    },
    /// An assignment is due, or was answered: sync offers what waits for this device.
    Assignments {
        /// Whose device.
        tenant_id: TenantId,
        /// Which.
        device_id: DeviceId,
    },
    /// A job was asked for: whoever works jobs off looks.
    Job,
}
