//! What the platform sends: commands, and its answers to what terminals send.

use crate::{ErrorCode, PersonInfo};
use gatehouse_domain::vocabulary;
use gatehouse_wire::ObjectWriter;
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

impl UpdateType {
    /// `updateType`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FileSystem => "0",
            Self::Application => "1",
            Self::Kernel => "3",
        }
    }
}

impl PhotoKind {
    /// `photoType`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Face => "0",
            Self::Scene => "1",
        }
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
    /// `msgType`.
    #[must_use]
    pub const fn message_type(&self) -> &'static str {
        match self {
            Self::Open { .. } => "onlineOpen",
            Self::Update { .. } => "onlineUpdate",
            Self::Reboot => "onlineReboot",
            Self::SetParameters(_) => "onlineSetDevInfo",
            Self::GetParameters => "onlineGetDevInfo",
            Self::RegisterPerson(_) => "registerPersonInfo",
            Self::GetRegister => "onlineGetRegister",
            Self::StopGetRegister => "onlineStopGetRegister",
            Self::CountRegister => "onlineGetRegisterCount",
            Self::GetRegisterByIndex { .. } => "onlineGetRegisterByIndex",
            Self::GetPhoto { .. } => "onlineGetPhoto",
            Self::DeleteRecords => "onlineDeleteSnapRecord",
        }
    }

    /// The frame, in the documented form, with `deviceNo` always.
    #[must_use]
    pub fn encode(&self, device_no: &str, message_id: &str) -> String {
        let mut object = ObjectWriter::new();
        object
            .text("msgType", self.message_type())
            .text("msgID", message_id)
            .text("deviceNo", device_no);
        match self {
            Self::Reboot
            | Self::GetParameters
            | Self::GetRegister
            | Self::StopGetRegister
            | Self::CountRegister
            | Self::DeleteRecords => {}
            Self::Open { message } => {
                object.text("msg", message);
            }
            Self::Update {
                update_type,
                url,
                length,
            } => {
                object
                    .text("updateType", update_type.code())
                    .text("updateUrl", url)
                    .text("updateKey", &length.to_string());
            }
            Self::SetParameters(parameters) => {
                for (name, value) in parameters {
                    object.text(name, value);
                }
            }
            Self::RegisterPerson(person) => {
                object
                    .text("personInfoCount", "1")
                    .list_of_one("personInfoData", person.item());
            }
            Self::GetRegisterByIndex { index } => {
                object.text("index", &index.to_string());
            }
            Self::GetPhoto { kind } => {
                object.text("photoType", kind.code());
            }
        }
        object.finish()
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

impl ControlState {
    /// `controlState`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Unstated => "",
        }
    }
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
    let mut object = ObjectWriter::new();
    object
        .text("msgType", "registerResp")
        .text("deviceNo", device_no)
        .text("token", token)
        .text("registerTime", &format!("{now_ms:013}"))
        .text("errorCode", error_code.as_str());
    object.finish()
}

/// `keepAliveResp` (2.1.2).
#[must_use]
pub fn encode_keep_alive_resp(device_no: &str) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("msgType", "keepAliveResp")
        .text("deviceNo", device_no);
    object.finish()
}

/// `uploadRecordResp` (2.3.1).
#[must_use]
pub fn encode_record_resp(message_id: &str, device_no: &str, answer: &RecordAnswer) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("msgType", "uploadRecordResp")
        .text("msgID", message_id)
        .text("deviceNo", device_no)
        .text("errorCode", answer.error_code.as_str())
        .text("controlState", answer.control_state.as_str())
        .text("msg", &answer.msg);
    object.finish()
}

/// The platform's `onlineGetRegisterResp` (2.2.2): one person has arrived. Message id and index
/// must be those of the upload, else it comes again for ever.
#[must_use]
pub fn encode_register_person_ack(message_id: &str, device_no: &str, index: u32) -> String {
    let mut object = ObjectWriter::new();
    object
        .text("msgType", "onlineGetRegisterResp")
        .text("msgID", message_id)
        .text("deviceNo", device_no)
        .text("errorCode", ErrorCode::Success.as_str())
        .text("index", &index.to_string());
    object.finish()
}
