//! What happens when a terminal uploads a record (document 004, 2.3.1), from top to bottom.
//!
//! The order matters: nothing is acknowledged that is not stored, and nothing is stored whose
//! pictures are not kept. If a store is away, no answer is given and the terminal uploads again.

use super::door::{self, DoorAnswer, Known};
use super::ingest::{self, NotStored, Stored};
use super::photos::PicturesOf;
use super::recent::{Seen, UploadMark};
use super::row::{self, Findings, Passer, RecordRow};
use super::{facts, id_document, photos};
use crate::hub::Hub;
use crate::sessions::Terminal;
use chrono::{DateTime, Utc};
use gatehouse_domain::RecordId;
use gatehouse_domain::access::Measured;
use gatehouse_domain::device::DoorDecision;
use gatehouse_proto_terminal::{ErrorCode, RecordAnswer, UploadRecord};
use std::time::Instant;
use uuid::Uuid;

/// Takes in one upload; the answer to it, or `None` where the terminal is to upload it again.
pub(crate) async fn upload(
    hub: &Hub,
    terminal: &Terminal,
    mut upload: UploadRecord,
) -> Option<RecordAnswer> {
    let begun = Instant::now();
    let received_at = Utc::now();

    // 1. Recognise a repeat: the same message id and the same time of the terminal.
    let device_time = row::device_time_of(&upload);
    let mark = UploadMark::of(&upload.message_id, &device_time);
    let seen = terminal.recent().begin(mark);
    if seen == Seen::UnderWay {
        return None;
    }
    let under_way = UnderWay {
        terminal,
        mark,
        stored: seen == Seen::Acknowledged,
        new: seen == Seen::New,
    };

    // 2. Judge the clock: what the terminal says, in the zone where it hangs, and what to make of it.
    let settings = terminal.settings();
    let said = upload.passed_at(settings.zone);
    let clock = terminal.clock().judge(said, received_at, upload.backlog);

    // (6.) Decide about the door already here: the decision is part of the record.
    let door = match settings.door_decision {
        DoorDecision::Terminal => DoorAnswer::left_to_terminal(),
        DoorDecision::Cloud => {
            let is_live = door::is_live(clock.passed_at, received_at);
            decide(hub, terminal, &upload, clock.passed_at, is_live).await
        }
    };
    if seen == Seen::Acknowledged {
        metrics::counter!("gatehouse_records_repeated_total").increment(1);
        return Some(acknowledge(&door));
    }

    // 3. Who passed, as the terminal names them.
    let passer = Passer {
        number: row::storable(std::mem::take(&mut upload.person_number)),
        name: row::storable(std::mem::take(&mut upload.person_name)),
    };

    // 4. Keep the images, before anything refers to them.
    let (snapshot, compare) = (upload.recognition_photo.take(), upload.compare_photo.take());
    let of = PicturesOf {
        tenant: terminal.tenant(),
        day: received_at.date_naive(),
        number: &passer.number,
    };
    let kept = photos::keep(&hub.kit.objects, of, snapshot, compare).await;
    let photos = match kept {
        Ok(photos) => photos,
        Err(error) => return not_now("objects", &error),
    };

    // 5. Store the record and the event about it, together with whatever else arrives now.
    let sealed = upload
        .id_document
        .take()
        .map(|document| id_document::seal(&hub.kit.secrets, &document));
    let sealed = match sealed.transpose() {
        Ok(sealed) => sealed,
        Err(error) => return not_now("secrets", &error),
    };
    let found = Findings {
        tenant: terminal.tenant(),
        device: terminal.device,
        id: RecordId::from_uuid(Uuid::now_v7()),
        received_at,
        clock,
        passer,
        photos,
        id_document_sealed: sealed,
        door: door.clone(),
    };
    let row = RecordRow::new(upload, device_time, found);
    let stored = ingest::store(hub, &terminal.scope, row).await;

    // 7. Acknowledge, only now.
    match stored {
        Ok(stored) => {
            under_way.stored();
            metrics::counter!(match stored {
                Stored::New | Stored::Nobodys => "gatehouse_records_stored_total",
                Stored::Repeat => "gatehouse_records_repeated_total",
            })
            .increment(1);
            metrics::histogram!("gatehouse_record_ack_seconds")
                .record(begun.elapsed().as_secs_f64());
            Some(acknowledge(&door))
        }
        Err(NotStored::Ever(_)) => Some(RecordAnswer {
            error_code: ErrorCode::Failure,
            control_state: door.state,
            msg: String::new(),
        }),
        Err(error @ NotStored::Now) => not_now("database", &error),
    }
}

/// What the platform says about the door, where it decides.
async fn decide(
    hub: &Hub,
    terminal: &Terminal,
    upload: &UploadRecord,
    at: DateTime<Utc>,
    is_live: bool,
) -> DoorAnswer {
    let result = row::result_of(upload.result);
    let known = if is_live && door::is_recognised(upload.record_type, result) {
        let measured = Measured {
            celsius: upload.temperature_celsius,
            mask: upload.mask,
        };
        facts::known(hub, terminal, &upload.person_number, at, &measured).await
    } else {
        Known::Nobody
    };
    door::decide(&known, upload.record_type, result, is_live)
}

fn acknowledge(door: &DoorAnswer) -> RecordAnswer {
    RecordAnswer {
        error_code: ErrorCode::Success,
        control_state: door.state,
        msg: door.says.to_owned(),
    }
}

fn not_now(store: &'static str, error: &dyn std::error::Error) -> Option<RecordAnswer> {
    metrics::counter!("gatehouse_records_unacknowledged_total", "store" => store).increment(1);
    tracing::debug!(store, error = %error, "a record is not acknowledged; the terminal uploads it again");
    None
}

/// Ends the mark of an upload under way, also where its future is dropped in the middle.
struct UnderWay<'a> {
    terminal: &'a Terminal,
    mark: UploadMark,
    stored: bool,
    new: bool,
}

impl UnderWay<'_> {
    fn stored(mut self) {
        self.stored = true;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.new {
            self.terminal.recent().end(self.mark, self.stored);
        }
    }
}
