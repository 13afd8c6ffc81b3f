//! From the bytes of a frame to an [`Uplink`]: limits, errors, which message it is, and the short
//! messages. Records are read in `record`, answers in `answer`.

use crate::{AnswerKind, KeepAlive, Position, Register, Unknown, Uplink};
use gatehouse_wire::{Object, read_object};

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

/// Longest `deviceNo` in bytes; the document allows 32.
const MAX_DEVICE_NO_BYTES: usize = 64;
/// Longest message id and token in bytes; the document allows 64.
const MAX_ID_BYTES: usize = 128;
/// Longest text of a registration in bytes; the document allows 64.
const MAX_REGISTER_BYTES: usize = 256;

/// Reads one frame.
///
/// # Errors
/// [`DecodeError`] when it is not a JSON object within the limits, or lacks what its type cannot do
/// without. A type that is not known is no error.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Uplink, DecodeError> {
    let object = read_object(
        bytes,
        &gatehouse_wire::Limits {
            max_bytes: limits.max_frame_bytes,
            max_depth: limits.max_depth,
            max_values: limits.max_keys,
        },
    )?;
    let Some(message_type) = object.word("msgType") else {
        // The sample of 2.1.7 has no msgType: with a message id, it may answer a command.
        return if object.word("msgID").is_some() {
            crate::answer::read(AnswerKind::Unstated, object)
        } else {
            Ok(Uplink::Unknown(unknown("", &object)))
        };
    };
    let is = |name: &str| message_type.eq_ignore_ascii_case(name);
    if is("register") {
        register(&object)
    } else if is("keepAlive") {
        keep_alive(&object)
    } else if is("uploadRecord") {
        crate::record::read(object)
    } else if let Some(kind) = AnswerKind::named(message_type) {
        crate::answer::read(kind, object)
    } else {
        Ok(Uplink::Unknown(unknown(message_type, &object)))
    }
}

fn register(object: &Object<'_>) -> Result<Uplink, DecodeError> {
    const MESSAGE: &str = "register";
    let as_received = |field: &'static str| -> Result<String, DecodeError> {
        let text = object.text(field).unwrap_or_default();
        within(field, text, MAX_REGISTER_BYTES).map(str::to_owned)
    };
    let trimmed = |field| as_received(field).map(|text| text.trim().to_owned());
    Ok(Uplink::Register(Register {
        device_no: device_no(object)?.ok_or(DecodeError::Missing {
            message: MESSAGE,
            field: "deviceNo",
        })?,
        register_time: as_received("registerTime")?,
        rand: as_received("rand")?,
        protocol_version: trimmed("protocolVersion")?,
        hardware_version: trimmed("hardwareVersion")?,
        software_version: trimmed("softwareVersion")?,
        alg_version: trimmed("algVersion")?,
        sign: Some(trimmed("sign")?).filter(|sign| !sign.is_empty()),
    }))
}

fn keep_alive(object: &Object<'_>) -> Result<Uplink, DecodeError> {
    Ok(Uplink::KeepAlive(KeepAlive {
        device_no: device_no(object)?.unwrap_or_default(),
        token: token(object)?,
        position: position(object),
    }))
}

fn unknown(message_type: &str, object: &Object<'_>) -> Unknown {
    let clipped = |text: &str| text.chars().take(64).collect::<String>();
    Unknown {
        message_type: clipped(message_type),
        message_id: object.word("msgID").map(clipped),
        device_no: object.word("deviceNo").map(clipped),
        token: object.word("token").map(clipped),
    }
}

fn within<'t>(
    field: &'static str,
    text: &'t str,
    max_bytes: usize,
) -> Result<&'t str, DecodeError> {
    if text.len() > max_bytes {
        return Err(DecodeError::TooLong { field, max_bytes });
    }
    Ok(text)
}

fn identity(
    object: &Object<'_>,
    field: &'static str,
    max_bytes: usize,
) -> Result<Option<String>, DecodeError> {
    object
        .word(field)
        .map(|word| within(field, word, max_bytes).map(str::to_owned))
        .transpose()
}

/// `deviceNo`, trimmed.
pub(crate) fn device_no(object: &Object<'_>) -> Result<Option<String>, DecodeError> {
    identity(object, "deviceNo", MAX_DEVICE_NO_BYTES)
}

/// `token`, trimmed (samples have it with a space behind).
pub(crate) fn token(object: &Object<'_>) -> Result<Option<String>, DecodeError> {
    identity(object, "token", MAX_ID_BYTES)
}

/// `msgID`, trimmed.
pub(crate) fn message_id(object: &Object<'_>) -> Result<Option<String>, DecodeError> {
    identity(object, "msgID", MAX_ID_BYTES)
}

/// `locationx` and `locationy`, where both are there and on the globe.
pub(crate) fn position(object: &Object<'_>) -> Option<Position> {
    let degrees = |field, limit: f64| {
        object
            .parsed::<f64>(field)
            .filter(|degrees| degrees.abs() <= limit)
    };
    Some(Position {
        longitude: degrees("locationx", 180.0)?,
        latitude: degrees("locationy", 90.0)?,
    })
}

/// A text that is there and not empty, trimmed.
pub(crate) fn words(object: &Object<'_>, field: &str) -> Option<String> {
    object.word(field).map(str::to_owned)
}
