//! Simulated face-recognition terminals that speak the terminal-to-cloud WebSocket protocol V3.5
//! (document 004), and push devices that call over HTTP (document 002, chapter 9), well behaved or
//! not.
//!
//! Three users: `gatehouse simulate terminal`, the integration tests and the benchmark. A
//! [`Terminal`] is one device, described by a [`TerminalProfile`]; [`run`] plays a whole
//! [`Plan`] of them.
//!
//! Deliberately absent: any dependency on the cloud's own codec. What a terminal writes and what
//! it accepts is a second, independent reading of the document, so that a misreading on either
//! side fails a test. Where the document is silent the choice is said at the item.

mod answers;
mod cast;
pub mod device;
mod engine;
mod error;
mod event;
mod firmware;
mod link;
mod parameters;
mod pass;
mod person;
pub mod photo;
mod plan;
mod profile;
mod random;
mod records;
mod shared;
mod stats;
mod stream;
mod terminal;
mod wire;

pub use error::SimError;
pub use event::{DoorCause, Event};
pub use parameters::Parameters;
pub use pass::{IdDocument, Pass, PassTime, RecordAck};
pub use person::Person;
pub use plan::{Plan, run, serial_number};
pub use profile::{
    Answer, Camera, Faults, PersonAnswerName, Quirks, Respond, SignStyle, TerminalProfile, Upgrade,
};
pub use random::SplitMix64;
pub use stats::Summary;
pub use terminal::Terminal;
pub use tokio_tungstenite::tungstenite::Message;
pub use wire::sign;
