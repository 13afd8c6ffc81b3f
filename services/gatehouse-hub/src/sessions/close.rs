//! Why the hub closes a terminal's connection: one table of codes (RFC 6455, section 7.4) and
//! reasons. The document of the terminals has no codes of its own; they come again whatever it is.

use actix_web::error::PayloadError;
use actix_ws::{CloseCode, CloseReason, ProtocolError};
use std::io;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The terminal closed it, or the network did.
    Gone,
    /// It sent what is no WebSocket frame.
    BrokenFrame,
    /// It sent text that is not UTF-8, or message upon message that could not be read.
    Unreadable,
    /// It began a message and did not finish it in time.
    TooSlow,
    /// It does not read what is sent to it.
    NotReading,
    /// A message was larger than 4 MiB.
    TooBig,
    /// The platform stops or starts again; come again at once.
    Restart,
    /// A store that is needed to admit a terminal is away, or too much is being received at once.
    TryLater,
    /// The same terminal has registered in another connection.
    Replaced,
    /// The token in its address was revoked or has expired.
    TokenRevoked,
    /// The device was removed, or now speaks another protocol.
    DeviceRemoved,
    /// The tenant was disabled.
    TenantDisabled,
    /// What the protocol's state machine decided: refused, not registered in time, dead, wrong token.
    Protocol {
        /// The code.
        code: u16,
        /// Its reason.
        reason: &'static str,
    },
}

impl Close {
    /// The code in the close frame.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Gone => 1000,
            Self::BrokenFrame => 1002,
            Self::Unreadable => 1007,
            Self::TooSlow | Self::NotReading | Self::TenantDisabled => 1008,
            Self::TooBig => 1009,
            Self::Restart => 1012,
            Self::TryLater => 1013,
            Self::Replaced => 4000,
            Self::TokenRevoked => 4001,
            Self::DeviceRemoved => 4002,
            Self::Protocol { code, .. } => code,
        }
    }

    /// The reason in the close frame, at the device and in metrics.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Gone => "closed by the terminal",
            Self::BrokenFrame => "not a WebSocket frame",
            Self::Unreadable => "not a readable message",
            Self::TooSlow => "message not finished in time",
            Self::NotReading => "does not read",
            Self::TooBig => "message too big",
            Self::Restart => "restart",
            Self::TryLater => "try again later",
            Self::Replaced => "replaced by a newer session",
            Self::TokenRevoked => "terminal token revoked",
            Self::DeviceRemoved => "device removed",
            Self::TenantDisabled => "tenant disabled",
            Self::Protocol { reason, .. } => reason,
        }
    }

    /// What an error of the transport means.
    pub(super) fn of(error: &ProtocolError) -> Self {
        match error {
            ProtocolError::Overflow => Self::TooBig,
            ProtocolError::Io(error) => close_for_io(error),
            ProtocolError::UnmaskedFrame
            | ProtocolError::MaskedFrame
            | ProtocolError::InvalidOpcode(_)
            | ProtocolError::InvalidLength(_)
            | ProtocolError::BadOpCode
            | ProtocolError::ContinuationNotStarted
            | ProtocolError::ContinuationStarted
            | ProtocolError::ContinuationFragment(_) => Self::BrokenFrame,
        }
    }

    /// The body of the close frame.
    pub(crate) fn frame(self) -> CloseReason {
        CloseReason {
            code: CloseCode::from(self.code()),
            description: Some(self.reason().to_owned()),
        }
    }
}

fn close_for_io(error: &io::Error) -> Close {
    let ours = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<PayloadError>());
    match ours {
        Some(PayloadError::Overflow) => Close::TooBig,
        Some(PayloadError::Io(inner)) if inner.kind() == io::ErrorKind::OutOfMemory => {
            Close::TryLater
        }
        Some(_) => Close::Gone,
        None if error.kind() == io::ErrorKind::InvalidData => Close::Unreadable,
        // actix-ws says so in words alone.
        None if error.to_string().contains("maximum continuation size") => Close::TooBig,
        None => Close::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ones_that_may_be_sent() {
        for close in [
            Close::Gone,
            Close::BrokenFrame,
            Close::Unreadable,
            Close::TooSlow,
            Close::NotReading,
            Close::TooBig,
            Close::Restart,
            Close::TryLater,
            Close::Replaced,
            Close::TokenRevoked,
            Close::DeviceRemoved,
            Close::TenantDisabled,
        ] {
            let code = close.code();
            assert_eq!(u16::from(close.frame().code), code);
            assert!(
                matches!(code, 1000 | 1002 | 1007..=1009 | 1011..=1013 | 4000..=4999),
                "{code}"
            );
            assert!(!close.reason().is_empty() && close.reason().len() <= 123);
        }
    }
}
