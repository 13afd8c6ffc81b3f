//! Why a simulated push device could not do what it was asked.

use std::time::Duration;

/// What went wrong between a push device and the platform.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The URL is not plain http with a host.
    #[error("{url:?} is not a push device's URL; give http://host:port/push/<token>")]
    Url {
        /// The URL as given.
        url: String,
    },
    /// No connection, or one that broke.
    #[error("cannot talk to {address}: {source}; is the platform running there?")]
    Io {
        /// Host and port.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing came in time.
    #[error("no answer from {address} within {within:?}")]
    TimedOut {
        /// Host and port.
        address: String,
        /// How long.
        within: Duration,
    },
    /// The platform answered with another status than 200.
    #[error("HTTP status {status}: {body}")]
    Status {
        /// The status.
        status: u16,
        /// What was said.
        body: String,
    },
    /// `ret` was not 0.
    #[error("the platform refused it: ret {ret:?}, {desc}")]
    Refused {
        /// `ret`.
        ret: String,
        /// `desc`.
        desc: String,
    },
    /// Something that the document does not allow, or that a simple HTTP client does not understand.
    #[error("the platform broke the protocol: {0}")]
    Protocol(String),
}
