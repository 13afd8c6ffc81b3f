//! `syattribute` (document 002, 9.3): the device measured somebody whom it did not recognise, or
//! does not compare faces at all. A record of a stranger; the door stays closed.

use super::call::Refusal;
use super::callers::Caller;
use super::sight::{self, Judged};
use super::syface;
use crate::hub::Hub;
use crate::records::ingest::NotStored;
use chrono::Utc;
use gatehouse_proto_device::push::{Verdict, read_sight};

/// The answer to one measurement.
pub(super) async fn answer(hub: &Hub, caller: &Caller, body: &[u8]) -> Result<String, Refusal> {
    let received_at = Utc::now();
    let seen = read_sight(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    let row = sight::Row {
        kind: "syattribute",
        received_at,
        clock: sight::judge_clock(&seen, received_at),
        passer: sight::passer(&seen),
        judged: Judged::stranger(),
        opens: false,
        reason: "The device recognised nobody.".to_owned(),
    };
    match sight::store(hub, caller, seen, row).await? {
        Ok(_) => Ok(syface::closed(Verdict::Success)),
        Err(NotStored::Ever(_)) => Ok(syface::closed(Verdict::Failure("记录无法保存"))),
        Err(NotStored::Now) => Err(Refusal::Later),
    }
}
