//! `syrecord` (document 002, 9.1): who the device is to hold. The feed is what sync offers to the
//! device at this moment, one final state per person; an offer is listed again until `syresult`
//! answers it or sync takes it back.

use super::call::Refusal;
use super::callers::Caller;
use super::images::Links;
use super::store::{self, Line, OfferRow};
use crate::deliveries::offer::Fault;
use crate::deliveries::report;
use crate::hub::Hub;
use chrono::{DateTime, Utc};
use gatehouse_contracts::{DeliveriesAnswered, DeliveryAnswer, RegisterLost};
use gatehouse_domain::person::Gender;
use gatehouse_platform::db::{DbError, HUB};
use gatehouse_platform::outbox;
use gatehouse_platform::service::Schedule;
use gatehouse_proto_device::push::{Change, Operation, Sex, encode_feed, read_last_query_time};
use std::sync::Arc;
use std::time::Duration;

/// Most lines of one answer.
const LINES: i64 = 50;
/// A cursor further in the future than this is not one of ours.
const AHEAD_AT_MOST_S: i64 = 86_400;
const FORGOTTEN_EVERY: Duration = Duration::from_secs(3_600);

/// The answer to one request for the feed.
pub(super) async fn answer(hub: &Hub, caller: &Caller, query: &str) -> Result<String, Refusal> {
    let now = Utc::now();
    let now_s = now.timestamp();
    let shown_s = shown(query, now_s);
    let tx = hub.kit.db.tenant(&caller.scope).await?;

    // 1. Whoever asks for everything holds nothing: what it confirmed counts no more.
    let asked = store::asked(&tx, caller.device, shown_s, now_s).await?;
    if asked.lost {
        tracing::info!(device = %caller.device, "a push device asks for everything");
        let event = RegisterLost {
            device_id: caller.device,
        };
        outbox::publish(&tx, HUB, event).await?;
    }

    // 2. What is offered; what of it cannot be listed is told to sync.
    let offers = store::offers(&tx, caller.device, LINES).await?;
    let (mut changes, mut lines, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for offer in offers {
        let line = Line {
            number: offer.number.clone(),
            offer: offer.offer,
            content: offer.content.clone().filter(|_| !offer.is_removal),
            is_answered: false,
        };
        match change(&hub.push_links, caller, &offer, now) {
            Ok(change) => {
                changes.push(change);
                lines.push(line);
            }
            Err(fault) => {
                answers.push(not_listed(fault, &offer, now));
                lines.push(Line {
                    is_answered: true,
                    ..line
                });
            }
        }
    }

    // 3. What is listed is written down, because the device's answer proves this and nothing else.
    store::list(&tx, caller.device, &lines).await?;
    if !answers.is_empty() {
        let event = DeliveriesAnswered {
            device_id: caller.device,
            answers,
        };
        outbox::publish(&tx, HUB, event).await?;
    }
    tx.commit().await?;
    metrics::counter!("gatehouse_push_listed_total")
        .increment(u64::try_from(changes.len()).unwrap_or_default());
    Ok(encode_feed(&changes, asked.cursor))
}

/// The cursor that the device shows; 0 for none.
fn shown(query: &str, now_s: i64) -> i64 {
    let text = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("lastQueryTime").then_some(value)
    });
    let shown_s = read_last_query_time(text);
    if shown_s > now_s.saturating_add(AHEAD_AT_MOST_S) {
        now_s
    } else {
        shown_s
    }
}

/// No device could fetch the picture.
const NO_LISTENER: Fault = Fault {
    code: "no_image_listener",
    message: "Push devices fetch pictures over plain http, and no listener is set up for it: set \
              GATEHOUSE_PUSH_IMAGES_LISTEN and GATEHOUSE_PUSH_IMAGES_URL (at most 53 characters).",
};

/// Tells sync why an offer is not listed.
fn not_listed(fault: Fault, offer: &OfferRow, at: DateTime<Utc>) -> DeliveryAnswer {
    DeliveryAnswer {
        offer: offer.offer,
        number: offer.number.clone(),
        content: offer.content.as_ref().map(hex::encode),
        at,
        outcome: report::not_sent(fault),
    }
}

fn change(
    links: &Links,
    caller: &Caller,
    offer: &OfferRow,
    now: DateTime<Utc>,
) -> Result<Change, Fault> {
    let deletion = Change {
        operation: Operation::Delete,
        user_id: offer.number.clone(),
        user_name: String::new(),
        user_type: String::new(),
        sex: Sex::Other,
        user_remark: String::new(),
        image_url: String::new(),
        operate_time_s: now.timestamp(),
    };
    if offer.is_removal {
        return Ok(deletion);
    }
    let (Some(name), Some(person_type), Some(gender)) =
        (&offer.name, &offer.person_type, &offer.gender)
    else {
        return Err(Fault::NO_PERSON);
    };
    if offer.week_is_missing || offer.content.is_none() {
        return Err(Fault::NO_WEEK);
    }
    let photo = offer.photo_id.ok_or(Fault::NO_PHOTO)?;
    let image_url = links.url(caller.tenant(), photo, now).ok_or(NO_LISTENER)?;
    Ok(Change {
        operation: Operation::Save,
        user_name: name.clone(),
        user_type: person_type.clone(),
        sex: gender.parse::<Gender>().map_or(Sex::Other, Sex::from),
        user_remark: offer.display_text.clone().unwrap_or_default(),
        image_url,
        ..deletion
    })
}

/// Forgets lines of the feed that are long settled.
pub(super) fn old_lines(hub: &Arc<Hub>) -> Schedule {
    let hub = hub.clone();
    Schedule::new("hub.push.old_lines", FORGOTTEN_EVERY, move || {
        let hub = hub.clone();
        async move { forget(&hub).await.map_err(|error| error.to_string()) }
    })
}

async fn forget(hub: &Hub) -> Result<(), DbError> {
    let tx = hub.kit.db.system().await?;
    store::forget_old_lines(&tx).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_read_from_any_query() {
        let now_s = 1_800_000_000;
        for (query, expected) in [
            ("lastQueryTime=1799999999", 1_799_999_999),
            ("a=b&LASTQUERYTIME=1799999999000&c", 1_799_999_999),
            ("lastQueryTime=0", 0),
            ("lastQueryTime=", 0),
            ("", 0),
            ("lastQueryTime=4000000000", now_s),
        ] {
            assert_eq!(shown(query, now_s), expected, "{query}");
        }
    }
}
