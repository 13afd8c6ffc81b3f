//! What the terminal is asked for: commands and persons, one at a time. Which of them goes next is
//! the queue's word (`deliveries::queue`); here it is asked for, sent, and its end told on.

use super::{Done, Live};
use crate::commands::dispatch::Dispatch;
use crate::deliveries::album::NoPhoto;
use crate::deliveries::offer::{Fault, Offer, Photo};
use crate::deliveries::queue::{Queue, Step, Wanting};
use crate::deliveries::{render, report};
use crate::sessions::chores::{self, Chore};
use chrono::Utc;
use gatehouse_domain::command::CommandType;
use gatehouse_proto_terminal::session::{Effect, Outcome, Request, Slot};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A photo that the object store does not give within this time is tried again later.
const PHOTO_WITHIN: Duration = Duration::from_secs(6);

/// What the database is being asked for, and what was known before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    look: Option<i16>,
    offers: bool,
}

impl Live {
    /// Looks what goes next, and does it.
    pub(super) async fn work_on(&mut self) {
        let effects = self.look_for_work();
        self.apply(effects, &[]).await;
    }

    /// Does what goes next, where something may wait and the terminal has room for it.
    pub(super) fn look_for_work(&mut self) -> Vec<Effect> {
        if self.drains_until.is_some() || self.closing.is_some() {
            return Vec::new();
        }
        self.prepare();
        let slot = self.machine.slot();
        let step = match (&self.queue, slot) {
            _ if self.asks.is_some() => Step::Nothing,
            (_, Slot::OnlyUrgent) if self.look.is_some_and(|l| l <= door()) => Step::Ask {
                command_up_to: Some(door()),
                offers: false,
            },
            (Some(queue), _) => queue.next(self.look, slot == Slot::Free),
            (None, Slot::Free) => Queue::default().next(self.look, true),
            (None, Slot::OnlyUrgent | Slot::Taken) => Step::Nothing,
        };
        match step {
            Step::Nothing => Vec::new(),
            Step::Send => self.send_person(),
            Step::Ask {
                command_up_to,
                offers,
            } => {
                self.ask(command_up_to, offers);
                Vec::new()
            }
        }
    }

    /// Now and then: what could not be asked is asked again, and what need not be remembered any
    /// more is let go.
    pub(super) fn look_again(&mut self) -> Vec<Effect> {
        let is_idle = self.machine.slot() == Slot::Free && self.asks.is_none();
        if let Some(queue) = self.queue.as_mut().filter(|_| is_idle)
            && queue.rests()
        {
            self.queue = None;
        }
        self.look_for_work()
    }

    /// Asks the database. A wake-up from now on counts anew.
    fn ask(&mut self, command_up_to: Option<i16>, offers: bool) {
        self.asks = Some(Asked {
            look: self.look,
            offers,
        });
        if let Some(up_to) = command_up_to {
            self.look = up_to.checked_add(1);
        }
        let queue = self.queue.as_mut().filter(|_| offers);
        let offers = queue.map(|queue| {
            queue.note_reading();
            queue.rows_to_read()
        });
        self.chore(Chore::Next {
            command_up_to,
            offers,
        });
    }

    /// It could not be asked: as before. The next sign of life asks again.
    pub(super) fn on_unasked(&mut self) {
        let Some(asked) = self.asks.take() else {
            return;
        };
        self.look = [self.look, asked.look].into_iter().flatten().min();
        if let Some(queue) = self.queue.as_mut().filter(|_| asked.offers) {
            queue.note_offers();
        }
    }

    /// What was asked for.
    pub(super) async fn on_found(
        &mut self,
        command: Option<Box<Dispatch>>,
        offers: Option<(Vec<Offer>, usize)>,
    ) {
        let asked = self.asks.take();
        if let Some((offers, rows)) = offers {
            if let Some(queue) = self.queue.as_mut() {
                queue.fill(offers, rows);
            }
            self.queue.take_if(|queue| queue.is_spent());
        } else if asked.is_some_and(|asked| asked.offers)
            && let Some(queue) = self.queue.as_mut()
        {
            queue.note_offers();
        }
        if let Some(command) = command {
            // Others may wait behind it.
            self.look = Some(0);
            self.submit(*command).await;
        }
        self.work_on().await;
    }

    async fn submit(&mut self, dispatch: Dispatch) {
        let mut out = Vec::new();
        let now_ms = Utc::now().timestamp_millis();
        let ticket = chores::ticket_of(dispatch.command_id);
        match self
            .machine
            .submit(now_ms, ticket, dispatch.request, &mut out)
        {
            Ok(()) => {
                self.sent = true;
                if let Some(queue) = self.queue.as_mut() {
                    queue.note_command();
                }
                self.apply(out, &[]).await;
            }
            Err(busy) => {
                tracing::debug!(command = %dispatch.command_id, %busy, "a command waits again");
                self.chore(Chore::GiveBack(dispatch.command_id));
            }
        }
    }

    /// Sends the person whose turn it is.
    fn send_person(&mut self) -> Vec<Effect> {
        let mut out = Vec::new();
        let Some((offer, photos)) = self.queue.as_mut().and_then(|queue| queue.take()) else {
            return out;
        };
        let ticket = offer.id.as_u128();
        let request = Request::RegisterPerson(Box::new(render::person(offer, &photos)));
        let now_ms = Utc::now().timestamp_millis();
        if let Err(busy) = self.machine.submit(now_ms, ticket, request, &mut out) {
            tracing::debug!(session = self.link.session, %busy, "a person waits again");
            self.put_back();
            return out;
        }
        // The next one's photos are fetched, and the next offers read, while the terminal works.
        out.extend(self.look_for_work());
        out
    }

    fn put_back(&mut self) {
        if let Some(queue) = self.queue.as_mut() {
            queue.put_back();
        }
    }

    /// A request ended: of a person or of a command.
    pub(super) fn finished(&mut self, ticket: u128, outcome: Outcome) {
        if !self.person_answered(ticket, &outcome) {
            self.chore(Chore::Finished(
                chores::command_of(ticket),
                Box::new(outcome),
            ));
        }
    }

    /// Tells what the terminal answered about a person; whether the ticket was a person's.
    pub(super) fn person_answered(&mut self, ticket: u128, outcome: &Outcome) -> bool {
        let Some(queue) = self.queue.as_mut().filter(|q| q.is_under_way(ticket)) else {
            return false;
        };
        match report::outcome_of(outcome) {
            Some(told) => {
                if let (Some(offer), Some(terminal)) = (queue.finish(), self.link.terminal()) {
                    let (tenant, device) = terminal.key();
                    self.hub.reports.tell(tenant, device, &offer, told);
                }
            }
            // The terminal registered anew on this connection, or is gone.
            None => queue.put_back(),
        }
        true
    }

    /// Gets the next one ready: with photos that are here at once, with others later.
    fn prepare(&mut self) {
        let Some(terminal) = self.link.terminal().cloned() else {
            return;
        };
        while let Some(wanting) = self.queue.as_mut().and_then(|queue| queue.wanting()) {
            let (id, photos) = match wanting {
                Wanting::Photos(id, photos) => (id, photos),
                Wanting::Unsendable(offer, fault) => {
                    self.not_sent(&offer, fault);
                    continue;
                }
            };
            if let Some(held) = self.hub.album.held(terminal.tenant(), &photos) {
                if let Some(queue) = self.queue.as_mut() {
                    queue.prepared(id, held);
                }
                continue;
            }
            let hub = self.hub.clone();
            let tenant = terminal.tenant();
            self.work.push(Box::pin(async move {
                let read = hub.album.read(&hub.kit.objects, tenant, &photos);
                let read = tokio::time::timeout(PHOTO_WITHIN, read).await;
                let read = read.unwrap_or(Err(NoPhoto::Late));
                Done::Photos(id, read.map_err(|error| fault_of(&error, &photos)))
            }));
        }
    }

    /// Photos came, or are not to be had.
    pub(super) fn on_photos(&mut self, id: Uuid, photos: Result<Vec<Arc<str>>, Fault>) {
        let Some(queue) = self.queue.as_mut() else {
            return;
        };
        match photos {
            Ok(photos) => queue.prepared(id, photos),
            Err(fault) => {
                if let Some(offer) = queue.not_prepared(id) {
                    self.not_sent(&offer, fault);
                }
            }
        }
    }

    fn not_sent(&self, offer: &Offer, fault: Fault) {
        if let Some(terminal) = self.link.terminal() {
            let (tenant, device) = terminal.key();
            self.hub
                .reports
                .tell(tenant, device, offer, report::not_sent(fault));
        }
    }
}

fn fault_of(error: &NoPhoto, photos: &[Photo]) -> Fault {
    tracing::warn!(%error, photos = photos.len(), "a person waits for a photo");
    match error {
        NoPhoto::TooLong(_) => Fault::PHOTO_TOO_LONG,
        NoPhoto::Object(_) | NoPhoto::Late => Fault::NO_OBJECT,
    }
}

/// The urgency of a command that may pass a long-running one.
const fn door() -> i16 {
    CommandType::OpenDoor.urgency()
}
