//! Object keys and the names they have on disk. Pure: no file is touched here.
//!
//! A key is cut at every `/`. Each component becomes one name: every byte that is not an ASCII
//! letter, a digit, `.`, `_` or `-` is written as `%XX`, and one last byte says what the name is:
//!
//! | last byte | what it is on disk | what it means |
//! |-----------|--------------------|---------------|
//! | `=`       | a file             | the key ends here: this is the object |
//! | `+`       | a folder           | the key goes on after a `/` |
//! | `~`       | a folder           | the component goes on: it was too long for one name |
//!
//! These three bytes never come out of the escaping, so `a` (file `a=`) and `a/b` (file `b=` in
//! folder `a+`) live side by side, and no component can be read as `.`, `..` or an absolute path.
//!
//! A component is cut as soon as its escaped form reaches [`CUT_LEN`] bytes. Where the cut falls
//! depends only on the bytes before it, so all keys that begin with the same cut piece lie in the
//! same `~` folder. That is what makes a folder's range of keys contiguous, and a walk ordered.

use std::path::PathBuf;

/// The longest key S3 allows, in bytes of UTF-8.
pub(crate) const MAX_KEY_LEN: usize = 1024;

/// A component goes on in a `~` folder once its escaped form is this long.
///
/// Names stay below 202 bytes, within every file system's limit of 255. A key of 1024 bytes needs
/// at most about 3100 bytes of path, within Linux' limit of 4096.
const CUT_LEN: usize = 198;

const HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// What a name on disk stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// The key ends here.
    Object,
    /// The key goes on after a `/`.
    Folder,
    /// The component goes on.
    Continuation,
}

impl EntryKind {
    const fn mark(self) -> char {
        match self {
            Self::Object => '=',
            Self::Folder => '+',
            Self::Continuation => '~',
        }
    }
}

/// Where a key lies, relative to its bucket's `objects` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyPath {
    /// The folder that holds the file; empty for a key of one short component.
    pub(crate) folder: PathBuf,
    /// The object's file name.
    pub(crate) file: String,
}

/// Gives the place of a key. Every key has exactly one place, and no two keys share one.
pub(crate) fn locate(key: &[u8]) -> KeyPath {
    let mut folder = PathBuf::new();
    let mut file = String::new();
    let mut components = key.split(|byte| *byte == b'/').peekable();
    while let Some(component) = components.next() {
        let mut name = descend_component(&mut folder, component);
        if components.peek().is_some() {
            name.push(EntryKind::Folder.mark());
            folder.push(name);
        } else {
            name.push(EntryKind::Object.mark());
            file = name;
        }
    }
    KeyPath { folder, file }
}

/// The deepest folder that holds every key with this prefix, and how many bytes of the prefix lead
/// to it (up to and including its last `/`).
pub(crate) fn folder_of_prefix(prefix: &[u8]) -> (PathBuf, usize) {
    let led_by = prefix
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |at| at.saturating_add(1));
    let head = prefix.get(..led_by).unwrap_or_default();
    (locate(head).folder, led_by)
}

/// Pushes the component's `~` folders and returns what is left of it, escaped and unmarked.
fn descend_component(folder: &mut PathBuf, component: &[u8]) -> String {
    let mut name = String::new();
    for byte in component {
        escape(&mut name, *byte);
        if name.len() >= CUT_LEN {
            name.push(EntryKind::Continuation.mark());
            folder.push(std::mem::take(&mut name));
        }
    }
    name
}

fn escape(name: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
        name.push(char::from(byte));
        return;
    }
    name.push('%');
    for digit in [byte >> 4, byte & 0x0F] {
        let digit = HEX_DIGITS.get(usize::from(digit)).copied();
        name.push(char::from(digit.unwrap_or(b'0')));
    }
}

/// Reads a name on disk back. `None` for a name that [`locate`] never writes.
pub(crate) fn decode(name: &str) -> Option<(EntryKind, Vec<u8>)> {
    let mark = name.chars().next_back()?;
    let kind = [
        EntryKind::Object,
        EntryKind::Folder,
        EntryKind::Continuation,
    ]
    .into_iter()
    .find(|kind| kind.mark() == mark)?;
    let escaped = name.strip_suffix(mark)?;
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let high = char::from(*rest.next()?).to_digit(16)?;
            let low = char::from(*rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(*byte);
        }
    }
    // A second spelling of the same key (say `%61=` for `a=`) was not written by us.
    let mut canonical = String::with_capacity(escaped.len());
    for byte in &bytes {
        escape(&mut canonical, *byte);
    }
    (canonical == escaped).then_some((kind, bytes))
}

/// Percent-encodes a key for an answer with `encoding-type=url`: all but unreserved bytes and `/`.
pub(crate) fn url_encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        if matches!(byte, b'/' | b'~') {
            encoded.push(char::from(byte));
        } else {
            escape(&mut encoded, byte);
        }
    }
    encoded
}

/// Upload ids are 32 lower-case hex digits, and so are safe as folder names.
pub(crate) fn is_upload_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use std::path::Component;

    fn place(key: &str) -> String {
        let path = locate(key.as_bytes());
        path.folder.join(path.file).to_str().unwrap().to_owned()
    }

    #[test]
    fn keys_have_these_places() {
        assert_eq!(place("a"), "a=");
        assert_eq!(place("a/b.jpg"), "a+/b.jpg=");
        assert_eq!(place("a/"), "a+/=");
        assert_eq!(place("/a"), "+/a=");
        assert_eq!(place("a//b"), "a+/+/b=");
        assert_eq!(place("../etc"), "..+/etc=");
        assert_eq!(place(".."), "..=");
        assert_eq!(place("a b+c=~%\0ü"), "a%20b%2Bc%3D%7E%25%00%C3%BC=");
        assert_eq!(place(&"x".repeat(197)), format!("{}=", "x".repeat(197)));
        assert_eq!(place(&"x".repeat(198)), format!("{}~/=", "x".repeat(198)));
        assert_eq!(
            place(&format!("{}/y", "x".repeat(198))),
            format!("{}~/+/y=", "x".repeat(198))
        );
    }

    #[test]
    fn no_key_climbs_out_or_gets_too_long() {
        let long: [String; 6] = [
            "/".repeat(1024),
            "%/".repeat(512),
            "\0".repeat(1024),
            "ü".repeat(512),
            "../".repeat(341),
            "x".repeat(1024),
        ];
        for key in long.iter().map(String::as_str).chain([
            "..",
            "../..",
            "/etc/passwd",
            "./.",
            "a/../../b",
            "\0",
            "a\\..\\b",
        ]) {
            let place = place(key);
            assert!(
                place.len() < 3200,
                "{} bytes of path for {key:?}",
                place.len()
            );
            for component in std::path::Path::new(&place).components() {
                let Component::Normal(name) = component else {
                    panic!("{key:?} gives {place}")
                };
                assert!(name.len() < 203, "{name:?}");
            }
        }
    }

    #[test]
    fn names_read_back_and_foreign_names_do_not() {
        let key = "a b/ü+%/x";
        let path = locate(key.as_bytes());
        let mut read = Vec::new();
        for name in path
            .folder
            .iter()
            .map(|name| name.to_str().unwrap())
            .chain([path.file.as_str()])
        {
            let (kind, bytes) = decode(name).unwrap();
            read.extend_from_slice(&bytes);
            if kind == EntryKind::Folder {
                read.push(b'/');
            }
        }
        assert_eq!(read, key.as_bytes());
        for foreign in [
            "",
            "a",
            "a.txt",
            "%61=",
            "%6a=",
            "a b=",
            "%4=",
            "ü=",
            "lost+found",
        ] {
            assert_eq!(decode(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_prefix_leads_to_its_folder() {
        assert_eq!(folder_of_prefix(b""), (PathBuf::new(), 0));
        assert_eq!(folder_of_prefix(b"abc"), (PathBuf::new(), 0));
        assert_eq!(folder_of_prefix(b"a/b"), (PathBuf::from("a+"), 2));
        assert_eq!(folder_of_prefix(b"a/b/"), (PathBuf::from("a+/b+"), 4));
    }

    #[test]
    fn upload_ids_are_hex() {
        assert!(is_upload_id("0123456789abcdef0123456789abcdef"));
        for bad in [
            "",
            "..",
            "0123456789ABCDEF0123456789ABCDEF",
            "../3456789abcdef0123456789abcdef0",
        ] {
            assert!(!is_upload_id(bad));
        }
        assert_eq!(&url_encode("a b/ü+~")[..], "a%20b/%C3%BC%2B~");
    }
}
