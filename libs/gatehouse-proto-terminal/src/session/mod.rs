//! One connection of a terminal, from registration to silence. Pure: frames, verdicts, requests and
//! the time go in, effects come out; the host does them in order.

use crate::{
    AnswerBody, AnswerKind, DecodeError, ErrorCode, Limits, Parameters, PersonInfo, PhotoKind,
    Position, RecordAnswer, Register, StoredPerson, UpdateType, UploadRecord,
};
use std::collections::BTreeMap;

/// How long a session waits, and how much it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// A connection without a registration is closed after this long (10 000).
    pub register_within_ms: i64,
    /// A terminal that says nothing is dead after this long (95 000).
    pub dead_after_ms: i64,
    /// The first message id to use (1). Differs from session to session, so that a late answer to an
    /// earlier session's command is not taken for one of this.
    pub first_message_id: u64,
    /// How much a frame may cost.
    pub limits: Limits,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            register_within_ms: 10_000,
            dead_after_ms: 95_000,
            first_message_id: 1,
            limits: Limits::default(),
        }
    }
}

/// What a host asks a terminal to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Open the door. The one urgent request.
    OpenDoor {
        /// What the terminal says aloud.
        message: String,
    },
    /// Start again.
    Reboot,
    /// Take a picture. Succeeds with [`AnswerBody::Photo`].
    CapturePhoto {
        /// Which.
        kind: PhotoKind,
    },
    /// Tell all parameters. Succeeds with [`AnswerBody::Parameters`].
    GetParameters,
    /// Read, change, write the full set, read again, compare.
    SetParameters {
        /// What is to change.
        changes: BTreeMap<String, String>,
    },
    /// Install firmware.
    UpgradeFirmware {
        /// What the file replaces.
        update_type: UpdateType,
        /// Where the terminal fetches it.
        url: String,
        /// Its length in bytes.
        length: u64,
    },
    /// Forget the stored records.
    ClearRecords,
    /// Count persons. Succeeds with [`AnswerBody::PersonCount`].
    CountPersons,
    /// Tell every person, each as [`Effect::PersonListed`]. Succeeds with
    /// [`AnswerBody::PersonCount`].
    ListPersons,
    /// Tell one person. Succeeds with [`AnswerBody::Person`].
    ReadPerson {
        /// From 0.
        index: u32,
    },
    /// Add, change or delete a person.
    RegisterPerson(Box<PersonInfo>),
}

/// Whether a request can be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Any.
    Free,
    /// A long-running upgrade or list is under way and has given its first progress; only
    /// [`Request::OpenDoor`].
    OnlyUrgent,
    /// None: another is in flight, or the terminal is not registered.
    Taken,
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The terminal is not registered, or the session is over.
    #[error("the terminal is not connected")]
    NotOnline,
    /// Another request is in flight.
    #[error("the terminal is busy with another command; try again when it has answered")]
    Taken,
}

/// How far a long-running request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// 500 downloading, 501 installing; of a list 100.
    pub code: ErrorCode,
    /// The terminal's words.
    pub message: String,
    /// Where the words or the count tell it, 0 to 100.
    pub percent: Option<u8>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The terminal confirmed it, and brought this.
    Succeeded(AnswerBody),
    /// The terminal refused it, or it could not be understood.
    Failed {
        /// Its code; 1000 where it answered without what was asked for.
        code: ErrorCode,
        /// Its words, or ours.
        message: String,
    },
    /// No answer in time: the terminal may or may not have done it.
    TimedOut,
    /// Written and confirmed, but what the terminal then reports is not what was asked.
    Unproven {
        /// Name to (asked, reported), secrets masked.
        differing: BTreeMap<String, (Option<String>, Option<String>)>,
    },
    /// Stopped by [`Session::cancel`].
    Cancelled,
    /// The session ended first.
    Lost,
}

/// What the host has to do or to know, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this text frame.
    Send(String),
    /// A terminal wants in: answer with [`Session::admit`] or [`Session::refuse`].
    Register(Register),
    /// Store this, then [`Session::answer_record`].
    Record(Box<UploadRecord>),
    /// A sign of life (already answered).
    KeepAlive {
        /// Where the terminal is, if it says.
        position: Option<Position>,
    },
    /// What the terminal says its parameters are: read of itself after registration, and by each
    /// read inside a request.
    ParametersReported(Parameters),
    /// A long-running request moves.
    Progress {
        /// Which.
        ticket: u128,
        /// How far.
        progress: Progress,
    },
    /// One person of [`Request::ListPersons`] (already acknowledged, reported once).
    PersonListed {
        /// Which request.
        ticket: u128,
        /// The person.
        person: Box<StoredPerson>,
    },
    /// A request has ended.
    Finished {
        /// Which.
        ticket: u128,
        /// How.
        outcome: Outcome,
    },
    /// [`Session::slot`] has changed.
    SlotChanged,
    /// A message whose type is not known. Keep and count it.
    Unknown {
        /// `msgType`, at most 64 characters.
        message_type: String,
        /// Length of the frame.
        bytes_len: usize,
    },
    /// A message that only a registered terminal may send. Not answered.
    TooEarly {
        /// `msgType`.
        message_type: &'static str,
    },
    /// A frame that is no message. Not answered; the protocol has no answer for it.
    Malformed {
        /// Why.
        error: DecodeError,
    },
    /// A message carried another token than the session's; a close follows.
    TokenMismatch,
    /// A message carried another `deviceNo` than the registration. Noted, once per new number.
    DeviceNoDiffers {
        /// The other number.
        device_no: String,
    },
    /// An answer that nothing waits for, as a rule to a request that timed out.
    LateAnswer {
        /// Which answer.
        kind: AnswerKind,
        /// Its message id.
        message_id: String,
        /// Its code.
        error_code: ErrorCode,
    },
    /// Close the socket with this; nothing more follows.
    Close {
        /// Of RFC 6455.
        code: u16,
        /// For the close frame.
        reason: &'static str,
    },
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    settings: SessionSettings,
    device_no: Box<str>,
}

impl Session {
    /// A connection was just accepted.
    #[must_use]
    pub fn new(settings: SessionSettings, now_ms: i64) -> Self {
        let _ = now_ms;
        Self {
            settings,
            device_no: "".into(),
        }
    }

    /// A frame arrived.
    pub fn on_frame(&mut self, now_ms: i64, bytes: &[u8], out: &mut Vec<Effect>) {
        let _ = (now_ms, bytes, out, self.settings);
    }

    /// The host's verdict on [`Effect::Register`]: welcome. Sends the answer with the platform's
    /// time, then reads the parameters.
    pub fn admit(&mut self, now_ms: i64, token: String, out: &mut Vec<Effect>) {
        let _ = (now_ms, token, out);
    }

    /// The host's verdict on [`Effect::Register`]: no. Sends the code and closes.
    pub fn refuse(
        &mut self,
        now_ms: i64,
        code: ErrorCode,
        reason: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let _ = (now_ms, code, reason, out);
    }

    /// Asks the terminal for something. `ticket` comes back in the effects about it.
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
        let _ = (now_ms, ticket, request, out);
        Err(Busy::NotOnline)
    }

    /// Stops a [`Request::ListPersons`]; it finishes when the terminal confirms. `false` where there
    /// is none of this ticket: other requests cannot be stopped.
    pub fn cancel(&mut self, now_ms: i64, ticket: u128, out: &mut Vec<Effect>) -> bool {
        let _ = (now_ms, ticket, out);
        false
    }

    /// Answers a record, after it is stored.
    pub fn answer_record(
        &mut self,
        now_ms: i64,
        message_id: &str,
        answer: RecordAnswer,
        out: &mut Vec<Effect>,
    ) {
        let _ = (now_ms, message_id, answer, out);
    }

    /// Looks at the clock. Call it about once a second, or at [`Session::next_tick_at_ms`].
    pub fn on_tick(&mut self, now_ms: i64, out: &mut Vec<Effect>) {
        let _ = (now_ms, out);
    }

    /// The socket is gone, or the host closes it: requests in flight end as [`Outcome::Lost`].
    pub fn end(&mut self, out: &mut Vec<Effect>) {
        let _ = out;
    }

    /// Whether a request can be submitted.
    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot::Taken
    }

    /// Whether the terminal is registered and the session is not over.
    #[must_use]
    pub fn is_online(&self) -> bool {
        false
    }

    /// The number under which the terminal was admitted; empty before that.
    #[must_use]
    pub fn device_no(&self) -> &str {
        &self.device_no
    }

    /// When something happens next if no frame arrives; `None` after the end.
    #[must_use]
    pub fn next_tick_at_ms(&self) -> Option<i64> {
        None
    }
}
