//! What the reader yields: an object whose members are looked up the way the vendors mean them.

use std::borrow::Cow;
use std::str::FromStr;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`: the same as absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
    /// A text; borrowed where it held no escapes.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// A scalar of any type as text: a number as written, a boolean as `true` or `false`.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The same, taking the text without a copy.
    #[must_use]
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(Cow::Borrowed(number)),
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The value for keeping. Numbers that serde_json could not give back as written become texts.
    #[must_use]
    pub fn into_json(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(bool) => serde_json::Value::Bool(bool),
            Self::Number(number) => json_number(number),
            Self::Text(text) => serde_json::Value::String(text.into_owned()),
            Self::List(items) => items.into_iter().map(Value::into_json).collect(),
            Self::Object(object) => object.into_json(),
        }
    }
}

fn json_number(number: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Number>(number)
        .ok()
        .filter(|read| read.to_string() == number)
        .map_or_else(|| number.into(), serde_json::Value::Number)
}

/// An object. Names were trimmed by the reader; lookups ignore the case of ASCII letters, the last
/// of several members with one name counts, and a null is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    pub(crate) const fn from_members(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Self { members }
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members
            .iter()
            .rev()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .filter(|value| !matches!(value, Value::Null))
    }

    /// Whether a member is there and not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A scalar member of any type, as text, exactly as received.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_text)
    }

    /// The same, trimmed; `None` where nothing is left.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        self.text(name)
            .map(str::trim)
            .filter(|word| !word.is_empty())
    }

    /// A member read as something else; `None` where it is absent, empty, or not readable as that.
    #[must_use]
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.word(name).and_then(|word| word.parse().ok())
    }

    /// A member that is a list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&[Value<'a>]> {
        match self.get(name)? {
            Value::List(items) => Some(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// A member that is an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Object<'a>> {
        match self.get(name)? {
            Value::Object(object) => Some(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                None
            }
        }
    }

    /// Takes a member out, all duplicates of it with it.
    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let last = self
            .members
            .extract_if(.., |(key, _)| key.eq_ignore_ascii_case(name))
            .last()
            .map(|(_, value)| value);
        last.filter(|value| !matches!(value, Value::Null))
    }

    /// Takes a scalar member out, as text and without a copy.
    pub fn take_text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        self.take(name).and_then(Value::into_text)
    }

    /// All members as received, in their order, duplicates and nulls included.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_ref(), value))
    }

    /// All members for keeping; of duplicates in the same case, the last.
    #[must_use]
    pub fn into_json(self) -> serde_json::Value {
        serde_json::Value::Object(
            self.members
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.into_json()))
                .collect(),
        )
    }
}
