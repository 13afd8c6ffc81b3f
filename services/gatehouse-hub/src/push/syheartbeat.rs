//! `syheartbeat` (document 002, 9.5): the device is there.

use super::call::Refusal;
use super::callers::Caller;
use super::presence;
use crate::hub::Hub;
use chrono::Utc;
use gatehouse_proto_device::push::{Verdict, encode_with_time, read_heartbeat};

/// The answer to one heartbeat.
pub(super) async fn answer(
    hub: &Hub,
    caller: &Caller,
    remote: Option<&str>,
    body: &[u8],
) -> Result<String, Refusal> {
    // 1. It is there, whatever it says.
    presence::beat(hub, caller, remote).await;

    // 2. What it says about itself is for the log: the address tells who it is.
    let heartbeat = read_heartbeat(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    tracing::trace!(device = %caller.device, calls_itself = heartbeat.device_id, "heartbeat");

    // 3. The platform's time, which some devices set their clock by.
    Ok(encode_with_time(Verdict::Success, Utc::now().timestamp()))
}
