//! `registerPersonInfo` (2.2.1): what the platform tells a terminal about a person.

use crate::dates::{write_birthday, write_validity};
use crate::pass_times::DaySpans;
use chrono::NaiveDate;
use gatehouse_wire::ObjectWriter;

/// `operateType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonOperation {
    /// 0
    Add,
    /// 1
    Change,
    /// 2: only `idNumber` is sent along.
    Delete,
    /// 3: everybody. Destructive; never a default.
    DeleteAll,
}

/// `sex`: 男 or 女.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// 男
    Male,
    /// 女
    Female,
}

/// `priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// 0: may pass within the passing times.
    Scheduled,
    /// 1: may not pass.
    Blocklist,
    /// 2: may pass at any time.
    Vip,
}

/// What a terminal says or shows for one person. The mode's numbers are those of persons (0 to 5),
/// not those of the terminal's own parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announcement {
    /// `voiceSpecialMode`, `displaySpecialMode`: 0 nothing special, 1 name and own text, 2 name,
    /// 3 own text, 4 fixed text, 5 name and fixed text.
    pub mode: Option<u8>,
    /// `voiceNameSexEnable`, `displayNameSexEnable`: with a form of address.
    pub with_title: Option<bool>,
    /// `visitorVoiceTextBeforeName`, `visitordisplayTextBeforeName`: at most 30 characters.
    pub text_before_name: Option<String>,
    /// `visitorVoiceText`, `visitordisplayText`: at most 30 characters.
    pub text: Option<String>,
}

/// A photo to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonPhoto {
    /// `registerPhotoIDn`: six digits, another for every photo.
    pub number: String,
    /// `registerPhotoN`: Base64 without a `data:` prefix, at most 400 000 characters.
    pub base64: String,
}

/// A person for a terminal. What is `None` is left out of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonInfo {
    /// What to do.
    pub operation: PersonOperation,
    /// `idNumber`: digits only, not 0; ignored by [`PersonOperation::DeleteAll`].
    pub id_number: String,
    /// `normalNumber`: the number of the IC card.
    pub card_number: Option<String>,
    /// `name`.
    pub name: String,
    /// `sex`.
    pub gender: Option<Gender>,
    /// `birthday`.
    pub birthday_on: Option<NaiveDate>,
    /// `phone`.
    pub phone: Option<String>,
    /// `validDateStart`.
    pub valid_from_on: Option<NaiveDate>,
    /// `validDateEnd`.
    pub valid_to_on: Option<NaiveDate>,
    /// `priority`.
    pub priority: Option<Priority>,
    /// `registerPhoto1` to `3`. A terminal wants at least one when adding.
    pub photos: [Option<PersonPhoto>; 3],
    /// What it says aloud.
    pub voice: Announcement,
    /// What it shows.
    pub display: Announcement,
    /// `passTime1` (Monday) to `passTime7`; `None`: all day.
    pub pass_times: [Option<DaySpans>; 7],
}

impl PersonInfo {
    /// A person with a number and a name and nothing else.
    #[must_use]
    pub fn new(operation: PersonOperation, id_number: String, name: String) -> Self {
        Self {
            operation,
            id_number,
            card_number: None,
            name,
            gender: None,
            birthday_on: None,
            phone: None,
            valid_from_on: None,
            valid_to_on: None,
            priority: None,
            photos: [const { None }; 3],
            voice: Announcement::default(),
            display: Announcement::default(),
            pass_times: [const { None }; 7],
        }
    }
}

impl PersonInfo {
    /// The person as an item of `personInfoData`. Deleting sends the number alone (protocols 1.1);
    /// deleting all sends an empty number.
    pub(crate) fn item(&self) -> ObjectWriter {
        let mut item = ObjectWriter::new();
        item.text("operateType", self.operation.code());
        match self.operation {
            PersonOperation::Add | PersonOperation::Change => {
                item.text("idNumber", &self.id_number);
                self.about(&mut item);
            }
            PersonOperation::Delete => {
                item.text("idNumber", &self.id_number);
            }
            PersonOperation::DeleteAll => {
                item.text("idNumber", "");
            }
        }
        item
    }

    fn about(&self, item: &mut ObjectWriter) {
        const PHOTOS: [(&str, &str); 3] = [
            ("registerPhoto1", "registerPhotoID1"),
            ("registerPhoto2", "registerPhotoID2"),
            ("registerPhoto3", "registerPhotoID3"),
        ];
        let birthday = self.birthday_on.map(write_birthday);
        let from = self.valid_from_on.map(write_validity);
        let to = self.valid_to_on.map(write_validity);
        item.optional("normalNumber", self.card_number.as_deref())
            .text("name", &self.name)
            .optional("sex", self.gender.map(Gender::code))
            .optional("birthday", birthday.as_deref())
            .optional("phone", self.phone.as_deref())
            .optional("validDateStart", from.as_deref())
            .optional("validDateEnd", to.as_deref())
            .optional("priority", self.priority.map(Priority::code));
        for ((photo, number), slot) in PHOTOS.into_iter().zip(&self.photos) {
            if let Some(slot) = slot {
                item.text(photo, &slot.base64).text(number, &slot.number);
            }
        }
        self.voice.write(item, VOICE);
        self.display.write(item, DISPLAY);
        for (number, day) in (1..).zip(&self.pass_times) {
            if let Some(day) = day {
                item.text(&format!("passTime{number}"), &day.write_person_day());
            }
        }
    }
}

/// The names of an [`Announcement`]'s members, in its order.
type Names = [&'static str; 4];
const VOICE: Names = [
    "voiceSpecialMode",
    "voiceNameSexEnable",
    "visitorVoiceTextBeforeName",
    "visitorVoiceText",
];
/// L786 has `visitorDisplayText`, the samples and real servers write it like this.
const DISPLAY: Names = [
    "displaySpecialMode",
    "displayNameSexEnable",
    "visitordisplayTextBeforeName",
    "visitordisplayText",
];

impl Announcement {
    fn write(&self, item: &mut ObjectWriter, [mode, with_title, before, text]: Names) {
        let number = self.mode.map(|mode| mode.to_string());
        let flag = self.with_title.map(|with| if with { "1" } else { "0" });
        item.optional(mode, number.as_deref())
            .optional(with_title, flag)
            .optional(before, self.text_before_name.as_deref())
            .optional(text, self.text.as_deref());
    }
}

impl PersonOperation {
    /// `operateType`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Add => "0",
            Self::Change => "1",
            Self::Delete => "2",
            Self::DeleteAll => "3",
        }
    }
}

impl Gender {
    /// 男 or 女.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }

    /// Reads 男 or 女; anything else tells nothing.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "男" => Some(Self::Male),
            "女" => Some(Self::Female),
            _ => None,
        }
    }
}

impl Priority {
    /// `priority`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Scheduled => "0",
            Self::Blocklist => "1",
            Self::Vip => "2",
        }
    }

    /// Reads 0, 1 or 2.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "0" => Some(Self::Scheduled),
            "1" => Some(Self::Blocklist),
            "2" => Some(Self::Vip),
            _ => None,
        }
    }
}
