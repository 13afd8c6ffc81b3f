//! The parser: strict JSON, or lenient on demand. Recursion is bounded by the depth limit, memory by
//! the limits on bytes and values. Texts without escapes are borrowed from the input.

use crate::{Limits, Object, ReadError, Value};
use std::borrow::Cow;

/// No limit may exceed this, so that no setting can overflow a thread's stack.
const DEEPEST: usize = 128;

pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where `text` begins in the caller's bytes.
    offset: usize,
    lenient: bool,
    max_depth: usize,
    max_values: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, offset: usize, limits: &Limits, lenient: bool) -> Self {
        Self {
            text,
            at: 0,
            offset,
            lenient,
            max_depth: limits.max_depth.min(DEEPEST),
            max_values: limits.max_values,
            values: 0,
        }
    }

    /// One object and nothing after it.
    pub(crate) fn only_object(mut self) -> Result<Object<'a>, ReadError> {
        let object = self.object(1)?;
        self.skip_space();
        match self.peek() {
            None => Ok(object),
            Some(_) => Err(self.expected("the end")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// A piece of the text. The ends stand beside ASCII bytes, so they are character boundaries.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> ReadError {
        ReadError::Syntax {
            expected,
            at: self.offset + self.at,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn deeper(&self, depth: usize) -> Result<(), ReadError> {
        if depth > self.max_depth {
            return Err(ReadError::TooDeep {
                max_depth: self.max_depth,
            });
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, ReadError> {
        self.deeper(depth)?;
        self.eat(b'{', "{")?;
        let mut members = Vec::new();
        loop {
            self.skip_space();
            if self.peek() == Some(b'}') && (members.is_empty() || self.lenient) {
                self.at += 1;
                break;
            }
            let key = trimmed(self.string("a member's name")?);
            self.skip_space();
            self.eat(b':', ":")?;
            self.skip_space();
            members.push((key, self.value(depth)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"') if self.lenient => {}
                _ => return Err(self.expected(", or }")),
            }
        }
        Ok(Object::from_members(members))
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value<'a>>, ReadError> {
        self.deeper(depth)?;
        self.eat(b'[', "[")?;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.peek() == Some(b']') && (items.is_empty() || self.lenient) {
                self.at += 1;
                break;
            }
            items.push(self.value(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                _ => return Err(self.expected(", or ]")),
            }
        }
        Ok(items)
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, ReadError> {
        self.values += 1;
        if self.values > self.max_values {
            return Err(ReadError::TooManyValues {
                max_values: self.max_values,
            });
        }
        match self.peek() {
            Some(b'"') => self.string("a text").map(Value::Text),
            Some(b'{') => self.object(depth + 1).map(Value::Object),
            Some(b'[') => self.list(depth + 1).map(Value::List),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn literal(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, ReadError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let count = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, ReadError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.slice(start, self.at))
    }

    fn string(&mut self, expected: &'static str) -> Result<Cow<'a, str>, ReadError> {
        self.eat(b'"', expected)?;
        let start = self.at;
        self.at += plain_length(self.rest());
        let plain = self.slice(start, self.at);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = String::with_capacity(plain.len() + 16);
        text.push_str(plain);
        loop {
            match self.peek() {
                None => return Err(self.expected("the end of a text")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut text)?;
                }
                Some(control) => {
                    if !self.lenient {
                        return Err(self.expected("no control character in a text"));
                    }
                    self.at += 1;
                    push_unless_nul(&mut text, char::from(control));
                }
            }
            let start = self.at;
            self.at += plain_length(self.rest());
            text.push_str(self.slice(start, self.at));
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), ReadError> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(text);
            }
            _ => return Err(self.expected("an escape")),
        };
        self.at += 1;
        text.push(character);
        Ok(())
    }

    fn unicode_escape(&mut self, text: &mut String) -> Result<(), ReadError> {
        let first = self.four_digits()?;
        let mut unit = first;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.four_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                unit = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            } else {
                self.at = before;
            }
        }
        match char::from_u32(unit) {
            Some(character) => push_unless_nul(text, character),
            None if self.lenient => text.push(char::REPLACEMENT_CHARACTER),
            None => return Err(self.expected("the other half of a surrogate pair")),
        }
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, ReadError> {
        let digits = self.rest().get(..4).unwrap_or_default();
        let all_hexadecimal = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|_| all_hexadecimal)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(number)
    }
}

fn push_unless_nul(text: &mut String, character: char) {
    if character != '\0' {
        text.push(character);
    }
}

fn trimmed(key: Cow<'_, str>) -> Cow<'_, str> {
    match key {
        Cow::Borrowed(key) => Cow::Borrowed(key.trim()),
        Cow::Owned(key) => Cow::Owned(key.trim().to_owned()),
    }
}

/// How many bytes from here are an ordinary part of a text: no quote, no backslash, no control
/// character. Eight at a time, because the bulk of an upload, and of a person for a terminal, is one
/// text of a hundred kilobytes.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    let (chunks, tail) = bytes.as_chunks::<8>();
    let mut length = 0;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        if (zero_in(word ^ (ONES * 0x22)) | zero_in(word ^ (ONES * 0x5C)) | below_space) != 0
            && let Some(within) = chunk.iter().position(is_special)
        {
            return length + within;
        }
        length += 8;
    }
    length + tail.iter().position(is_special).unwrap_or(tail.len())
}
