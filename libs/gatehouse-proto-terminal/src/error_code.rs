//! The error codes of document 004, section 3, and what each means in a sentence.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $meaning:literal;)+) => {
        /// An `errorCode` (document 004, section 3).
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$meta])* $variant,)+
            /// A code the document does not have, as received; empty where none was sent.
            Other(String),
        }

        impl ErrorCode {
            /// Every code the document has.
            pub const DOCUMENTED: &'static [ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The code as it stands in a frame.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Other(code) => code,
                }
            }

            /// What it means, as a sentence for a person.
            #[must_use]
            pub fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                    Self::Other(code) if code.is_empty() => "The terminal sent no error code.",
                    Self::Other(_) => "The terminal sent an error code that its document does not list.",
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(code: &str) -> Self {
                match code.trim() {
                    $($code => Self::$variant,)+
                    other => Self::Other(other.chars().take(32).collect()),
                }
            }
        }
    };
}

error_codes! {
    /// 100
    Success = "100", "Done.";
    /// 200
    Failure = "200", "The terminal reports a general failure.";
    /// 201
    RegistrationRefused = "201", "The platform refused the registration.";
    /// 202
    TokenWrong = "202", "The session token is wrong.";
    /// 203
    MessageTypeUnknown = "203", "The message type is not known to the receiver.";
    /// 1000
    UnknownFault = "1000", "An unknown fault.";
    /// 300
    PersonInvalid = "300", "The person's data is not valid for the terminal.";
    /// 301
    NoFaceFeatures = "301", "No face features could be taken from the photo; use another photo.";
    /// 302
    PersonsFull = "302", "The terminal holds as many faces as it can.";
    /// 303
    PictureUndecodable = "303", "The terminal could not decode the photo; use another photo.";
    /// 304
    EnrolmentTimedOut = "304", "Taking in the face took the terminal too long.";
    /// 400
    ParametersInvalid = "400", "The terminal does not accept these parameters.";
    /// 401
    ReadTimedOut = "401", "Reading its parameters took the terminal too long.";
    /// 402
    WriteTimedOut = "402", "Writing its parameters took the terminal too long.";
    /// 500: progress, not an end.
    Downloading = "500", "The terminal is downloading the firmware.";
    /// 501: progress, not an end.
    Upgrading = "501", "The terminal is installing the firmware.";
    /// 502
    DownloadFailed = "502", "The terminal could not download the firmware; check that it can reach the URL.";
    /// 503
    LengthMismatch = "503", "The firmware's length is not the announced one.";
    /// 504
    HashMismatch = "504", "The firmware's hash is wrong.";
    /// 505
    VersionMismatch = "505", "The firmware's version does not fit the terminal.";
    /// 506
    InstallationFailed = "506", "The terminal could not install the firmware.";
    /// 507
    AlreadyUpgrading = "507", "The terminal is already upgrading.";
    /// 600
    CaptureTimedOut = "600", "Taking the picture took the terminal too long; try again.";
    /// 601
    NoFaceSeen = "601", "The terminal saw no face; try again.";
}

impl ErrorCode {
    /// Whether this is 100.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Success
    }

    /// Whether this tells of an upgrade that goes on (500, 501).
    #[must_use]
    pub fn is_progress(&self) -> bool {
        *self == Self::Downloading || *self == Self::Upgrading
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
