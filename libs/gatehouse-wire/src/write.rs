//! The writer: objects of texts and whole numbers, in the order in which the vendor's document shows the members, for
//! readers on small devices that may depend on it. Text beyond ASCII is written as it is.

use crate::parse::plain_length;

/// An object in the making.
#[derive(Debug, Clone)]
pub struct ObjectWriter {
    text: String,
}

impl Default for ObjectWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectWriter {
    /// An empty object.
    #[must_use]
    pub fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_quoted(&mut self.text, name);
        self.text.push(':');
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        push_quoted(&mut self.text, value);
        self
    }

    /// Adds a text, or nothing at all.
    pub fn optional(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// Adds a whole number.
    pub fn number(&mut self, name: &str, value: i64) -> &mut Self {
        self.name(name);
        self.text.push_str(&value.to_string());
        self
    }

    /// Adds an object.
    pub fn object(&mut self, name: &str, value: Self) -> &mut Self {
        self.name(name);
        self.text.push_str(&value.finish());
        self
    }

    /// Adds a list of one object.
    pub fn list_of_one(&mut self, name: &str, item: Self) -> &mut Self {
        self.list(name, [item])
    }

    /// Adds a list of objects.
    pub fn list(&mut self, name: &str, items: impl IntoIterator<Item = Self>) -> &mut Self {
        self.name(name);
        self.text.push('[');
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            self.text.push_str(&item.finish());
        }
        self.text.push(']');
        self
    }

    /// The JSON text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

fn push_quoted(text: &mut String, value: &str) {
    const HEXADECIMAL: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    text.reserve(value.len() + 2);
    text.push('"');
    let mut rest = value;
    loop {
        let (plain, from) = rest.split_at(plain_length(rest.as_bytes()));
        text.push_str(plain);
        let mut characters = from.chars();
        match characters.next() {
            Some(quoted @ ('"' | '\\')) => text.extend(['\\', quoted]),
            Some('\n') => text.push_str("\\n"),
            Some('\r') => text.push_str("\\r"),
            Some('\t') => text.push_str("\\t"),
            Some(control) => {
                text.push_str("\\u00");
                let code = usize::try_from(u32::from(control)).unwrap_or_default();
                text.extend(HEXADECIMAL.get(code >> 4));
                text.extend(HEXADECIMAL.get(code & 15));
            }
            None => break,
        }
        rest = characters.as_str();
    }
    text.push('"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_keep_their_order() {
        let mut inner = ObjectWriter::new();
        inner.text("z", "1");
        let mut object = ObjectWriter::new();
        object
            .text("msgType", "a\"\\\n\u{1}\u{1f}欢迎")
            .optional("none", None)
            .optional("some", Some(""))
            .list_of_one("data", inner);
        assert_eq!(
            object.finish(),
            r#"{"msgType":"a\"\\\n\u0001\u001f欢迎","some":"","data":[{"z":"1"}]}"#
        );
        let one = |n| {
            let mut object = ObjectWriter::new();
            object.number("n", n);
            object
        };
        let mut object = ObjectWriter::new();
        object
            .list("none", [])
            .list("two", [one(-1), one(2)])
            .object("in", one(3));
        assert_eq!(
            object.finish(),
            r#"{"none":[],"two":[{"n":-1},{"n":2}],"in":{"n":3}}"#
        );
        assert_eq!(ObjectWriter::default().finish(), "{}");
    }

    proptest! {
        #[test]
        fn serde_json_reads_back_what_was_written(name in any::<String>(), value in any::<String>()) {
            let mut object = ObjectWriter::new();
            object.text(&name, &value);
            let read: serde_json::Value = serde_json::from_str(&object.finish()).unwrap();
            prop_assert_eq!(read, serde_json::json!({ name: value }));
        }
    }
}
