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
