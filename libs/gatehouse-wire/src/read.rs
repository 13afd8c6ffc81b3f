//! The lenient reader: limits, errors, and the two tries.
//!
//! The first try is strict JSON. Only where that fails, a second one repairs what real devices and
//! the documents' own samples get wrong: a comma after the last member or element, a missing comma
//! between two members, control characters (line breaks, as a rule) inside a text, and half of a
//! surrogate pair, which becomes U+FFFD. Nothing else is repaired.
//!
//! In both, a UTF-8 byte order mark and NUL, space, tab, CR and LF around the object are removed
//! (devices pad with NUL), and so is U+0000 inside texts, which no store of ours could keep.

use crate::Object;
use crate::parse::Parser;

/// How much an object may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text in bytes.
    pub max_bytes: usize,
    /// Deepest nesting, the object itself included; never more than 128, whatever stands here.
    pub max_depth: usize,
    /// Most values in it, at all depths together.
    pub max_values: usize,
}

/// Why bytes are not an object. Positions are those of the bytes as given, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing but padding.
    #[error("the message is empty")]
    Empty,
    /// Longer than allowed.
    #[error("the message has {bytes} bytes, more than the {max_bytes} allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Not text.
    #[error("the message is not UTF-8: byte {at} is wrong")]
    NotUtf8 {
        /// Which byte.
        at: usize,
    },
    /// Something else than an object.
    #[error("the message is not a JSON object")]
    NotAnObject,
    /// Nested too deep.
    #[error("the message is nested deeper than {max_depth}")]
    TooDeep {
        /// The limit.
        max_depth: usize,
    },
    /// Too many values.
    #[error("the message has more than {max_values} values")]
    TooManyValues {
        /// The limit.
        max_values: usize,
    },
    /// Not JSON, even with its usual faults repaired.
    #[error("the message is not JSON: {expected} was expected at byte {at}")]
    Syntax {
        /// What would have been right.
        expected: &'static str,
        /// Which byte.
        at: usize,
    },
}

/// Reads an object, leniently, and without copying texts that hold no escapes.
///
/// # Errors
/// [`ReadError`] when it is beyond the limits, not UTF-8, or not an object even on the second try.
pub fn read_object<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Object<'a>, ReadError> {
    if bytes.len() > limits.max_bytes {
        return Err(ReadError::TooLarge {
            bytes: bytes.len(),
            max_bytes: limits.max_bytes,
        });
    }
    let (offset, inner) = without_padding(bytes);
    let text = std::str::from_utf8(inner).map_err(|error| ReadError::NotUtf8 {
        at: offset + error.valid_up_to(),
    })?;
    match text.bytes().next() {
        None => return Err(ReadError::Empty),
        Some(b'{') => {}
        Some(_) => return Err(ReadError::NotAnObject),
    }
    match Parser::new(text, offset, limits, false).only_object() {
        Err(ReadError::Syntax { .. }) => Parser::new(text, offset, limits, true).only_object(),
        other => other,
    }
}

/// The bytes without byte order mark and padding, and how many were removed in front.
fn without_padding(bytes: &[u8]) -> (usize, &[u8]) {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let is_padding = |byte: &u8| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n');
    let mut rest = bytes;
    loop {
        let before = rest.len();
        rest = rest.strip_prefix(MARK).unwrap_or(rest);
        let padding = rest.iter().take_while(|byte| is_padding(byte)).count();
        rest = rest.get(padding..).unwrap_or_default();
        if rest.len() == before {
            break;
        }
    }
    let offset = bytes.len() - rest.len();
    let padding = rest
        .iter()
        .rev()
        .take_while(|byte| is_padding(byte))
        .count();
    (offset, rest.get(..rest.len() - padding).unwrap_or_default())
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::Value;
    use proptest::prelude::*;
    use std::borrow::Cow;

    const LIMITS: Limits = Limits {
        max_bytes: 4096,
        max_depth: 4,
        max_values: 16,
    };

    fn read(text: &str) -> Object<'_> {
        read_object(text.as_bytes(), &LIMITS).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn fault(bytes: &[u8]) -> ReadError {
        read_object(bytes, &LIMITS).unwrap_err()
    }

    #[test]
    fn members_are_found_whatever_their_case_and_spaces() {
        let object = read(r#"{ "msgType ":"register", " DEVICENO" : 168380000106 , "On":true}"#);
        assert_eq!(object.text("msgtype"), Some("register"));
        assert_eq!(object.text("deviceNo"), Some("168380000106"));
        assert_eq!(object.text("on"), Some("true"));
        assert_eq!(object.text("off"), None);
    }

    #[test]
    fn the_last_of_several_members_counts_and_null_is_absent() {
        let object = read(r#"{"a":"1","A":2,"b":"x","B":null,"c":["d"],"e":{"f":"  "}}"#);
        assert_eq!(object.text("a"), Some("2"));
        assert!(!object.has("b"));
        assert_eq!(object.text("c"), None);
        assert_eq!(object.list("c").unwrap()[0].as_text(), Some("d"));
        assert_eq!(object.object("e").unwrap().word("f"), None);
    }

    #[test]
    fn numbers_stay_as_written() {
        let object = read(r#"{"a":36.50,"b":-1,"c":1e5,"d":12345678901234567890123}"#);
        assert_eq!(object.text("a"), Some("36.50"));
        assert_eq!(object.parsed::<f32>("a"), Some(36.5));
        assert_eq!(object.parsed::<u32>("b"), None);
        let kept = object.into_json();
        assert_eq!(kept["a"], "36.50");
        assert_eq!(kept["b"], -1);
        assert_eq!(kept["d"], "12345678901234567890123");
    }

    #[test]
    fn padding_and_byte_order_mark_are_removed() {
        for bytes in [
            &b"\xEF\xBB\xBF{\"a\":1}\0\0\r\n"[..],
            b"\0\r\n \xEF\xBB\xBF {\"a\":1}",
            b"\t{\"a\":1}\0 \0",
        ] {
            assert_eq!(read_object(bytes, &LIMITS).unwrap().text("a"), Some("1"));
        }
    }

    #[test]
    fn usual_faults_are_repaired_on_the_second_try() {
        for text in [
            r#"{"a":"1","b":["2",],}"#,
            "{\"a\":\"1\"\n\"b\":[\"2\"]}",
            r#"{"a":"1" "b":["2"]}"#,
        ] {
            let object = read(text);
            assert_eq!(object.text("a"), Some("1"), "{text}");
            assert_eq!(object.list("b").unwrap().len(), 1, "{text}");
        }
        assert_eq!(read("{\"a\":\"x\r\n\0y\"}").text("a"), Some("x\r\ny"));
        assert_eq!(read(r#"{"a":"\ud83d"}"#).text("a"), Some("\u{fffd}"));
    }

    #[test]
    fn escapes_are_read_and_nul_is_dropped() {
        let object = read(r#"{"a":"\/9j\/\"\\\b\f\n\r\t\u5f20\ud83d\ude00\u0000.","\u0061b":""}"#);
        assert_eq!(object.text("a"), Some("/9j/\"\\\u{8}\u{c}\n\r\t张😀."));
        assert_eq!(object.text("ab"), Some(""));
    }

    #[test]
    fn what_is_no_object_says_where() {
        assert_eq!(fault(b" \0"), ReadError::Empty);
        assert_eq!(fault(b"[1]"), ReadError::NotAnObject);
        assert_eq!(fault(b" {\"a\":\"\xFF\"}"), ReadError::NotUtf8 { at: 7 });
        assert_eq!(
            fault(b"  {\"a\":}"),
            ReadError::Syntax {
                expected: "a value",
                at: 7
            }
        );
        for text in [
            "{",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":-}",
            "{\"a\":tru}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":1}}",
            "{,}",
            "{a:1}",
            "{\"a\":1,,\"b\":2}",
            "{\"a\":[1 2]}",
            "{\"a\":\"\\u+123\"}",
        ] {
            assert!(
                matches!(fault(text.as_bytes()), ReadError::Syntax { .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn limits_hold() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(4096));
        assert!(matches!(fault(long.as_bytes()), ReadError::TooLarge { .. }));
        assert_eq!(
            fault(b"{\"a\":[[[[1]]]]}"),
            ReadError::TooDeep { max_depth: 4 }
        );
        assert_eq!(
            fault(b"{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}"),
            ReadError::TooManyValues { max_values: 16 }
        );
        let bottomless = "{\"a\":".repeat(10_000);
        let limits = Limits {
            max_bytes: 1 << 20,
            max_depth: usize::MAX,
            max_values: usize::MAX,
        };
        assert_eq!(
            read_object(bottomless.as_bytes(), &limits),
            Err(ReadError::TooDeep { max_depth: 128 })
        );
    }

    #[test]
    fn a_text_without_escapes_is_not_copied() {
        let text = format!("{{\"photo\":\"{}\",\"b\":1}}", "QUJD".repeat(500));
        let mut object = read(&text);
        assert!(
            matches!(object.take_text("Photo"), Some(Cow::Borrowed(photo)) if photo.len() == 2000)
        );
        assert!(!object.has("photo"));
        assert!(object.has("b"));
    }

    #[test]
    fn taking_takes_all_of_one_name() {
        let mut object = read(r#"{"token":"1","b":1,"Token":"2","c":1}"#);
        assert_eq!(object.take_text("token").as_deref(), Some("2"));
        assert_eq!(
            object.members().map(|(name, _)| name).collect::<Vec<_>>(),
            ["b", "c"]
        );
    }

    fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::Number(a), serde_json::Value::Number(b)) => *a == b.to_string(),
            (Value::Text(a), serde_json::Value::String(b)) => *a == b.replace('\0', ""),
            (Value::List(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), serde_json::Value::Object(b)) => b.iter().all(|(name, b)| {
                let found = a.members().find(|(key, _)| *key == name.trim());
                found.is_some_and(|(_, a)| same(a, b))
            }),
            _ => false,
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>()
                .prop_filter("finite", |f| f.is_finite())
                .prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..6)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_object(&bytes, &LIMITS);
        }

        #[test]
        fn almost_json_never_panics(text in r#"\{("[a\\\\u0d8]{0,4}[",]?[:]?[ \[\]{}"0-9.eE+-]{0,4}[,]?){0,6}\}?"#) {
            let _ = read_object(text.as_bytes(), &LIMITS);
        }

        #[test]
        fn strict_json_reads_as_serde_json_reads_it(value in json()) {
            // Compared with what was written: serde_json reads some floats a little off.
            let written = serde_json::json!({"x": value});
            let text = written.to_string();
            let limits = Limits { max_bytes: 1 << 20, max_depth: 16, max_values: 4096 };
            let object = read_object(text.as_bytes(), &limits).unwrap();
            let ours = Value::Object(object);
            prop_assert!(same(&ours, &written), "{}", text);
        }
    }
}
