//! What happened to a terminal, in order, for tests to look at.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::pass::RecordAck;

/// Who opened the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorCause {
    /// `onlineOpen` (004 section 2.1.3).
    Command,
    /// `uploadRecordResp` with `controlState` "open" (section 2.3.1).
    Record,
    /// The terminal itself: `controlState` was empty, `autoOpenDoorEnable` is 1 and the comparison
    /// succeeded.
    Itself,
}

/// One thing that happened to a terminal.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The WebSocket handshake is done.
    Connected,
    /// `registerResp` with 100.
    Registered {
        /// `registerTime` of the answer: the cloud's time, Unix milliseconds.
        cloud_time_ms: i64,
        /// `token` of the answer.
        token: String,
        /// When it arrived, by this machine's clock.
        at: DateTime<Utc>,
    },
    /// `registerResp` with another code.
    Refused {
        /// `errorCode` of the answer.
        error_code: String,
    },
    /// `keepAliveResp`.
    KeptAlive,
    /// A command of the cloud.
    Command {
        /// `msgType`.
        msg_type: String,
        /// `msgID`, empty when absent.
        msg_id: String,
        /// The whole message.
        body: Arc<Value>,
        /// When it arrived.
        at: DateTime<Utc>,
    },
    /// A command whose `deviceNo` is not this terminal's: it was answered 200 and not done.
    Misaddressed {
        /// `msgID`.
        msg_id: String,
        /// The `deviceNo` it bore.
        device_no: String,
    },
    /// An answer went out.
    Answered {
        /// `msgType` of the answer; without a space even where a quirk sends one.
        msg_type: String,
        /// `msgID`.
        msg_id: String,
        /// `errorCode`.
        error_code: String,
    },
    /// An `uploadRecord` went out.
    RecordSent {
        /// `msgID`.
        msg_id: String,
        /// Not the first time.
        again: bool,
    },
    /// An `uploadRecordResp` to a record that waits for it.
    RecordAnswered {
        /// `msgID`.
        msg_id: String,
        /// The answer.
        ack: RecordAck,
    },
    /// An answer that nothing waits for: a second acknowledgement, or a wrong `msgID` or index.
    StrayAnswer {
        /// `msgType`.
        msg_type: String,
        /// `msgID`.
        msg_id: String,
    },
    /// The cloud acknowledged one person of `onlineGetRegister`.
    PersonAcknowledged {
        /// `index` of the acknowledgement.
        index: String,
    },
    /// A frame that is not a JSON object.
    Unreadable {
        /// Its beginning.
        text: String,
    },
    /// The door opened.
    DoorOpened {
        /// The text that is spoken.
        message: String,
        /// Who opened it.
        cause: DoorCause,
        /// When.
        at: DateTime<Utc>,
    },
    /// A firmware upgrade ended well.
    Upgraded {
        /// `updateUrl`.
        url: String,
        /// Bytes downloaded; 0 when the profile does not download for real.
        bytes: u64,
    },
    /// `onlineDeleteSnapRecord` was done.
    RecordsCleared,
    /// The terminal restarts: the connection is cut.
    Rebooted,
    /// The connection is gone.
    Closed {
        /// Code of the close frame, if there was one.
        code: Option<u16>,
        /// Its reason, or what happened instead.
        reason: String,
    },
}

/// The last `limit` events; positions keep counting when old ones are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    events: VecDeque<Event>,
    forgotten: usize,
}

impl Journal {
    pub(crate) fn push(&mut self, event: Event, limit: usize) {
        self.events.push_back(event);
        while self.events.len() > limit {
            self.events.pop_front();
            self.forgotten += 1;
        }
    }

    /// How many events there ever were.
    pub(crate) fn count(&self) -> usize {
        self.forgotten + self.events.len()
    }

    /// The events from position `since` on that are still kept.
    pub(crate) fn since(&self, since: usize) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .skip(since.saturating_sub(self.forgotten))
    }
}
