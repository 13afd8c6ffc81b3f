//! `syrecord` (9.1): who the device is to hold, as a list of changes.

use super::instant;
use gatehouse_domain::person::Gender;
use gatehouse_wire::ObjectWriter;

/// What is to be done with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Hold this person in this shape.
    Save,
    /// Hold this person no more.
    Delete,
}

impl Operation {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Delete => "delete",
        }
    }

    /// Reads it in any case, with the spaces of the document's sample.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Save, Self::Delete]
            .into_iter()
            .find(|operation| operation.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// `sex` of this chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// 1.
    Male,
    /// 2.
    Female,
    /// 3.
    Other,
}

impl Sex {
    const fn number(self) -> i64 {
        match self {
            Self::Male => 1,
            Self::Female => 2,
            Self::Other => 3,
        }
    }
}

impl From<Gender> for Sex {
    fn from(gender: Gender) -> Self {
        match gender {
            Gender::Male => Self::Male,
            Gender::Female => Self::Female,
            Gender::Unknown => Self::Other,
        }
    }
}

/// One line of the feed. The document's lengths: `user_id` and `user_name` 32, `user_type` and
/// `user_remark` 16, `image_url` 128 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is to be done.
    pub operation: Operation,
    /// The person's number.
    pub user_id: String,
    /// The person's name.
    pub user_name: String,
    /// A word for the kind of person.
    pub user_type: String,
    /// How the person is addressed.
    pub sex: Sex,
    /// A remark.
    pub user_remark: String,
    /// Where the picture is: plain http, a JPEG. Empty where the person is to be deleted.
    pub image_url: String,
    /// When the change was listed, in seconds since 1970.
    pub operate_time_s: i64,
}

/// The `lastQueryTime` of a request in seconds; 0 where it is absent or no number, which asks for
/// everything. Milliseconds are read as such.
#[must_use]
pub fn read_last_query_time(text: Option<&str>) -> i64 {
    text.and_then(instant::whole)
        .and_then(instant::seconds)
        .unwrap_or(0)
}

/// Writes the answer. The picture stands under `userImageUrl`, as the sample and real servers have
/// it, and under `imageUrl`, as the table has it.
#[must_use]
pub fn encode_feed(changes: &[Change], last_query_time_s: i64) -> String {
    let mut response = ObjectWriter::new();
    response
        .list("list", changes.iter().map(line))
        .number("lastQueryTime", last_query_time_s);
    let mut answer = ObjectWriter::new();
    answer.object("serviceResponse", response);
    answer.finish()
}

fn line(change: &Change) -> ObjectWriter {
    let clipped = |text: &str, most| text.chars().take(most).collect::<String>();
    let mut line = ObjectWriter::new();
    line.text("operation", change.operation.as_str())
        .text("userType", &clipped(&change.user_type, 16))
        .text("userId", &change.user_id)
        .text("userName", &clipped(&change.user_name, 32))
        .number("sex", change.sex.number())
        .text("userRemark", &clipped(&change.user_remark, 16))
        .text("userImageUrl", &change.image_url)
        .text("imageUrl", &change.image_url)
        .number("operateTime", change.operate_time_s);
    line
}
