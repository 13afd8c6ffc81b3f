//! What the machine decided, carried out: frames out, uploads and chores on their way.

use super::{CHORES_WAITING, Done, Live, SEND_WITHIN, UPLOADS_AT_ONCE};
use crate::records::upload;
use crate::sessions::chores::{self, Chore};
use crate::sessions::close::Close;
use crate::sessions::gate::Held;
use gatehouse_proto_terminal::session::Effect;
use gatehouse_proto_terminal::{DecodeError, UploadRecord};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Live {
    /// Carries out what the machine decided, in order. `frame` is what it read, if it read.
    pub(super) async fn apply(&mut self, effects: Vec<Effect>, frame: &[u8]) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Send(text) => self.send(text).await,
                Effect::Close { code, reason } => {
                    self.closing.get_or_insert(Close::Protocol { code, reason });
                }
                Effect::Register(register) => self.register(register),
                Effect::Record(record) => self.upload(record),
                Effect::KeepAlive { position } => {
                    if let Some(position) = position {
                        self.link.place(position);
                    }
                    effects.extend(self.look_again());
                }
                Effect::ParametersReported(parameters) => {
                    self.chore(Chore::Parameters(Box::new(parameters)))
                }
                Effect::Progress { ticket, progress } => {
                    self.chore(Chore::Progress(chores::command_of(ticket), progress));
                }
                Effect::PersonListed { .. } if self.chores.len() >= CHORES_WAITING => {
                    noted("person_lost")
                }
                Effect::PersonListed { ticket, person } => {
                    self.chore(Chore::Person(chores::command_of(ticket), person));
                }
                Effect::Finished { ticket, outcome } => self.finished(ticket, outcome),
                Effect::SlotChanged => effects.extend(self.look_for_work()),
                Effect::Unknown { message_type, .. } => self.unknown(&message_type, frame),
                Effect::Malformed { error } => self.malformed(&error),
                Effect::TooEarly { .. } => noted("too_early"),
                Effect::TokenMismatch => noted("token_mismatch"),
                Effect::DeviceNoDiffers { .. } => noted("device_no_differs"),
                Effect::LateAnswer { .. } => noted("late_answer"),
            }
        }
    }

    async fn send(&mut self, text: String) {
        if self.closing.is_none()
            || self
                .closing
                .is_some_and(|close| matches!(close, Close::Protocol { .. }))
        {
            let sent = tokio::time::timeout(SEND_WITHIN, self.socket.text(text)).await;
            self.note_sent(sent);
        }
    }

    pub(super) fn note_sent<E>(&mut self, sent: Result<Result<(), actix_ws::Closed>, E>) {
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(actix_ws::Closed)) => self.closing = Some(Close::Gone),
            Err(_) => self.closing = Some(Close::NotReading),
        }
    }

    fn unknown(&self, message_type: &str, frame: &[u8]) {
        noted("unknown");
        self.link.unknown_messages.fetch_add(1, Ordering::Relaxed);
        if let Some(terminal) = self.link.terminal() {
            self.hub.unknowns.keep(terminal, message_type, frame);
        }
    }

    fn malformed(&self, error: &DecodeError) {
        noted("malformed");
        self.link.malformed_messages.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(session = self.link.session, %error, "a frame is no message");
    }

    /// A record: its answer comes later, or not at all.
    fn upload(&mut self, record: Box<UploadRecord>) {
        let Some(terminal) = self.link.terminal().cloned() else {
            return;
        };
        if self.uploads >= UPLOADS_AT_ONCE {
            // A store is away. It comes again.
            metrics::counter!("gatehouse_records_unacknowledged_total", "store" => "full")
                .increment(1);
            return;
        }
        self.uploads += 1;
        let photos = [&record.recognition_photo, &record.compare_photo];
        let bytes = photos
            .into_iter()
            .flatten()
            .map(|photo| photo.as_text().len())
            .sum();
        let held = Held::new(self.hub.clone(), bytes);
        let hub = self.hub.clone();
        let within = Duration::from_millis(u64::from(hub.settings.store_within_ms));
        self.work.push(Box::pin(async move {
            let message_id = record.message_id.clone();
            let answer =
                tokio::time::timeout(within, upload::upload(&hub, &terminal, *record)).await;
            drop(held);
            Done::Uploaded(message_id, answer.ok().flatten())
        }));
    }

    pub(super) fn chore(&mut self, chore: Chore) {
        self.chores.push_back(chore);
        self.next_chore();
    }

    pub(super) fn next_chore(&mut self) {
        if self.chore_runs {
            return;
        }
        let (Some(terminal), Some(chore)) =
            (self.link.terminal().cloned(), self.chores.pop_front())
        else {
            return;
        };
        self.chore_runs = true;
        let (hub, session) = (self.hub.clone(), self.link.session);
        self.work.push(Box::pin(async move {
            Done::Chore(chores::run(&hub, &terminal, session, chore).await)
        }));
    }
}

fn noted(what: &'static str) {
    metrics::counter!("gatehouse_terminal_oddities_total", "kind" => what).increment(1);
}
