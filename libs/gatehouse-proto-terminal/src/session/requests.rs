//! The session's requests: one in flight, urgent ones passing a long-running one, time-outs, the end.

use super::words::{Busy, Effect, Outcome, Request, Slot};
use super::work::{Next, Task, Work};
use super::{Phase, Session};
use crate::parameters::validate;
use crate::{Answer, Downlink, ErrorCode};

impl Session {
    /// Asks the terminal for something. `ticket` comes back in the effects about it. Parameters out
    /// of the document's ranges are not sent; the request fails with 400 at once.
    ///
    /// # Errors
    /// [`Busy`] when [`Session::slot`] does not allow it; nothing was sent then.
    pub fn submit(
        &mut self,
        now_ms: i64,
        ticket: u128,
        request: Request,
        out: &mut Vec<Effect>,
    ) -> Result<(), Busy> {
        if self.phase != Phase::Online {
            return Err(Busy::NotOnline);
        }
        match self.slot() {
            Slot::Free => {}
            Slot::OnlyUrgent if request.is_urgent() => {}
            Slot::OnlyUrgent | Slot::Taken => return Err(Busy::Taken),
        }
        if let Request::SetParameters { changes } = &request
            && let Err(faults) = validate(changes)
        {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let outcome = Outcome::Failed {
                code: ErrorCode::ParametersInvalid,
                message: faults.join("; "),
            };
            out.push(Effect::Finished { ticket, outcome });
            return Ok(());
        }
        let (work, downlink) = Work::begin(now_ms, ticket, self.next_message_id, request);
        self.send(&downlink, out);
        self.foreground = Some(Box::new(work));
        Ok(())
    }

    /// Stops a [`Request::ListPersons`]; it finishes when the terminal confirms. `false` where there
    /// is none of this ticket: other requests cannot be stopped.
    pub fn cancel(&mut self, now_ms: i64, ticket: u128, out: &mut Vec<Effect>) -> bool {
        let message_id = self.next_message_id;
        let mut works = self.foreground.iter_mut().chain(&mut self.background);
        let Some(work) = works.find(|work| work.ticket == Some(ticket)) else {
            return false;
        };
        let Task::List(listing) = &mut work.task else {
            return false;
        };
        if !listing.is_stopping {
            listing.is_stopping = true;
            work.message_id = message_id;
            work.renew(now_ms);
            self.send(&Downlink::StopGetRegister, out);
        }
        true
    }

    /// Whether a request can be submitted.
    #[must_use]
    pub fn slot(&self) -> Slot {
        if self.phase != Phase::Online || self.foreground.is_some() {
            Slot::Taken
        } else if self.background.is_some() {
            Slot::OnlyUrgent
        } else {
            Slot::Free
        }
    }

    pub(super) fn note_slot(&self, before: Slot, out: &mut Vec<Effect>) {
        if self.phase != Phase::Closed && self.slot() != before {
            out.push(Effect::SlotChanged);
        }
    }

    /// Sends a command under the next message id, and says which.
    pub(super) fn send(&mut self, downlink: &Downlink, out: &mut Vec<Effect>) -> u64 {
        let message_id = self.next_message_id;
        self.next_message_id = message_id.wrapping_add(1);
        let frame = downlink.encode(&self.device_no, &message_id.to_string());
        out.push(Effect::Send(frame));
        message_id
    }

    /// Gives an answer to the request it belongs to, which was taken out of its place.
    pub(super) fn advance(
        &mut self,
        now_ms: i64,
        work: Option<Box<Work>>,
        answer: Answer,
        out: &mut Vec<Effect>,
    ) {
        let Some(mut work) = work else {
            return;
        };
        let device_no = self.spoken_or_own(&answer.device_no).to_owned();
        match work.on_answer(&device_no, answer, out) {
            Next::Done(outcome) => finish(&work, outcome, out),
            Next::Wait => {
                work.renew(now_ms);
                self.put_back(work);
            }
            Next::Send(downlink) => {
                work.message_id = self.send(&downlink, out);
                work.renew(now_ms);
                self.put_back(work);
            }
        }
    }

    fn put_back(&mut self, work: Box<Work>) {
        if work.lets_pass() {
            self.background = Some(work);
        } else {
            self.foreground = Some(work);
        }
    }

    pub(super) fn give_up_late_work(&mut self, now_ms: i64, out: &mut Vec<Effect>) {
        let is_late = |work: &mut Box<Work>| work.deadline_ms <= now_ms;
        let late = [
            self.foreground.take_if(is_late),
            self.background.take_if(is_late),
        ];
        for work in late.into_iter().flatten() {
            let outcome = match &work.task {
                Task::List(listing) if listing.is_stopping => Outcome::Cancelled,
                Task::List(_) => {
                    self.send(&Downlink::StopGetRegister, out);
                    Outcome::TimedOut
                }
                Task::Plain(_)
                | Task::Photo
                | Task::GetParameters
                | Task::SetParameters { .. }
                | Task::Upgrade { .. }
                | Task::Count
                | Task::Read => Outcome::TimedOut,
            };
            finish(&work, outcome, out);
        }
    }

    pub(super) fn lose_work(&mut self, out: &mut Vec<Effect>) {
        for work in [self.foreground.take(), self.background.take()]
            .into_iter()
            .flatten()
        {
            finish(&work, Outcome::Lost, out);
        }
    }
}

fn finish(work: &Work, outcome: Outcome, out: &mut Vec<Effect>) {
    if let Some(ticket) = work.ticket {
        out.push(Effect::Finished { ticket, outcome });
    }
}
