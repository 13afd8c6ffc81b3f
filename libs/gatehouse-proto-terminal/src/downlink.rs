//! What the platform sends: commands, and its answers to what terminals send.

use crate::{ErrorCode, PersonInfo};
use gatehouse_domain::vocabulary;
use std::collections::BTreeMap;

vocabulary! {
    /// `updateType` (2.1.4): what a firmware file replaces.
    pub enum UpdateType: "update type" {
        /// 0
        FileSystem = "file_system",
        /// 1
        Application = "application",
        /// 3 (there is no 2)
        Kernel = "kernel",
    }
}

vocabulary! {
    /// `photoType` (2.3.2): which picture to take.
    pub enum PhotoKind: "photo kind" {
        /// 0: one with a face in it.
        Face = "face",
        /// 1: whatever the camera sees now.
        Scene = "scene",
    }
}

/// A command to a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Downlink {
    /// `onlineOpen` (2.1.3)
    Open {
        /// What the terminal says aloud, at most 128 characters.
        message: String,
    },
    /// `onlineUpdate` (2.1.4)
    Update {
        /// What the file replaces.
        update_type: UpdateType,
        /// Where the terminal fetches it, at most 256 characters.
        url: String,
        /// `updateKey`: the length of the file in bytes.
        length: u64,
    },
    /// `onlineReboot` (2.1.5)
    Reboot,
    /// `onlineSetDevInfo` (2.1.6): the full set, see [`crate::parameters::full_set`].
    SetParameters(BTreeMap<String, String>),
    /// `onlineGetDevInfo` (2.1.7)
    GetParameters,
    /// `registerPersonInfo` (2.2.1), one person
    RegisterPerson(Box<PersonInfo>),
    /// `onlineGetRegister` (2.2.2)
    GetRegister,
    /// `onlineStopGetRegister` (2.2.3)
    StopGetRegister,
    /// `onlineGetRegisterCount` (2.2.4)
    CountRegister,
    /// `onlineGetRegisterByIndex` (2.2.5)
    GetRegisterByIndex {
        /// From 0.
        index: u32,
    },
    /// `onlineGetPhoto` (2.3.2)
    GetPhoto {
        /// Which picture.
        kind: PhotoKind,
    },
    /// `onlineDeleteSnapRecord` (2.3.3)
    DeleteRecords,
}

impl Downlink {
    /// The frame, in the documented form, with `deviceNo` always.
    #[must_use]
    pub fn encode(&self, device_no: &str, message_id: &str) -> String {
        format!("{device_no}{message_id}")
    }
}

/// `controlState` (2.3.1): what the platform decides about the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlState {
    /// `open`
    Open,
    /// `close`
    Close,
    /// Empty: the terminal decides itself.
    Unstated,
}

/// The platform's answer to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAnswer {
    /// 100 when it is stored; 200 makes the terminal upload it again.
    pub error_code: ErrorCode,
    /// What happens at the door.
    pub control_state: ControlState,
    /// What the terminal says aloud; empty: what it says of itself.
    pub msg: String,
}

/// `registerResp` (2.1.1). `now_ms` is written as 13 digits; the terminal sets its clock by it.
#[must_use]
pub fn encode_register_resp(
    device_no: &str,
    token: &str,
    now_ms: i64,
    error_code: &ErrorCode,
) -> String {
    format!("{device_no}{token}{now_ms}{error_code}")
}

/// `keepAliveResp` (2.1.2).
#[must_use]
pub fn encode_keep_alive_resp(device_no: &str) -> String {
    device_no.to_owned()
}

/// `uploadRecordResp` (2.3.1).
#[must_use]
pub fn encode_record_resp(message_id: &str, device_no: &str, answer: &RecordAnswer) -> String {
    format!("{message_id}{device_no}{}", answer.msg)
}

/// The platform's `onlineGetRegisterResp` (2.2.2): one person has arrived. Message id and index
/// must be those of the upload, else it comes again for ever.
#[must_use]
pub fn encode_register_person_ack(message_id: &str, device_no: &str, index: u32) -> String {
    format!("{message_id}{device_no}{index}")
}
