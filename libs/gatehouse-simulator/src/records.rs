//! The records that the cloud has not acknowledged yet. They outlive a connection and are sent
//! again until they are answered 100 ("该项必须对应正确，否则记录会一直上报", 004 section 2.3.1).

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::engine::Out;
use crate::event::{DoorCause, Event};
use crate::pass::{Pass, RecordAck};
use crate::shared::Shared;

/// The document's sample begins here.
const FIRST_MESSAGE_ID: u64 = 1001;

/// Who waits for a record, and for what.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// For any answer.
    Answer(oneshot::Sender<RecordAck>),
    /// For the answer 100.
    Acceptance(oneshot::Sender<RecordAck>),
    /// For its `msgID`, once it is written to the connection.
    Written(oneshot::Sender<String>),
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Queued,
    Sent {
        again_at: Instant,
    },
    /// Answered with another code than 100; does not count as in flight.
    Refused {
        again_at: Instant,
    },
}

#[derive(Debug)]
struct Record {
    message_id: String,
    pass: Box<Pass>,
    pass_time: String,
    phase: Phase,
    first_sent_at: Option<Instant>,
    to_overlook: u32,
    waiter: Waiter,
}

#[derive(Debug)]
pub(crate) struct Records {
    queue: VecDeque<Record>,
    in_flight: usize,
    /// Not later than the first record that must be sent again.
    pub(crate) due_at: Option<Instant>,
    next_message_id: u64,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            in_flight: 0,
            due_at: None,
            next_message_id: FIRST_MESSAGE_ID,
        }
    }

    /// A person passed.
    pub(crate) fn add(&mut self, shared: &Shared, pass: Box<Pass>, waiter: Waiter) {
        let message_id = pass.message_id.clone().unwrap_or_else(|| {
            let next = self.next_message_id;
            self.next_message_id += 1;
            next.to_string()
        });
        let pass_time = pass.wall_time(&shared.profile, shared.state().ahead_ms);
        if let Some(stats) = &shared.stats {
            stats.passes_sent.add();
        }
        self.queue.push_back(Record {
            message_id,
            pass,
            pass_time,
            phase: Phase::Queued,
            first_sent_at: None,
            to_overlook: shared.profile.faults.answers_overlooked,
            waiter,
        });
        self.tell(shared);
    }

    /// Everything counts as unsent on a new connection.
    pub(crate) fn start_over(&mut self, shared: &Shared) {
        for record in &mut self.queue {
            record.phase = Phase::Queued;
        }
        self.in_flight = 0;
        self.due_at = None;
        if shared.profile.faults.restart_message_ids {
            self.next_message_id = FIRST_MESSAGE_ID;
        }
    }

    /// Those who wait to see a record written need not wait for a connection.
    pub(crate) fn release_written(&mut self) {
        for record in &mut self.queue {
            release(record);
        }
    }

    /// Sends queued records while the window has room.
    pub(crate) fn fill(&mut self, shared: &Shared, token: &str, out: &mut Vec<Out>) {
        while self.in_flight < shared.profile.records_in_flight.max(1) {
            let queued = |record: &&mut Record| record.phase == Phase::Queued;
            let Some(record) = self.queue.iter_mut().find(queued) else {
                return;
            };
            self.in_flight += 1;
            let again_at = send(record, shared, token, out);
            self.due_at = Some(self.due_at.map_or(again_at, |due_at| due_at.min(again_at)));
        }
    }

    /// Sends again what was not answered in time.
    pub(crate) fn on_time(
        &mut self,
        now: Instant,
        shared: &Shared,
        token: &str,
        out: &mut Vec<Out>,
    ) {
        if self.due_at.is_none_or(|due_at| due_at > now) {
            return;
        }
        let mut earliest: Option<Instant> = None;
        for record in &mut self.queue {
            let again_at = match record.phase {
                Phase::Queued => continue,
                Phase::Sent { again_at } if again_at > now => again_at,
                Phase::Refused { again_at } if again_at > now => again_at,
                Phase::Sent { .. } => send(record, shared, token, out),
                Phase::Refused { .. } => {
                    self.in_flight += 1;
                    send(record, shared, token, out)
                }
            };
            earliest = Some(earliest.map_or(again_at, |earliest| earliest.min(again_at)));
        }
        self.due_at = earliest;
    }

    /// `uploadRecordResp`.
    pub(crate) fn on_answer(
        &mut self,
        now: Instant,
        shared: &Shared,
        message_id: &str,
        ack: RecordAck,
    ) {
        let waits = |record: &Record| {
            record.message_id == message_id && matches!(record.phase, Phase::Sent { .. })
        };
        let Some(position) = self.queue.iter().position(waits) else {
            let msg_id = message_id.to_owned();
            let msg_type = "uploadRecordResp".to_owned();
            shared.note(|| Event::StrayAnswer { msg_type, msg_id });
            return;
        };
        let Some(record) = self.queue.get_mut(position) else {
            return;
        };
        if record.to_overlook > 0 {
            record.to_overlook -= 1;
            return;
        }
        self.in_flight -= 1;
        let msg_id = message_id.to_owned();
        shared.note(|| Event::RecordAnswered {
            msg_id,
            ack: ack.clone(),
        });
        if ack.is_accepted() {
            if let Some(record) = self.queue.remove(position) {
                accept(record, now, shared, ack);
            }
        } else {
            let again_at = now + shared.profile.resend_after;
            refuse(record, again_at, shared, ack);
            if shared.profile.resend_refused {
                self.due_at = Some(self.due_at.map_or(again_at, |due_at| due_at.min(again_at)));
            } else {
                self.queue.remove(position);
            }
        }
        self.tell(shared);
    }

    fn tell(&self, shared: &Shared) {
        shared.state().unacknowledged = self.queue.len();
    }
}

fn send(record: &mut Record, shared: &Shared, token: &str, out: &mut Vec<Out>) -> Instant {
    let now = Instant::now();
    let again_at = now + shared.profile.resend_after;
    let again = record.first_sent_at.is_some();
    record.phase = Phase::Sent { again_at };
    record.first_sent_at.get_or_insert(now);
    let Record {
        message_id,
        pass,
        pass_time,
        ..
    } = &*record;
    out.push(Out::Text(pass.upload_record(
        &shared.profile,
        shared.device_no(),
        token,
        message_id,
        pass_time,
    )));
    if let (true, Some(stats)) = (again, &shared.stats) {
        stats.resent.add();
    }
    let msg_id = message_id.clone();
    shared.note(|| Event::RecordSent { msg_id, again });
    if let Waiter::Written(_) = record.waiter
        && let Waiter::Written(written) = std::mem::replace(&mut record.waiter, Waiter::Nobody)
    {
        out.push(Out::Written {
            written,
            message_id: record.message_id.clone(),
        });
    }
    again_at
}

fn release(record: &mut Record) {
    if let Waiter::Written(_) = record.waiter
        && let Waiter::Written(written) = std::mem::replace(&mut record.waiter, Waiter::Nobody)
    {
        let _ = written.send(record.message_id.clone());
    }
}

fn accept(record: Record, now: Instant, shared: &Shared, ack: RecordAck) {
    if let Some(stats) = &shared.stats {
        stats.acknowledged.add();
        if let Some(first_sent_at) = record.first_sent_at {
            stats
                .acknowledgement
                .record(now.duration_since(first_sent_at));
        }
    }
    if ack.control_state == "open" {
        shared.open_door(&ack.msg, DoorCause::Record);
    } else if ack.control_state.is_empty() && record.pass.compare_result == "0" {
        let auto = |set: &crate::Parameters| {
            set.get("autoOpenDoorEnable")
                .is_some_and(|enabled| enabled == "1")
        };
        let opens_itself = auto(&shared.state().parameters);
        if opens_itself {
            shared.open_door(&record.pass.visitor_voice_text, DoorCause::Itself);
        }
    }
    match record.waiter {
        Waiter::Answer(waiter) | Waiter::Acceptance(waiter) => {
            let _ = waiter.send(ack);
        }
        Waiter::Written(_) | Waiter::Nobody => {}
    }
}

fn refuse(record: &mut Record, again_at: Instant, shared: &Shared, ack: RecordAck) {
    if let Some(stats) = &shared.stats {
        stats.rejected.add();
        stats.fault(format!(
            "a record was answered {}: {}",
            ack.error_code, ack.msg
        ));
    }
    record.phase = Phase::Refused { again_at };
    if let Waiter::Answer(_) = record.waiter
        && let Waiter::Answer(waiter) = std::mem::replace(&mut record.waiter, Waiter::Nobody)
    {
        let _ = waiter.send(ack);
    }
}
