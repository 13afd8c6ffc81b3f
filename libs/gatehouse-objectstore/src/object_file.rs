//! The file that holds one object: its body, then what is known about it, then a fixed tail.
//!
//! ```text
//! body        body_len bytes, exactly what the client sent
//! meta        meta_len bytes, JSON of [`ObjectMeta`]
//! tail        24 bytes: body_len u64 LE, meta_len u32 LE,
//!             CRC-32 u32 BE of meta + the 12 bytes before, b"GHOBJ001"
//! ```
//!
//! The facts stand behind the body because most are known only when it has been read, and so one
//! pass and one sync write both. A file that was cut off, extended or overwritten does not pass
//! [`open`]; a changed body is found by `body_crc32` when it is read whole.

use crate::fault::Fault;
use s3s::crypto::{Checksum as _, Crc32};
use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const MAGIC: &[u8; 8] = b"GHOBJ001";
const TAIL_LEN: usize = 24;
/// The first read takes this much from the end, which nearly always covers the meta too.
const FIRST_READ_LEN: u64 = 2048;
/// No client can make meta this large: S3's 2 KB of user metadata and a few headers.
const MAX_META_LEN: u32 = 256 * 1024;

/// Headers that a client gave and gets back unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    /// `x-amz-meta-*`, without that prefix.
    pub(crate) user: BTreeMap<String, String>,
}

/// The checksums of the body that are known beyond its CRC-32, base64 as S3 writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ExtraChecksums {
    pub(crate) crc32c: Option<String>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
}

/// What is known about one object (or one part of an upload, or one upload).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectMeta {
    /// The whole key: finds a file that was moved by hand.
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) body_crc32: u32,
    /// Milliseconds since 1970.
    pub(crate) modified_at_ms: u64,
    pub(crate) attributes: Attributes,
    #[serde(default)]
    pub(crate) checksums: ExtraChecksums,
}

/// Milliseconds since 1970, now.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An object whose facts have been read and found whole; its body has not been looked at.
#[derive(Debug)]
pub(crate) struct OpenObject {
    pub(crate) file: File,
    pub(crate) meta: ObjectMeta,
    pub(crate) body_len: u64,
}

/// What comes behind a body of this length.
pub(crate) fn ending(meta: &ObjectMeta, body_len: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = serde_json::to_vec(meta).map_err(io::Error::other)?;
    let meta_len = u32::try_from(bytes.len())
        .ok()
        .filter(|len| *len <= MAX_META_LEN);
    let meta_len = meta_len.ok_or(Fault::MetadataTooLarge)?;
    bytes.extend_from_slice(&body_len.to_le_bytes());
    bytes.extend_from_slice(&meta_len.to_le_bytes());
    let crc = Crc32::checksum(&bytes);
    bytes.extend_from_slice(&crc);
    bytes.extend_from_slice(MAGIC);
    Ok(bytes)
}

/// Opens the object file of `key`. A file that is not there is [`Fault::NoSuchKey`].
pub(crate) fn open(path: &Path, key: &str) -> Result<OpenObject, Fault> {
    let object = open_any(path)?;
    if object.meta.key == key {
        Ok(object)
    } else {
        Err(damaged(path, "it is another key's file"))
    }
}

/// [`open`] where the key is not known beforehand.
pub(crate) fn open_any(path: &Path) -> Result<OpenObject, Fault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::NoSuchKey),
        Err(error) => return Err(error.into()),
    };
    let file_len = file.metadata()?.len();
    match read_ending(&file, file_len)? {
        Ok((meta, body_len)) => Ok(OpenObject {
            file,
            meta,
            body_len,
        }),
        Err(reason) => Err(damaged(path, reason)),
    }
}

fn damaged(path: &Path, reason: &str) -> Fault {
    tracing::error!(path = %path.display(), reason, "object store: a stored object is damaged");
    Fault::Damaged
}

type Ending = Result<(ObjectMeta, u64), &'static str>;

/// The outer error is the disk's; the inner one says what is wrong with the bytes.
fn read_ending(file: &File, file_len: u64) -> io::Result<Ending> {
    let read_len = file_len.min(FIRST_READ_LEN);
    let mut end = vec![0; usize::try_from(read_len).unwrap_or(0)];
    file.read_exact_at(&mut end, file_len - read_len)?;
    let Some((_, tail)) = end.split_last_chunk::<TAIL_LEN>() else {
        return Ok(Err("it is too short"));
    };
    let (body_len, meta_len) = match parse_tail(tail) {
        Ok(lengths) => lengths,
        Err(reason) => return Ok(Err(reason)),
    };
    let tail_len = u64::try_from(TAIL_LEN).unwrap_or(u64::MAX);
    let ending_len = u64::from(meta_len).saturating_add(tail_len);
    if body_len.checked_add(ending_len) != Some(file_len) {
        return Ok(Err("its length is not the recorded one"));
    }
    let ending_size = usize::try_from(ending_len).unwrap_or(usize::MAX);
    if end.len() < ending_size {
        end = vec![0; ending_size];
        file.read_exact_at(&mut end, body_len)?;
    } else {
        end.drain(..end.len() - ending_size);
    }
    Ok(parse_ending(&end).map(|meta| (meta, body_len)))
}

fn parse_tail(tail: &[u8; TAIL_LEN]) -> Result<(u64, u32), &'static str> {
    let Some((lengths, magic)) = tail.split_last_chunk::<8>() else {
        return Err("it is too short");
    };
    if magic != MAGIC {
        return Err("it does not end in the mark of a finished object");
    }
    let body_len = lengths
        .first_chunk::<8>()
        .map(|bytes| u64::from_le_bytes(*bytes));
    let meta_len = lengths.get(8..).and_then(<[u8]>::first_chunk::<4>);
    let meta_len = meta_len.map(|bytes| u32::from_le_bytes(*bytes));
    match (body_len, meta_len) {
        (Some(body_len), Some(meta_len)) if meta_len <= MAX_META_LEN => Ok((body_len, meta_len)),
        _ => Err("its recorded lengths are impossible"),
    }
}

/// `ending` is meta and tail.
fn parse_ending(ending: &[u8]) -> Result<ObjectMeta, &'static str> {
    let parts = ending
        .split_last_chunk::<8>()
        .and_then(|(rest, _)| rest.split_last_chunk::<4>());
    let Some((covered, crc)) = parts else {
        return Err("it is too short");
    };
    if Crc32::checksum(covered) != *crc {
        return Err("the checksum of its facts does not match");
    }
    let Some((meta, _)) = covered.split_last_chunk::<12>() else {
        return Err("it is too short");
    };
    serde_json::from_slice(meta).map_err(|_| "its facts cannot be understood")
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod tests {
    use super::*;

    fn file_of(content: &[u8]) -> (std::path::PathBuf, File) {
        let path = std::env::temp_dir().join(format!("object-file-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, content).unwrap();
        let file = File::open(&path).unwrap();
        (path, file)
    }

    #[test]
    fn an_ending_reads_back_and_every_flipped_or_missing_byte_is_noticed() {
        let meta = ObjectMeta {
            key: "a/b".to_owned(),
            etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            body_crc32: 7,
            modified_at_ms: 1_700_000_000_123,
            attributes: Attributes {
                content_type: Some("image/jpeg".to_owned()),
                user: [("k".to_owned(), "v".repeat(3000))].into(),
                ..Attributes::default()
            },
            checksums: ExtraChecksums::default(),
        };
        let body = b"0123456789";
        let mut content = body.to_vec();
        content.extend(ending(&meta, 10).unwrap());
        let (path, file) = file_of(&content);
        let read = read_ending(&file, file.metadata().unwrap().len()).unwrap();
        assert_eq!(read, Ok((meta, 10)));
        std::fs::remove_file(path).unwrap();

        for at in (body.len()..content.len())
            .step_by(61)
            .chain(content.len() - 30..content.len())
        {
            let mut flipped = content.clone();
            flipped[at] ^= 0x20;
            let (path, file) = file_of(&flipped);
            assert!(
                read_ending(&file, content.len() as u64).unwrap().is_err(),
                "byte {at}"
            );
            std::fs::remove_file(path).unwrap();
            let (path, file) = file_of(&content[..at]);
            assert!(
                read_ending(&file, at as u64).unwrap().is_err(),
                "cut at {at}"
            );
            std::fs::remove_file(path).unwrap();
        }
        let (path, _) = file_of(b"");
        assert!(matches!(open(&path, "a/b"), Err(Fault::Damaged)));
        std::fs::remove_file(path).unwrap();
    }
}
