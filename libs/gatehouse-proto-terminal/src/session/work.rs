//! A request in flight: which frames it takes, what it waits for, and how an answer moves it on.

use super::listing::Listing;
use super::words::{Effect, Outcome, Progress, Request};
use crate::parameters::{difference, full_set, shown};
use crate::{
    Answer, AnswerBody, AnswerKind, Downlink, ErrorCode, Parameters, encode_register_person_ack,
};
use gatehouse_domain::command::CommandType;
use std::collections::BTreeMap;

/// How long a person may take to be enrolled; the terminal's own limit has code 304.
const REGISTER_PERSON_WITHIN_MS: i64 = 30_000;
/// How long the read after a registration may hold the slot.
const FIRST_READ_WITHIN_MS: i64 = 10_000;

/// A request in flight.
#[derive(Debug)]
pub(super) struct Work {
    /// The host's ticket; `None` for what the session does of itself.
    pub(super) ticket: Option<u128>,
    /// Of the frame whose answer is awaited.
    pub(super) message_id: u64,
    /// When it is given up.
    pub(super) deadline_ms: i64,
    within_ms: i64,
    pub(super) task: Task,
}

#[derive(Debug)]
pub(super) enum Task {
    /// One frame, one answer that brings nothing: of this kind.
    Plain(AnswerKind),
    Photo,
    GetParameters,
    SetParameters {
        changes: BTreeMap<String, String>,
        step: Step,
    },
    Upgrade {
        has_begun: bool,
    },
    Count,
    List(Listing),
    Read,
}

/// Where a change of parameters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Reading,
    Writing,
    Proving,
}

/// What an answer leads to.
pub(super) enum Next {
    /// More answers are to come.
    Wait,
    /// Send this, and wait for its answer.
    Send(Downlink),
    /// The end.
    Done(Outcome),
}

impl Work {
    /// What the request needs, and the first frame of it.
    pub(super) fn begin(
        now_ms: i64,
        ticket: u128,
        message_id: u64,
        request: Request,
    ) -> (Self, Downlink) {
        let within_ms = within_ms(&request);
        let (task, downlink) = match request {
            Request::OpenDoor { message } => {
                (Task::Plain(AnswerKind::Open), Downlink::Open { message })
            }
            Request::Reboot => (Task::Plain(AnswerKind::Reboot), Downlink::Reboot),
            Request::ClearRecords => (
                Task::Plain(AnswerKind::DeleteRecords),
                Downlink::DeleteRecords,
            ),
            Request::RegisterPerson(person) => (
                Task::Plain(AnswerKind::RegisterPerson),
                Downlink::RegisterPerson(person),
            ),
            Request::CapturePhoto { kind } => (Task::Photo, Downlink::GetPhoto { kind }),
            Request::GetParameters => (Task::GetParameters, Downlink::GetParameters),
            Request::SetParameters { changes } => (
                Task::SetParameters {
                    changes,
                    step: Step::Reading,
                },
                Downlink::GetParameters,
            ),
            Request::UpgradeFirmware {
                update_type,
                url,
                length,
            } => (
                Task::Upgrade { has_begun: false },
                Downlink::Update {
                    update_type,
                    url,
                    length,
                },
            ),
            Request::CountPersons => (Task::Count, Downlink::CountRegister),
            Request::ListPersons => (Task::List(Listing::default()), Downlink::GetRegister),
            Request::ReadPerson { index } => (Task::Read, Downlink::GetRegisterByIndex { index }),
        };
        let work = Self {
            ticket: Some(ticket),
            message_id,
            deadline_ms: now_ms.saturating_add(within_ms),
            within_ms,
            task,
        };
        (work, downlink)
    }

    /// The read that follows a registration (2.1.7: "the cloud fetches once").
    pub(super) const fn first_read(now_ms: i64, message_id: u64) -> Self {
        Self {
            ticket: None,
            message_id,
            deadline_ms: now_ms.saturating_add(FIRST_READ_WITHIN_MS),
            within_ms: FIRST_READ_WITHIN_MS,
            task: Task::GetParameters,
        }
    }

    /// The time runs anew: something has been heard, or another frame was sent.
    pub(super) const fn renew(&mut self, now_ms: i64) {
        self.deadline_ms = now_ms.saturating_add(self.within_ms);
    }

    /// Whether urgent requests may pass by: long-running, and the terminal has begun.
    pub(super) const fn lets_pass(&self) -> bool {
        match &self.task {
            Task::Upgrade { has_begun } => *has_begun,
            Task::List(listing) => listing.has_begun(),
            Task::Plain(_)
            | Task::Photo
            | Task::GetParameters
            | Task::SetParameters { .. }
            | Task::Count
            | Task::Read => false,
        }
    }

    /// Whether the answer is to this, by message id and, where the terminal stated it, type.
    pub(super) fn awaits(&self, answer: &Answer) -> bool {
        answer.message_id.parse() == Ok(self.message_id)
            && (answer.kind == AnswerKind::Unstated || self.takes(answer.kind))
    }

    /// Whether this lists persons and the answer may bring one. The document does not say that a
    /// person's upload carries our message id; its acknowledgement's sample suggests otherwise.
    pub(super) fn may_list(&self, answer: &Answer) -> bool {
        matches!(self.task, Task::List(_))
            && matches!(answer.body, AnswerBody::Person(_))
            && self.takes(answer.kind)
    }

    fn takes(&self, kind: AnswerKind) -> bool {
        match &self.task {
            Task::Plain(expected) => kind == *expected,
            Task::Photo => kind == AnswerKind::Photo,
            Task::GetParameters => kind == AnswerKind::GetParameters,
            Task::SetParameters { step, .. } => match step {
                Step::Reading | Step::Proving => kind == AnswerKind::GetParameters,
                Step::Writing => kind == AnswerKind::SetParameters,
            },
            Task::Upgrade { .. } => kind == AnswerKind::Update,
            Task::Count => kind == AnswerKind::RegisterCount,
            Task::List(listing) => {
                is_person_kind(kind) || (listing.is_stopping && kind == AnswerKind::StopRegister)
            }
            Task::Read => is_person_kind(kind),
        }
    }

    /// Moves on by an answer that belongs here.
    pub(super) fn on_answer(
        &mut self,
        device_no: &str,
        answer: Answer,
        out: &mut Vec<Effect>,
    ) -> Next {
        match &mut self.task {
            Task::Upgrade { has_begun } => {
                if !answer.error_code.is_progress() {
                    return Next::Done(plain(answer));
                }
                *has_begun = true;
                if let Some(ticket) = self.ticket {
                    let progress = Progress {
                        percent: percent(&answer.message),
                        code: answer.error_code,
                        message: answer.message,
                    };
                    out.push(Effect::Progress { ticket, progress });
                }
                Next::Wait
            }
            Task::List(listing) => list(listing, self.ticket, device_no, answer, out),
            Task::SetParameters { changes, step } => set_parameters(changes, step, answer, out),
            Task::GetParameters => Next::Done(match read_parameters(answer, out) {
                Ok(parameters) => Outcome::Succeeded(AnswerBody::Parameters(parameters)),
                Err(outcome) => outcome,
            }),
            Task::Plain(_) | Task::Photo | Task::Count | Task::Read => {
                Next::Done(self.with_body(answer))
            }
        }
    }

    fn with_body(&self, answer: Answer) -> Outcome {
        if !answer.error_code.is_success() {
            return plain(answer);
        }
        match (&self.task, answer.body) {
            (Task::Count, body @ AnswerBody::PersonCount(_))
            | (Task::Read, body @ AnswerBody::Person(_))
            | (Task::Photo, body @ AnswerBody::Photo(_)) => Outcome::Succeeded(body),
            // Without a face there may be no member at all (L1354).
            (Task::Photo, _) => Outcome::Succeeded(AnswerBody::Photo(None)),
            (Task::Count, _) => incomplete("The terminal answered without a number of persons."),
            (Task::Read, _) => incomplete("The terminal answered without a person."),
            (
                Task::Plain(_)
                | Task::GetParameters
                | Task::SetParameters { .. }
                | Task::Upgrade { .. }
                | Task::List(_),
                _,
            ) => Outcome::Succeeded(AnswerBody::None),
        }
    }
}

fn within_ms(request: &Request) -> i64 {
    match request {
        Request::OpenDoor { .. } => CommandType::OpenDoor.answer_within_ms(),
        Request::Reboot => CommandType::Reboot.answer_within_ms(),
        Request::CapturePhoto { .. } => CommandType::CapturePhoto.answer_within_ms(),
        Request::GetParameters => CommandType::GetParameters.answer_within_ms(),
        Request::SetParameters { .. } => CommandType::SetParameters.answer_within_ms(),
        Request::UpgradeFirmware { .. } => CommandType::UpgradeFirmware.answer_within_ms(),
        Request::ClearRecords => CommandType::ClearRecords.answer_within_ms(),
        Request::CountPersons => CommandType::CountPersons.answer_within_ms(),
        Request::ListPersons => CommandType::ListPersons.answer_within_ms(),
        Request::ReadPerson { .. } => CommandType::ReadPerson.answer_within_ms(),
        Request::RegisterPerson(_) => REGISTER_PERSON_WITHIN_MS,
    }
}

fn is_person_kind(kind: AnswerKind) -> bool {
    matches!(
        kind,
        AnswerKind::Register | AnswerKind::RegisterByIndex | AnswerKind::Unstated
    )
}

/// The end that an answer without a body makes.
fn plain(answer: Answer) -> Outcome {
    if answer.error_code.is_success() {
        Outcome::Succeeded(AnswerBody::None)
    } else {
        Outcome::Failed {
            code: answer.error_code,
            message: answer.message,
        }
    }
}

fn incomplete(message: &str) -> Outcome {
    Outcome::Failed {
        code: ErrorCode::UnknownFault,
        message: message.to_owned(),
    }
}

fn read_parameters(answer: Answer, out: &mut Vec<Effect>) -> Result<Parameters, Outcome> {
    if !answer.error_code.is_success() {
        return Err(plain(answer));
    }
    let AnswerBody::Parameters(parameters) = answer.body else {
        return Err(incomplete("The terminal answered without its parameters."));
    };
    out.push(Effect::ParametersReported(parameters.clone()));
    Ok(parameters)
}

/// Read, write the full set, read again, compare. A partial set may or may not be allowed
/// (protocols, L356), so a full one is written.
fn set_parameters(
    changes: &BTreeMap<String, String>,
    step: &mut Step,
    answer: Answer,
    out: &mut Vec<Effect>,
) -> Next {
    match *step {
        Step::Reading => match read_parameters(answer, out) {
            Ok(reported) => {
                *step = Step::Writing;
                Next::Send(Downlink::SetParameters(full_set(
                    reported.as_map(),
                    changes,
                )))
            }
            Err(outcome) => Next::Done(outcome),
        },
        Step::Writing if answer.error_code.is_success() => {
            *step = Step::Proving;
            Next::Send(Downlink::GetParameters)
        }
        Step::Writing => Next::Done(plain(answer)),
        Step::Proving => {
            // Where the second read fails, nothing is proven.
            let reported = read_parameters(answer, out).unwrap_or_default();
            let differing = difference(changes, reported.as_map());
            Next::Done(if differing.is_empty() {
                Outcome::Succeeded(AnswerBody::None)
            } else {
                Outcome::Unproven {
                    differing: masked(differing),
                }
            })
        }
    }
}

type Differing = BTreeMap<String, (Option<String>, Option<String>)>;

fn masked(differing: Differing) -> Differing {
    differing
        .into_iter()
        .map(|(name, (asked, reported))| {
            let mask = |value: Option<String>| value.map(|value| shown(&name, &value).to_owned());
            let pair = (mask(asked), mask(reported));
            (name, pair)
        })
        .collect()
}

fn list(
    listing: &mut Listing,
    ticket: Option<u128>,
    device_no: &str,
    answer: Answer,
    out: &mut Vec<Effect>,
) -> Next {
    if listing.is_stopping && answer.kind == AnswerKind::StopRegister {
        // Whatever it says: the host does not want more, and persons that still come are
        // acknowledged.
        return Next::Done(Outcome::Cancelled);
    }
    match answer.body {
        AnswerBody::Person(person) => {
            out.push(Effect::Send(encode_register_person_ack(
                &answer.message_id,
                device_no,
                person.index,
            )));
            let is_new = listing.note(person.index, person.person_num);
            if let Some(ticket) = ticket.filter(|_| is_new && !listing.is_stopping) {
                out.push(Effect::PersonListed { ticket, person });
            }
            if listing.is_stopping || !listing.is_complete() {
                return Next::Wait;
            }
            Next::Done(Outcome::Succeeded(AnswerBody::PersonCount(listing.count())))
        }
        AnswerBody::PersonCount(0) if answer.error_code.is_success() => {
            Next::Done(Outcome::Succeeded(AnswerBody::PersonCount(0)))
        }
        // That it has begun.
        AnswerBody::None
        | AnswerBody::PersonCount(_)
        | AnswerBody::Parameters(_)
        | AnswerBody::Photo(_)
            if answer.error_code.is_success() =>
        {
            Next::Wait
        }
        AnswerBody::None
        | AnswerBody::PersonCount(_)
        | AnswerBody::Parameters(_)
        | AnswerBody::Photo(_) => Next::Done(Outcome::Failed {
            code: answer.error_code,
            message: answer.message,
        }),
    }
}

/// `35` from `下载中 35%`.
fn percent(message: &str) -> Option<u8> {
    let (before, _) = message.split_once('%')?;
    let before = before.trim_end();
    let digits = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let number = before.get(digits..)?.parse().ok()?;
    (number <= 100).then_some(number)
}
