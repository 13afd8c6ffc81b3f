//! What a terminal answers to a command: one frame, or several of one message id.

use crate::{Announcement, ErrorCode, Gender, Parameters, PhotoField, Priority};

/// Which `...Resp` it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    /// `onlineOpenResp` (2.1.3)
    Open,
    /// `onlineUpdateResp` (2.1.4)
    Update,
    /// `onlineRebootResp` (2.1.5)
    Reboot,
    /// `onlineSetDevInfoResp` (2.1.6)
    SetParameters,
    /// `onlineGetDevInfoResp` (2.1.7)
    GetParameters,
    /// `registerPersonInfoResp` (2.2.1)
    RegisterPerson,
    /// `onlineGetRegisterResp` or `onlineGetRegisterInfoResp` (2.2.2); the latter is also what the
    /// sample of 2.2.5 uses, so the message id decides.
    Register,
    /// `onlineStopGetRegisterResp` (2.2.3)
    StopRegister,
    /// `onlineGetRegisterCountResp` (2.2.4)
    RegisterCount,
    /// `onlineGetRegisterByIndexResp` (2.2.5)
    RegisterByIndex,
    /// `onlineGetPhotoResp` (2.3.2)
    Photo,
    /// `onlineDeleteSnapRecordResp` (2.3.3)
    DeleteRecords,
    /// There was no `msgType` (the sample of 2.1.7 has none); the message id decides.
    Unstated,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which.
    pub kind: AnswerKind,
    /// `msgID`: of the command it answers. At most 128 bytes.
    pub message_id: String,
    /// `deviceNo` as used here; empty where not sent.
    pub device_no: String,
    /// `token`.
    pub token: Option<String>,
    /// `errorCode` (or `code`, as 1.5 of the document calls it).
    pub error_code: ErrorCode,
    /// `msg`.
    pub message: String,
    /// What it brings.
    pub body: AnswerBody,
}

/// What an answer brings beside its code.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerBody {
    /// Nothing.
    None,
    /// The terminal's parameters.
    Parameters(Parameters),
    /// One person it holds.
    Person(Box<StoredPerson>),
    /// How many persons it holds.
    PersonCount(u32),
    /// A picture; `None` where the terminal saw no face.
    Photo(Option<PhotoField>),
}

/// A person as a terminal holds one (2.2.2, 2.2.5). Dates and passing times are as received:
/// terminals of one maker write them in several forms.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPerson {
    /// `index`: from 0.
    pub index: u32,
    /// `personNum`: how many the terminal holds; absent in answers by index.
    pub person_num: Option<u32>,
    /// `idNumber`.
    pub id_number: String,
    /// `normalNumber`: the number of the IC card.
    pub card_number: Option<String>,
    /// `name`.
    pub name: String,
    /// `sex`.
    pub gender: Option<Gender>,
    /// `birthday` as received. See [`StoredPerson::birthday_on`].
    pub birthday: Option<String>,
    /// `phone`.
    pub phone: Option<String>,
    /// `validDateStart` as received. See [`StoredPerson::valid_from_on`].
    pub valid_from: Option<String>,
    /// `validDateEnd` as received. See [`StoredPerson::valid_to_on`].
    pub valid_to: Option<String>,
    /// `priority`.
    pub priority: Option<Priority>,
    /// `registerPhoto1` to `3` with their ids; only slots that hold either.
    pub photos: Vec<StoredPhoto>,
    /// What it says aloud for this person.
    pub voice: Announcement,
    /// What it shows for this person.
    pub display: Announcement,
    /// `passTime1` (Monday) to `passTime7`, as received.
    pub pass_times: [Option<String>; 7],
}

/// A photo slot of a stored person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPhoto {
    /// 1, 2 or 3.
    pub slot: u8,
    /// `registerPhotoIDn`: six digits, as a rule.
    pub number: Option<String>,
    /// `registerPhotoN`.
    pub photo: Option<PhotoField>,
}

impl StoredPerson {
    /// The birthday, where it reads as a date.
    #[must_use]
    pub fn birthday_on(&self) -> Option<chrono::NaiveDate> {
        self.birthday.as_deref().and_then(crate::dates::read_date)
    }

    /// The first day of validity, where it reads as a date.
    #[must_use]
    pub fn valid_from_on(&self) -> Option<chrono::NaiveDate> {
        self.valid_from.as_deref().and_then(crate::dates::read_date)
    }

    /// The last day of validity, where it reads as a date.
    #[must_use]
    pub fn valid_to_on(&self) -> Option<chrono::NaiveDate> {
        self.valid_to.as_deref().and_then(crate::dates::read_date)
    }
}
