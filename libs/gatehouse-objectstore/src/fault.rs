//! What can go wrong with a request, and the S3 error code each has.
//!
//! What a client reads never names a path of this machine; the log does.

use s3s::{S3Error, S3ErrorCode};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("The specified bucket does not exist.")]
    NoSuchBucket,
    #[error("The specified key does not exist.")]
    NoSuchKey,
    #[error(
        "The specified multipart upload does not exist. It may have been completed or aborted."
    )]
    NoSuchUpload,
    #[error("The bucket exists already and is yours.")]
    BucketExists,
    #[error("The bucket still holds objects; delete them first.")]
    BucketNotEmpty,
    #[error("The bucket name is not valid: 3 to 63 lower-case letters, digits, dots and hyphens.")]
    InvalidBucketName,
    #[error("The key is longer than 1024 bytes.")]
    KeyTooLong,
    #[error("The user metadata is larger than 2 KB.")]
    MetadataTooLarge,
    #[error("A condition of the request does not hold.")]
    PreconditionFailed,
    #[error("The object has not changed.")]
    NotModified,
    #[error("The requested range lies outside the object.")]
    InvalidRange,
    #[error("A part is missing, or its entity tag or checksum is not the one that was uploaded.")]
    InvalidPart,
    #[error("The parts must be listed in ascending order.")]
    InvalidPartOrder,
    #[error("Every part but the last must have at least 5 MiB.")]
    EntityTooSmall,
    #[error("The body is larger than 5 GiB.")]
    EntityTooLarge,
    #[error("The {0} that was sent is not the body's.")]
    BadDigest(&'static str),
    #[error("{0}")]
    InvalidArgument(&'static str),
    #[error("{0}")]
    NotImplemented(&'static str),
    #[error("The body has not the announced length.")]
    IncompleteBody,
    #[error("The body could not be read: {0}")]
    BrokenBody(String),
    #[error("The body arrived too slowly.")]
    SlowBody,
    #[error("The stored object is damaged and cannot be read.")]
    Damaged,
    #[error("The disk is full.")]
    DiskFull,
    #[error("The server is stopping.")]
    Stopping,
    #[error("The object could not be read or written.")]
    Io(#[source] std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        let kind = error.kind();
        if kind == std::io::ErrorKind::StorageFull || kind == std::io::ErrorKind::QuotaExceeded {
            Self::DiskFull
        } else {
            Self::Io(error)
        }
    }
}

impl Fault {
    fn code(&self) -> S3ErrorCode {
        match self {
            Self::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            Self::NoSuchKey => S3ErrorCode::NoSuchKey,
            Self::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            Self::BucketExists => S3ErrorCode::BucketAlreadyOwnedByYou,
            Self::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            Self::InvalidBucketName => S3ErrorCode::InvalidBucketName,
            Self::KeyTooLong => S3ErrorCode::KeyTooLongError,
            Self::MetadataTooLarge => S3ErrorCode::MetadataTooLarge,
            Self::PreconditionFailed => S3ErrorCode::PreconditionFailed,
            Self::NotModified => S3ErrorCode::NotModified,
            Self::InvalidRange => S3ErrorCode::InvalidRange,
            Self::InvalidPart => S3ErrorCode::InvalidPart,
            Self::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            Self::EntityTooSmall => S3ErrorCode::EntityTooSmall,
            Self::EntityTooLarge => S3ErrorCode::EntityTooLarge,
            Self::BadDigest(_) => S3ErrorCode::BadDigest,
            Self::InvalidArgument(_) => S3ErrorCode::InvalidArgument,
            Self::NotImplemented(_) => S3ErrorCode::NotImplemented,
            Self::IncompleteBody | Self::BrokenBody(_) => S3ErrorCode::IncompleteBody,
            Self::SlowBody => S3ErrorCode::RequestTimeout,
            Self::Damaged | Self::DiskFull | Self::Io(_) => S3ErrorCode::InternalError,
            Self::Stopping => S3ErrorCode::ServiceUnavailable,
        }
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Io(error) => tracing::error!(%error, "object store: a file operation failed"),
            Fault::DiskFull => tracing::error!("object store: the disk is full"),
            // The reader that found the damage has logged the path; the rest is the client's doing.
            Fault::Damaged
            | Fault::NoSuchBucket
            | Fault::NoSuchKey
            | Fault::NoSuchUpload
            | Fault::BucketExists
            | Fault::BucketNotEmpty
            | Fault::InvalidBucketName
            | Fault::KeyTooLong
            | Fault::MetadataTooLarge
            | Fault::PreconditionFailed
            | Fault::NotModified
            | Fault::InvalidRange
            | Fault::InvalidPart
            | Fault::InvalidPartOrder
            | Fault::EntityTooSmall
            | Fault::EntityTooLarge
            | Fault::BadDigest(_)
            | Fault::InvalidArgument(_)
            | Fault::NotImplemented(_)
            | Fault::IncompleteBody
            | Fault::BrokenBody(_)
            | Fault::SlowBody
            | Fault::Stopping => {}
        }
        Self::with_message(fault.code(), fault.to_string())
    }
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Fault> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(%error, "object store: file work was cut short");
            Err(Fault::Stopping)
        }
    }
}
