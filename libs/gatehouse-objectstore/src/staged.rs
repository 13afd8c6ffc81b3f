//! A body on its way to disk: a temporary file that is hashed while it is written.
//!
//! Nothing here is visible to a reader; `store` moves a sealed file to its place.

use crate::fault::Fault;
use crate::object_file::{self, Attributes, ExtraChecksums, ObjectMeta};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Md5};
use s3s::dto::Checksum;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A temporary file; removed when dropped before it was moved to its place.
pub(crate) struct Staged {
    path: PathBuf,
    file: File,
    md5: Md5,
    crc32: Crc32,
    extra: ChecksumHasher,
    body_len: u64,
    moved: bool,
}

/// What the whole body hashes to.
pub(crate) struct Digests {
    pub(crate) md5: [u8; 16],
    pub(crate) crc32: [u8; 4],
    pub(crate) extra: Checksum,
}

impl Digests {
    /// The facts of an object whose entity tag is its body's MD5, as a single PUT gives it.
    pub(crate) fn describe(self, key: &str, attributes: Attributes) -> ObjectMeta {
        ObjectMeta {
            key: key.to_owned(),
            etag: hex::encode(self.md5),
            body_crc32: u32::from_be_bytes(self.crc32),
            modified_at_ms: object_file::now_ms(),
            attributes,
            checksums: ExtraChecksums {
                crc32c: self.extra.checksum_crc32c,
                crc64nvme: self.extra.checksum_crc64nvme,
                sha1: self.extra.checksum_sha1,
                sha256: self.extra.checksum_sha256,
            },
        }
    }
}

impl Staged {
    /// Starts a file in the folder for temporary files. `extra` are hashes wanted beyond MD5 and
    /// CRC-32.
    pub(crate) fn create(tmp: &Path, extra: ChecksumHasher) -> Result<Self, Fault> {
        let path = tmp.join(uuid::Uuid::new_v4().simple().to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            md5: Md5::new(),
            crc32: Crc32::new(),
            extra,
            body_len: 0,
            moved: false,
        })
    }

    pub(crate) fn append(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        self.md5.update(chunk);
        self.crc32.update(chunk);
        self.extra.update(chunk);
        self.file.write_all(chunk)?;
        let len = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.body_len = self.body_len.saturating_add(len);
        Ok(())
    }

    pub(crate) const fn body_len(&self) -> u64 {
        self.body_len
    }

    /// The digests of what was appended. To be called once, after the last byte: hashing starts
    /// anew behind it.
    pub(crate) fn digests(&mut self) -> Digests {
        Digests {
            md5: std::mem::take(&mut self.md5).finalize(),
            crc32: std::mem::take(&mut self.crc32).finalize(),
            extra: std::mem::take(&mut self.extra).finalize(),
        }
    }

    /// Writes the facts behind the body and syncs the file: from here on its content is safe, but
    /// it has no name that anyone knows.
    pub(crate) fn seal(&mut self, meta: &ObjectMeta) -> Result<(), Fault> {
        let ending = object_file::ending(meta, self.body_len)?;
        self.file.write_all(&ending)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Gives the sealed file its place, replacing what was there. May be tried again on failure.
    pub(crate) fn move_to(&mut self, target: &Path) -> std::io::Result<()> {
        fs::rename(&self.path, target)?;
        self.moved = true;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.moved
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "object store: a temporary file stays until the next start");
        }
    }
}
