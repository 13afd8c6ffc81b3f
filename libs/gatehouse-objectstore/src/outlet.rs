//! Reading bodies back: small ones at once, large ones in steps, whole ones checked.

use crate::fault::{Fault, blocking};
use crate::object_file::OpenObject;
use bytes::Bytes;
use s3s::Body;
use s3s::crypto::{Checksum as _, Crc32};
use s3s::dto::StreamingBlob;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// Read in one go up to this size, and in steps of this size beyond it.
const STEP_LEN: u64 = 256 * 1024;

/// A body, or the part of one that was asked for.
pub(crate) enum Content {
    /// Read already, and found undamaged if it is the whole body.
    Loaded(Bytes),
    /// To be read as the client takes it. A damaged body ends in an error, which cuts the
    /// connection: the client sees fewer bytes than announced.
    Streamed(Box<Reader>),
}

/// Where reading stands.
pub(crate) struct Reader {
    file: File,
    left: Range<u64>,
    /// Present when the body is read whole.
    check: Option<(Crc32, u32)>,
}

impl Content {
    /// To be called on a thread that may block.
    pub(crate) fn read(object: OpenObject, range: Range<u64>) -> Result<Self, Fault> {
        let whole = range == (0..object.body_len);
        let small = range.end.saturating_sub(range.start) <= STEP_LEN;
        let expected = object.meta.body_crc32;
        let mut reader = Reader {
            file: object.file,
            left: range,
            check: whole.then(|| (Crc32::new(), expected)),
        };
        if small {
            Ok(Self::Loaded(reader.next_step()?))
        } else {
            Ok(Self::Streamed(Box::new(reader)))
        }
    }

    /// The stream that the protocol layer sends.
    pub(crate) fn into_blob(self) -> StreamingBlob {
        match self {
            Self::Loaded(bytes) => StreamingBlob::from(Body::from(bytes)),
            Self::Streamed(reader) => StreamingBlob::wrap(futures_util::stream::try_unfold(
                reader,
                |mut reader| async move {
                    if reader.left.is_empty() {
                        return Ok::<_, Fault>(None);
                    }
                    blocking(move || reader.next_step().map(|bytes| Some((bytes, reader)))).await
                },
            )),
        }
    }
}

impl Reader {
    fn next_step(&mut self) -> Result<Bytes, Fault> {
        let len = self.left.end.saturating_sub(self.left.start).min(STEP_LEN);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, self.left.start)?;
        self.left.start = self.left.start.saturating_add(len);
        if let Some((crc, _)) = &mut self.check {
            crc.update(&bytes);
        }
        if self.left.is_empty()
            && let Some((crc, expected)) = self.check.take()
            && u32::from_be_bytes(crc.finalize()) != expected
        {
            tracing::error!("object store: a stored object's body is damaged");
            return Err(Fault::Damaged);
        }
        Ok(Bytes::from(bytes))
    }
}

/// Hands a whole body to `sink` in steps, checking it. To be called on a thread that may block.
pub(crate) fn pour(
    object: OpenObject,
    range: Range<u64>,
    mut sink: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let whole = range == (0..object.body_len);
    let expected = object.meta.body_crc32;
    let mut reader = Reader {
        file: object.file,
        left: range,
        check: whole.then(|| (Crc32::new(), expected)),
    };
    loop {
        sink(&reader.next_step()?)?;
        if reader.left.is_empty() {
            return Ok(());
        }
    }
}
