//! Document 004, "face terminal to cloud over WebSocket", V3.5: frames to typed words and back, and
//! the state machine of one session.
//!
//! - [`decode`] reads a frame of a terminal, with every fault real ones show;
//! - [`Downlink::encode`] and the `encode_*` functions write what the platform sends;
//! - [`parameters`] knows each parameter of a terminal, its range and its spelling;
//! - [`session`] is what one connection goes through, from registration to silence.
//!
//! Deliberately absent: sockets, a clock, randomness, storage, and every decision that needs a
//! tenant's data (who is admitted, whether the door opens). Vectors stand in `vectors/`, one file
//! per message, each line with its source.

mod answer;
mod clock;
mod dates;
mod decode;
mod downlink;
mod error_code;
pub mod parameters;
pub mod pass_times;
mod person;
mod photo;
mod record;
pub mod session;
mod uplink;

pub use answer::{Answer, AnswerBody, AnswerKind, StoredPerson, StoredPhoto};
pub use clock::{ClockError, PassedAt, WallTime};
pub use decode::{DecodeError, Limits, decode};
pub use downlink::{
    ControlState, Downlink, PhotoKind, RecordAnswer, UpdateType, encode_keep_alive_resp,
    encode_record_resp, encode_register_person_ack, encode_register_resp,
};
pub use error_code::ErrorCode;
pub use parameters::Parameters;
pub use person::{Announcement, Gender, PersonInfo, PersonOperation, PersonPhoto, Priority};
pub use photo::{PhotoError, PhotoField, PictureKind};
pub use record::{IdDocument, UploadRecord};
pub use uplink::{KeepAlive, Position, Register, SignVerdict, Unknown, Uplink};
