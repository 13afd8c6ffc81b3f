//! Why a simulated terminal could not do what it was asked.

use std::time::Duration;

/// What went wrong between a terminal and the cloud.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The URL is not `ws://` or `wss://` with a host.
    #[error("{url:?} is not a terminal URL; give ws://host:port/path or wss://host:port/path")]
    Url {
        /// The URL as given.
        url: String,
    },
    /// No TCP connection.
    #[error("cannot reach {address}: {source}; is the cloud running there?")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server answered the WebSocket handshake with an HTTP status, for example 404 for an
    /// unknown token.
    #[error("the server refused the WebSocket handshake with HTTP status {status}")]
    Handshake {
        /// The HTTP status.
        status: u16,
    },
    /// `registerResp` came with another code than 100 (004 section 2.1.1).
    #[error(
        "the cloud refused the registration with errorCode {error_code:?} (close code {close_code:?})"
    )]
    Refused {
        /// `errorCode` of the answer.
        error_code: String,
        /// The code of the close frame that followed, if one came within two seconds.
        close_code: Option<u16>,
    },
    /// The connection ended.
    #[error("the connection is closed (code {code:?}): {reason}")]
    Closed {
        /// Code of the close frame; `None` when the stream ended without one.
        code: Option<u16>,
        /// Reason of the close frame, or what happened instead.
        reason: String,
    },
    /// Nothing came in time.
    #[error("no {awaited} within {within:?}")]
    TimedOut {
        /// What was waited for.
        awaited: String,
        /// How long.
        within: Duration,
    },
    /// The cloud sent something that the document does not allow.
    #[error("the cloud broke the protocol: {0}")]
    Protocol(String),
    /// The WebSocket layer failed.
    #[error("WebSocket: {0}")]
    WebSocket(String),
}
