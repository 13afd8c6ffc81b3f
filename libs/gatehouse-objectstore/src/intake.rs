//! Reading a request's body: to disk in large steps, checked against what the client claimed of it.
//!
//! The signature over the body (`x-amz-content-sha256`, signed chunks) is checked by s3s as the
//! stream is read and shows here as a read error. Checksums are not, so they are checked here.

use crate::fault::{Fault, blocking};
use crate::staged::{Digests, Staged};
use bytes::Bytes;
use futures_util::StreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Request, TrailingHeaders};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Written to disk at this size; a smaller body is written, synced and moved in one go.
const STEP_LEN: usize = 1024 * 1024;
/// S3's limit for one PUT or one part.
const MAX_BODY_LEN: u64 = 5 * 1024 * 1024 * 1024;
/// A client that sends nothing for this long is given up.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// What a client said about its body.
pub(crate) struct Claims {
    md5: Option<String>,
    checksum: Checksum,
    trailers: Option<TrailingHeaders>,
    /// Lower case, comma separated: the checksums that follow the body.
    announced: String,
    body_len: Option<u64>,
}

impl Claims {
    /// Takes the claims out of a request's head.
    pub(crate) fn of<T>(request: &S3Request<T>, md5: Option<String>, checksum: Checksum) -> Self {
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let chunked_len = header("x-amz-decoded-content-length");
        let body_len = chunked_len.or_else(|| header("content-length"));
        Self {
            md5,
            checksum,
            trailers: request.trailing_headers.clone(),
            announced: header("x-amz-trailer")
                .unwrap_or_default()
                .to_ascii_lowercase(),
            // The length of a form (POST) is not that of the file in it.
            body_len: body_len
                .filter(|_| request.method.as_str() == "PUT")
                .and_then(|value| value.trim().parse().ok()),
        }
    }

    /// Claims about a body that is put together here.
    pub(crate) fn about_assembled(checksum: Checksum, body_len: Option<u64>) -> Self {
        Self {
            md5: None,
            checksum,
            trailers: None,
            announced: String::new(),
            body_len,
        }
    }

    /// The hashes that are needed to check the claims.
    pub(crate) fn hasher(&self) -> ChecksumHasher {
        let claims = &self.checksum;
        let wanted = |claim: &Option<String>, name: &str| {
            claim.is_some()
                || self
                    .announced
                    .split(',')
                    .any(|trailer| trailer.trim() == name)
        };
        ChecksumHasher {
            crc32: None, // always computed
            crc32c: wanted(&claims.checksum_crc32c, "x-amz-checksum-crc32c").then(Crc32c::new),
            crc64nvme: wanted(&claims.checksum_crc64nvme, "x-amz-checksum-crc64nvme")
                .then(Crc64Nvme::new),
            sha1: wanted(&claims.checksum_sha1, "x-amz-checksum-sha1").then(Sha1::new),
            sha256: wanted(&claims.checksum_sha256, "x-amz-checksum-sha256").then(Sha256::new),
        }
    }

    /// Adds what came behind the body.
    fn read_trailers(&mut self) {
        let Some(headers) = self.trailers.as_ref().and_then(TrailingHeaders::take) else {
            return;
        };
        let claims = &mut self.checksum;
        for (name, claim) in [
            ("x-amz-checksum-crc32", &mut claims.checksum_crc32),
            ("x-amz-checksum-crc32c", &mut claims.checksum_crc32c),
            ("x-amz-checksum-crc64nvme", &mut claims.checksum_crc64nvme),
            ("x-amz-checksum-sha1", &mut claims.checksum_sha1),
            ("x-amz-checksum-sha256", &mut claims.checksum_sha256),
        ] {
            if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
                *claim = Some(value.to_owned());
            }
        }
    }

    /// Refuses a body that is not the one the client meant to send.
    pub(crate) fn verify(&self, digests: &Digests, body_len: u64) -> Result<(), Fault> {
        if self.body_len.is_some_and(|claimed| claimed != body_len) {
            return Err(Fault::IncompleteBody);
        }
        let md5 = base64_simd::STANDARD.encode_to_string(digests.md5);
        let crc32 = base64_simd::STANDARD.encode_to_string(digests.crc32);
        let extra = &digests.extra;
        for (name, claimed, actual) in [
            ("Content-MD5", &self.md5, Some(&md5)),
            ("CRC32", &self.checksum.checksum_crc32, Some(&crc32)),
            (
                "CRC32C",
                &self.checksum.checksum_crc32c,
                extra.checksum_crc32c.as_ref(),
            ),
            (
                "CRC64NVME",
                &self.checksum.checksum_crc64nvme,
                extra.checksum_crc64nvme.as_ref(),
            ),
            (
                "SHA1",
                &self.checksum.checksum_sha1,
                extra.checksum_sha1.as_ref(),
            ),
            (
                "SHA256",
                &self.checksum.checksum_sha256,
                extra.checksum_sha256.as_ref(),
            ),
        ] {
            // A trailer that was not announced has no digest to compare with: refused as well.
            if claimed.is_some() && claimed.as_ref() != actual {
                return Err(Fault::BadDigest(name));
            }
        }
        Ok(())
    }
}

/// Reads a body into a temporary file, checks it, and hands both to `finish`, which runs on the
/// same blocking thread as the last write.
pub(crate) async fn receive<T, F>(
    tmp: &Path,
    body: Option<StreamingBlob>,
    mut claims: Claims,
    finish: F,
) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce(Staged, Digests) -> Result<T, Fault> + Send + 'static,
{
    let mut sink = Sink {
        tmp: tmp.to_owned(),
        staged: None,
        hasher: Some(claims.hasher()),
        pending: Vec::new(),
    };
    let mut pending_len: usize = 0;
    let mut body_len: u64 = 0;
    if let Some(mut body) = body {
        while let Some(chunk) = next_chunk(&mut body).await? {
            pending_len = pending_len.saturating_add(chunk.len());
            body_len = body_len.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if body_len > MAX_BODY_LEN {
                return Err(Fault::EntityTooLarge);
            }
            sink.pending.push(chunk);
            if pending_len >= STEP_LEN {
                pending_len = 0;
                sink = blocking(move || sink.write_pending()).await?;
            }
        }
    }
    claims.read_trailers();
    blocking(move || {
        let Some(mut staged) = sink.write_pending()?.staged else {
            return Err(Fault::IncompleteBody);
        };
        let digests = staged.digests();
        claims.verify(&digests, staged.body_len())?;
        finish(staged, digests)
    })
    .await
}

async fn next_chunk(body: &mut StreamingBlob) -> Result<Option<Bytes>, Fault> {
    match tokio::time::timeout(IDLE_LIMIT, body.next()).await {
        Err(_) => Err(Fault::SlowBody),
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(error))) => Err(Fault::BrokenBody(error.to_string())),
    }
}

/// The file (once there is one) and what is not yet written to it.
struct Sink {
    tmp: PathBuf,
    staged: Option<Staged>,
    hasher: Option<ChecksumHasher>,
    pending: Vec<Bytes>,
}

impl Sink {
    /// Leaves a file behind, even for an empty body.
    fn write_pending(mut self) -> Result<Self, Fault> {
        let mut staged = match self.staged.take() {
            Some(staged) => staged,
            None => Staged::create(&self.tmp, self.hasher.take().unwrap_or_default())?,
        };
        for chunk in self.pending.drain(..) {
            staged.append(&chunk)?;
        }
        self.staged = Some(staged);
        Ok(self)
    }
}
