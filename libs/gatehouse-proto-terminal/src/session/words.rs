//! The words of a session: its settings, what a host asks, and what it has to do.

#[expect(unused_imports, reason = "named in the documentation")]
use super::Session;
use crate::{
    AnswerBody, AnswerKind, DecodeError, ErrorCode, Limits, Parameters, PersonInfo, PhotoKind,
    Position, Register, StoredPerson, UpdateType, UploadRecord,
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
    /// 500 downloading, 501 installing.
    pub code: ErrorCode,
    /// The terminal's words.
    pub message: String,
    /// Where the words tell it (`下载中 35%`), 0 to 100.
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

impl Request {
    /// Whether it may overtake a long-running one.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(self, Self::OpenDoor { .. })
    }
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
    /// [`Session::slot`] has changed other than by [`Session::submit`].
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
