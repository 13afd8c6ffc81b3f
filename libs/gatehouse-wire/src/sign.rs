//! The vendors' signatures: MD5 in hexadecimal digits, compared without telling by the time taken
//! how much was right. MD5 is what the documents demand; nothing of ours relies on it.

use md5::{Digest, Md5};
use std::fmt::Write;
use std::hint::black_box;

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// MD5 over the parts, one after the other, as 32 lower-case digits.
#[must_use]
pub fn md5_hex_lower(parts: &[&[u8]]) -> String {
    md5(parts)
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
            text
        })
}

/// MD5 over the parts, one after the other, as 32 upper-case digits.
#[must_use]
pub fn md5_hex_upper(parts: &[&[u8]]) -> String {
    md5_hex_lower(parts).to_ascii_uppercase()
}

/// Whether two signatures in hexadecimal digits are the same, whatever the case of their digits.
/// Takes the same time for all pairs of one length.
#[must_use]
pub fn signatures_match(expected: &str, given: &str) -> bool {
    if expected.len() != given.len() {
        return false;
    }
    let difference = expected.bytes().zip(given.bytes()).fold(0, |sum, (a, b)| {
        sum | (a.to_ascii_lowercase() ^ b.to_ascii_lowercase())
    });
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// protocols 2.6: "002 4.1", "001 4.1", "003 body".
    #[test]
    fn the_documents_digests_come_out() {
        for (text, digest) in [
            ("1573539353795#123456", "188ef735093645c802b0e4741bd3e9a1"),
            (
                "1477881215000#2323dsfadfewrasa3434",
                "e5ef72ef839bdf5397b4906b199b9fbf",
            ),
            (
                r#"{"pageNum":1,"pageSize":10}"#,
                "675c299bcd88edf31c09c48f9c7fba4b",
            ),
        ] {
            assert_eq!(md5_hex_lower(&[text.as_bytes()]), digest);
            let (front, back) = text.as_bytes().split_at(5);
            assert_eq!(md5_hex_upper(&[front, back]), digest.to_ascii_uppercase());
        }
    }

    #[test]
    fn signatures_match_in_any_case_and_only_whole() {
        assert!(signatures_match("00aBfF", "00AbFf"));
        assert!(!signatures_match("00abff", "00abfe"));
        assert!(!signatures_match("00abff", "00abf"));
        assert!(!signatures_match("00abff", ""));
    }
}
