//! What a terminal answers to a command: one frame, or several of one message id.

use crate::decode::{self, DecodeError, words};
use crate::{Announcement, ErrorCode, Gender, Parameters, PhotoField, Priority, Uplink};
use gatehouse_wire::{Object, Value};

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

impl AnswerKind {
    /// The kind of a `msgType`; `None` where it is no answer of this document.
    pub(crate) fn named(message_type: &str) -> Option<Self> {
        [
            ("onlineOpenResp", Self::Open),
            ("onlineUpdateResp", Self::Update),
            ("onlineRebootResp", Self::Reboot),
            ("onlineSetDevInfoResp", Self::SetParameters),
            ("onlineGetDevInfoResp", Self::GetParameters),
            ("registerPersonInfoResp", Self::RegisterPerson),
            ("onlineGetRegisterResp", Self::Register),
            ("onlineGetRegisterInfoResp", Self::Register), // L905 against L953
            ("onlineStopGetRegisterResp", Self::StopRegister),
            ("onlineGetRegisterCountResp", Self::RegisterCount),
            ("onlineGetRegisterByIndexResp", Self::RegisterByIndex),
            ("onlineGetPhotoResp", Self::Photo),
            ("onlineDeleteSnapRecordResp", Self::DeleteRecords),
        ]
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(message_type))
        .map(|(_, kind)| kind)
    }
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

/// Reads an answer.
pub(crate) fn read(kind: AnswerKind, mut object: Object<'_>) -> Result<Uplink, DecodeError> {
    let message_id = decode::message_id(&object)?.ok_or(DecodeError::Missing {
        message: "answer",
        field: "msgID",
    })?;
    let device_no = decode::device_no(&object)?.unwrap_or_default();
    let token = decode::token(&object)?;
    let code = object.word("errorCode").or_else(|| object.word("code"));
    let error_code = ErrorCode::from(code.unwrap_or_default());
    let message = words(&object, "msg").unwrap_or_default();
    Ok(Uplink::Answer(Box::new(Answer {
        kind,
        message_id,
        device_no,
        token,
        error_code,
        message,
        body: body(kind, &mut object),
    })))
}

fn body(kind: AnswerKind, object: &mut Object<'_>) -> AnswerBody {
    match kind {
        AnswerKind::Open
        | AnswerKind::Update
        | AnswerKind::Reboot
        | AnswerKind::SetParameters
        | AnswerKind::RegisterPerson
        | AnswerKind::StopRegister
        | AnswerKind::DeleteRecords => AnswerBody::None,
        AnswerKind::GetParameters => parameters(object),
        AnswerKind::Register | AnswerKind::RegisterByIndex => person(object),
        AnswerKind::RegisterCount => count(object),
        AnswerKind::Photo => AnswerBody::Photo(take_photo(object, "photo")),
        AnswerKind::Unstated => {
            if object.has("index") && object.has("idNumber") {
                person(object)
            } else if object.has("personNum") {
                count(object)
            } else if object.has("photo") {
                AnswerBody::Photo(take_photo(object, "photo"))
            } else {
                parameters(object)
            }
        }
    }
}

fn parameters(object: &Object<'_>) -> AnswerBody {
    const ENVELOPE: [&str; 7] = [
        "msgType",
        "msgID",
        "deviceNo",
        "token",
        "errorCode",
        "code",
        "msg",
    ];
    let parameters = Parameters::new(object.members().filter_map(|(name, value)| {
        let is_envelope = ENVELOPE
            .iter()
            .any(|member| member.eq_ignore_ascii_case(name));
        let text = match value {
            Value::Null => return None,
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => value.as_text()?.to_owned(),
            // No parameter we know is one of these; kept as JSON text.
            Value::List(_) | Value::Object(_) => value.clone().into_json().to_string(),
        };
        (!is_envelope).then(|| (name.to_owned(), text))
    }));
    if parameters.as_map().is_empty() {
        AnswerBody::None
    } else {
        AnswerBody::Parameters(parameters)
    }
}

fn count(object: &Object<'_>) -> AnswerBody {
    object
        .parsed("personNum")
        .map_or(AnswerBody::None, AnswerBody::PersonCount)
}

/// A person where there is an index; the index is what the acknowledgement must repeat.
fn person(object: &mut Object<'_>) -> AnswerBody {
    let Some(index) = object.parsed("index") else {
        return count(object);
    };
    let photos = [
        (1, "registerPhoto1", "registerPhotoID1"),
        (2, "registerPhoto2", "registerPhotoID2"),
        (3, "registerPhoto3", "registerPhotoID3"),
    ]
    .into_iter()
    .filter_map(|(slot, photo, number)| {
        let photo = take_photo(object, photo);
        let number = words(object, number);
        (photo.is_some() || number.is_some()).then_some(StoredPhoto {
            slot,
            number,
            photo,
        })
    })
    .collect();
    let text = |field| words(object, field);
    let flag = |field| object.parsed::<u8>(field).map(|flag| flag != 0);
    AnswerBody::Person(Box::new(StoredPerson {
        index,
        person_num: object.parsed("personNum"),
        id_number: text("idNumber").unwrap_or_default(),
        card_number: text("normalNumber"),
        name: text("name").unwrap_or_default(),
        gender: object.word("sex").and_then(Gender::read),
        birthday: text("birthday"),
        phone: text("phone"),
        valid_from: text("validDateStart"),
        valid_to: text("validDateEnd"),
        priority: object.word("priority").and_then(Priority::read),
        photos,
        voice: Announcement {
            mode: object.parsed("voiceSpecialMode"),
            with_title: flag("voiceNameSexEnable"),
            text_before_name: text("visitorVoiceTextBeforeName"),
            text: text("visitorVoiceText"),
        },
        display: Announcement {
            mode: object.parsed("displaySpecialMode"),
            with_title: flag("displayNameSexEnable"),
            text_before_name: text("visitorDisplayTextBeforeName"),
            text: text("visitorDisplayText"),
        },
        pass_times: [
            "passTime1",
            "passTime2",
            "passTime3",
            "passTime4",
            "passTime5",
            "passTime6",
            "passTime7",
        ]
        .map(text),
    }))
}

fn take_photo(object: &mut Object<'_>, field: &str) -> Option<PhotoField> {
    object
        .take_text(field)
        .and_then(|text| PhotoField::new(text.into_owned()))
}
