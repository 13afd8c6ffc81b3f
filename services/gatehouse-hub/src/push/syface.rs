//! `syface` (document 002, 9.2): the device recognised somebody and waits to hear whether its door
//! opens. The platform decides, because these devices know no passing times. Nothing is answered
//! that is not stored.

use super::call::Refusal;
use super::callers::Caller;
use super::sight::{self, Judged};
use crate::hub::Hub;
use crate::records::facts::{self, Found};
use crate::records::ingest::NotStored;
use chrono::{DateTime, Utc};
use gatehouse_domain::access::{Measured, decide};
use gatehouse_domain::person::PersonType;
use gatehouse_domain::record::{RecordResult, RecordType};
use gatehouse_proto_device::push::{Sight, Verdict, encode_door, read_sight};

/// What a device is told whose pass was not taken: the smallest delay, and no door.
const CLOSED_DELAY_MS: u16 = 20;

/// An answer that keeps the door closed.
pub(super) fn closed(verdict: Verdict<'_>) -> String {
    encode_door(verdict, false, CLOSED_DELAY_MS)
}

/// The answer to one pass.
pub(super) async fn answer(hub: &Hub, caller: &Caller, body: &[u8]) -> Result<String, Refusal> {
    let received_at = Utc::now();

    // 1. What the device saw, and when, by its clock.
    let seen = read_sight(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    let clock = sight::judge_clock(&seen, received_at);

    // 2. Who that is, and whether they may pass here at that moment.
    let (judged, mut reason) = judge(hub, caller, &seen, clock.passed_at).await?;

    // 3. Nobody stands at the door any more when it is told too late; the record stays true.
    let is_live = sight::is_live(hub, &clock, received_at);
    let opens = judged.result == RecordResult::Passed && is_live;
    if !is_live {
        reason = "The pass was told too late: nobody stands at the door any more.".to_owned();
    }

    // 4. Stored, with its pictures, before anything is answered.
    let row = sight::Row {
        kind: "syface",
        received_at,
        clock,
        passer: sight::passer(&seen),
        judged,
        opens,
        reason,
    };
    match sight::store(hub, caller, seen, row).await? {
        Ok(_) => Ok(encode_door(
            Verdict::Success,
            opens,
            hub.settings.push_unlock_delay_ms,
        )),
        // It is kept among the rejected uploads; sending it again would not help.
        Err(NotStored::Ever(_)) => Ok(closed(Verdict::Failure("记录无法保存"))),
        Err(NotStored::Now) => Err(Refusal::Later),
    }
}

/// What the platform decides about whom the device names, and why.
async fn judge(
    hub: &Hub,
    caller: &Caller,
    seen: &Sight,
    at: DateTime<Utc>,
) -> Result<(Judged, String), Refusal> {
    let facts = match facts::find(hub, &caller.scope, caller.device, &seen.user_id).await {
        Ok(Found::Person(facts)) => facts,
        Ok(Found::Gone | Found::Nobody) => {
            let reason = "The platform knows nobody of that number.".to_owned();
            return Ok((Judged::stranger(), reason));
        }
        Err(error) if error.is_transient() => return Err(error.into()),
        Err(error) => {
            // Sent again, it would be no different, and hold up all that comes after it.
            tracing::error!(%error, device = %caller.device, "authorities cannot be read; the door stays closed");
            let reason = "The authorities of the person cannot be read.".to_owned();
            return Ok((Judged::stranger(), reason));
        }
    };
    let measured = Measured {
        celsius: seen.temperature_celsius,
        mask: seen.mask,
    };
    let decision = decide(&facts, at, &measured);
    metrics::counter!("gatehouse_push_decisions_total", "reason" => decision.reason.as_str())
        .increment(1);
    let judged = Judged {
        record_type: match facts.person.person_type {
            PersonType::Staff => RecordType::Staff,
            PersonType::Visitor => RecordType::Visitor,
            PersonType::Blocklist => RecordType::Blocklist,
        },
        result: sight::result_of(&decision),
        deny_above_celsius: facts.deny_above_celsius,
    };
    Ok((judged, decision.sentence))
}
