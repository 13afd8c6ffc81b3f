//! `syheartbeat` (9.5).

use super::{body, unwrapped, words};
use gatehouse_wire::ReadError;

/// The device is there. Everything in it is for the record only: the address says who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// `deviceid`, in `Heartinfo` or beside it.
    pub device_id: Option<String>,
}

/// Reads a heartbeat. No body at all is one too. `ServerURL`, the address where the device sends its
/// heartbeats, is not looked at.
///
/// # Errors
/// [`ReadError`] where there is a body and it is no JSON object.
pub fn read_heartbeat(bytes: &[u8]) -> Result<Heartbeat, ReadError> {
    let object = match body(bytes) {
        Err(ReadError::Empty) => return Ok(Heartbeat::default()),
        other => other?,
    };
    let (heart, _) = unwrapped(object, "Heartinfo");
    Ok(Heartbeat {
        device_id: words(&heart, "deviceid"),
    })
}
