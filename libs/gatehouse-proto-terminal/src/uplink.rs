//! What a terminal may say, and the two short messages of it: registration (2.1.1) and keep-alive
//! (2.1.2). Records stand in `record`, answers to commands in `answer`.

use crate::{Answer, UploadRecord};
use gatehouse_wire::{md5_hex_upper, signatures_match};

/// One frame of a terminal, understood as far as it can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Uplink {
    /// `register`: the first message of a connection.
    Register(Register),
    /// `keepAlive`: every 30 seconds.
    KeepAlive(KeepAlive),
    /// `uploadRecord`: somebody stood before the terminal.
    UploadRecord(Box<UploadRecord>),
    /// Any `...Resp`: what became of a command, or a part of it.
    Answer(Box<Answer>),
    /// A message of a type this document does not have (later versions do). Never an error.
    Unknown(Unknown),
}

/// A message whose type is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// `msgType`, trimmed, at most 64 characters of it; empty where there was none.
    pub message_type: String,
    /// `msgID`, where there was one.
    pub message_id: Option<String>,
    /// `deviceNo`, where there was one.
    pub device_no: Option<String>,
    /// `token`, where there was one.
    pub token: Option<String>,
}

/// `register` (2.1.1). `register_time` and `rand` are kept exactly as received, because the
/// signature is made over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// `deviceNo`: the serial number. Never empty, at most 64 bytes.
    pub device_no: String,
    /// `registerTime`: the terminal's clock, 10 digits of seconds or 13 of milliseconds.
    pub register_time: String,
    /// `rand`: a random text.
    pub rand: String,
    /// `protocolVersion`, for example `V1.0`.
    pub protocol_version: String,
    /// `hardwareVersion`, for example `A2`.
    pub hardware_version: String,
    /// `softwareVersion`, for example `2.1.9 2020-02-13`.
    pub software_version: String,
    /// `algVersion`, for example `1.0.2-1.2.0`.
    pub alg_version: String,
    /// `sign`, as received; `None` where absent or empty.
    pub sign: Option<String>,
}

/// What the signature of a registration is worth. It holds no secret, so even a valid one proves
/// nothing about who is speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignVerdict {
    /// As document 004 (2.1.1) has it: MD5 over deviceNo, registerTime, rand, deviceNo.
    Valid,
    /// Something else.
    Wrong,
    /// Not sent.
    Missing,
}

impl Register {
    /// Judges the signature, in either case of its hexadecimal digits.
    #[must_use]
    pub fn sign_verdict(&self) -> SignVerdict {
        let Some(sign) = &self.sign else {
            return SignVerdict::Missing;
        };
        let expected = md5_hex_upper(&[
            self.device_no.as_bytes(),
            self.register_time.as_bytes(),
            self.rand.as_bytes(),
            self.device_no.as_bytes(),
        ]);
        if signatures_match(&expected, sign.trim()) {
            SignVerdict::Valid
        } else {
            SignVerdict::Wrong
        }
    }

    /// The terminal's clock at registration in milliseconds since 1970, from 10 digits of seconds
    /// or 13 of milliseconds; `None` for anything else.
    #[must_use]
    pub fn device_time_ms(&self) -> Option<i64> {
        crate::clock::unix_ms(self.register_time.trim())
    }
}

/// `keepAlive` (2.1.2).
#[derive(Debug, Clone, PartialEq)]
pub struct KeepAlive {
    /// `deviceNo` as the terminal used it here; may be empty, may differ from the registered one.
    pub device_no: String,
    /// `token`, where sent and not empty.
    pub token: Option<String>,
    /// Where the terminal is, when it has a GPS or 4G module.
    pub position: Option<Position>,
}

/// A position in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// `locationx`: east is positive, -180 to 180.
    pub longitude: f64,
    /// `locationy`: north is positive, -90 to 90.
    pub latitude: f64,
}
