//! Every parameter of the document: what can be set (2.1.6) and within which range, what can only be
//! read (2.1.7 and its sample), and the spellings that mean the same.

use crate::pass_times::{read_span, read_week, write_week};

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 0 or 1.
    Switch,
    /// A whole number.
    Number { min: u32, max: u32 },
    /// Degrees Celsius, at most two decimals.
    Celsius,
    /// Text, counted in characters.
    Text { max_characters: usize },
    /// The administrator's password.
    Password,
    /// A city in lower-case Latin letters.
    City,
    /// A host name.
    Host,
    /// `XX:XX-XX:XX`.
    Span,
    /// Seven days of spans.
    Week,
}

const SCORE: Kind = Kind::Number { min: 0, max: 99 };
const SECONDS: Kind = Kind::Number { min: 0, max: 99 };
const MODE: Kind = Kind::Number { min: 0, max: 4 };
const SENTENCE: Kind = Kind::Text { max_characters: 30 };

/// What can be set, in the document's order (2.1.6).
pub(super) const SETTABLE: &[(&str, Kind)] = &[
    ("devicePassword", Kind::Password),
    ("ntpEnable", Kind::Switch),
    ("ntpCycle", Kind::Number { min: 0, max: 24 }),
    ("ntpAddress", Kind::Host), // L452 shows a URL; a host name is meant
    ("irLiveLevel", Kind::Number { min: 0, max: 3 }),
    ("recogDistance", Kind::Number { min: 0, max: 4 }),
    ("recogIntervalTime", SECONDS),
    ("onlyRecogMaxSizeFaceEnable", Kind::Switch),
    ("faceTemperatureDetectEnable", Kind::Switch),
    ("faceFeverTemperature", Kind::Celsius),
    ("faceDetectBoxScore", SCORE),
    ("faceDetectLandmarkScore", SCORE),
    ("faceRegisterConfidenceScore", SCORE),
    ("faceCardConfidenceScore", SCORE),
    ("strangerRecogEnable", Kind::Switch),
    ("strangerVoiceTime", SECONDS),
    ("alarmVoiceEnable", Kind::Switch),
    ("jpegEncodeSizeMode", Kind::Number { min: 0, max: 2 }),
    ("startWdr1", Kind::Switch),
    ("startWdr2", Kind::Switch),
    ("wdrTimeSet1", Kind::Span),
    ("wdrTimeSet2", Kind::Span),
    ("playVoiceEnable", Kind::Switch), // L379: 0 is on, 1 is off
    ("registerVoiceMode", MODE),
    ("registerVoiceNameSexEnable", Kind::Switch),
    ("registerVoiceContentBeforeName", SENTENCE),
    ("registerVoiceContent", SENTENCE),
    ("strangerVoiceMode", Kind::Switch),
    ("strangerVoiceContent", SENTENCE),
    ("displayTextMode", MODE),
    ("displayNameSexEnable", Kind::Switch),
    ("displayTextContentBeforeName", SENTENCE),
    ("displayTextContent", SENTENCE),
    ("alarmNotInPassTimeContent", SENTENCE),
    ("identificationVoiceSuccessContent", SENTENCE),
    ("identificationVoiceFailedContent", SENTENCE),
    ("identificationDisplayTextSuccessContent", SENTENCE),
    ("identificationDisplayTextFailedContent", SENTENCE),
    ("installCity", Kind::City),
    ("voiceVolume", Kind::Number { min: 0, max: 10 }),
    // The document names no set of rates; its own samples have 9600, 96000 and 115200.
    (
        "entranceSerialBaudRate",
        Kind::Number {
            min: 300,
            max: 921_600,
        },
    ),
    ("objectId", Kind::Text { max_characters: 20 }),
    ("entranceDirection", Kind::Switch), // 0 in, 1 out: not the numbers of inOutMode
    ("autoOpenDoorEnable", Kind::Switch),
    // Four digits by the table, five in its sample (L455).
    (
        "openDoorTimeDelayMs",
        Kind::Number {
            min: 0,
            max: 99_999,
        },
    ),
    ("overlayDeviceName", SENTENCE),
    (
        "banner",
        Kind::Text {
            max_characters: 256,
        },
    ),
    ("mainWindowUiEnable", Kind::Switch),
    ("faceRFIDCardEnable", Kind::Number { min: 0, max: 2 }),
    ("passTime", Kind::Week),
    ("alwaysOpenDoor", Kind::Switch),
    ("autoDeleteNotValidRecord", Kind::Switch),
    ("strangerDisplayContent", SENTENCE),
    ("alarmDisplayEnable", Kind::Switch),
    ("alarmNotInPassTimeDisplayContent", SENTENCE),
    ("alarmNotInValidTimeVoiceContent", SENTENCE),
    ("alarmNotInValidTimeDisplayContent", SENTENCE),
    ("alarmNotAuthVoiceContent", SENTENCE),
    ("alarmNotAuthDisplayContent", SENTENCE),
];

/// What terminals tell and nobody can set: the rest of 2.1.7, and of its sample.
pub(super) const READ_ONLY: &[&str] = &[
    "wiredDhcpEnable",
    "wiredIpAddress",
    "wiredNetmask",
    "wiredGateway",
    "wiredDnsServer",
    "apEnable",
    "wirelessDhcpEnable",
    "wirelessSsid",
    "wirelessPassword",
    "wirelessIpAddr",
    "wirelessGateway",
    "wirelessDnsServer",
    "cloudPushMode",
    "httpMsgUrl",
    "mqttMsgUrl",
    "tcpMsgUrl",
    "websocketMsgUrl",
    "deviceNumber",
    "deviceKey",
    "faceRecogEnable",
    "isDisplayIrImage",
    "checkIdentificationCardValidDateEnable",
    "checkIdentificationCardAgeEnable",
    "videoSnapJpegQp",
    "maxShutterMS",
    "maxGain",
    "NfStrength",
    "lumaValue",
    "abstract",
    "faceIdentificationCardEnable",
    "faceIdentificationCardDevice",
    "faceIdentificationCardInputPort",
    "RFIDCardEnable",
    "RFIDCardDevice",
    "RFIDCardDeviceInputPort",
    "faceRFIDCardDevice",
    "faceRFIDCardInputPort",
    "videoDecodeDisplayEnable",
    "videoDecodePlayMode",
    "entranceSerialMode",
    "entranceSerialContent",
    "entranceOutputWgContent",
    "deviceWorkMode",
];

/// Other spellings, and the canonical one.
pub(super) const SPELLINGS: &[(&str, &str)] = &[
    ("faceDetectLandmardScore", "faceDetectLandmarkScore"), // L720
    ("strangerRecognizable", "strangerRecogEnable"),        // L560
    ("wiredIpAddr", "wiredIpAddress"),                      // L632 against L595
];

/// Whose values must not be shown.
pub(super) const SECRET: [&str; 3] = ["devicePassword", "wirelessPassword", "deviceKey"];

impl Kind {
    /// Whether the document allows the value.
    pub(super) fn accepts(self, value: &str) -> bool {
        match self {
            Self::Switch => matches!(value, "0" | "1"),
            Self::Number { min, max } => {
                is_number(value) && value.parse().is_ok_and(|n: u32| (min..=max).contains(&n))
            }
            Self::Celsius => {
                let (whole, decimals) = value.split_once('.').unwrap_or((value, "0"));
                is_number(whole)
                    && is_number(decimals)
                    && decimals.len() <= 2
                    && value.parse().is_ok_and(|c: f32| (30.0..=45.0).contains(&c))
            }
            Self::Text { max_characters } => {
                value.chars().count() <= max_characters && !value.contains(char::is_control)
            }
            Self::Password => {
                (1..=16).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Self::City => value.len() <= 16 && value.bytes().all(|byte| byte.is_ascii_lowercase()),
            Self::Host => {
                (1..=64).contains(&value.len())
                    && value
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
            }
            Self::Span => read_span(value).is_some(),
            // Fewer than seven days would leave open which are meant.
            Self::Week => {
                read_week(value).is_some()
                    && (value.trim().is_empty() || value.matches(';').count() >= 6)
            }
        }
    }

    /// What is expected, as the rest of a sentence that begins with the name.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Switch => "must be 0 or 1".to_owned(),
            Self::Number { min, max } => format!("must be a whole number from {min} to {max}"),
            Self::Celsius => {
                "must be a temperature from 30 to 45 degrees Celsius, such as 37.3".to_owned()
            }
            Self::Text { max_characters } => {
                format!("must be text of at most {max_characters} characters on one line")
            }
            Self::Password => "must be 1 to 16 digits, Latin letters or symbols".to_owned(),
            Self::City => {
                "must be a city in at most 16 lower-case Latin letters, such as shenzhen".to_owned()
            }
            Self::Host => {
                "must be a host name without a scheme, such as ntp1.aliyun.com".to_owned()
            }
            Self::Span => "must be a span of the day, such as 08:00-18:30".to_owned(),
            Self::Week => "must be seven days from Monday, separated by semicolons, each with at \
                           most five spans such as 06:00-09:00,18:00-21:00, or empty for all day"
                .to_owned(),
        }
    }

    /// Whether two values mean the same.
    pub(super) fn same(self, one: &str, other: &str) -> bool {
        let (one, other) = (one.trim(), other.trim());
        let by_meaning = match self {
            Self::Switch | Self::Number { .. } | Self::Celsius => {
                matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
            }
            Self::Span => read_span(one).is_some_and(|span| Some(span) == read_span(other)),
            Self::Week => read_week(one).is_some_and(|week| Some(week) == read_week(other)),
            Self::Text { .. } | Self::Password | Self::City | Self::Host => false,
        };
        by_meaning || one == other
    }

    /// The value in the documented form: seven parts of a week (samples have eight).
    pub(super) fn written(self, value: &str) -> String {
        match self {
            Self::Week => {
                read_week(value).map_or_else(|| value.to_owned(), |week| write_week(&week))
            }
            Self::Switch
            | Self::Number { .. }
            | Self::Celsius
            | Self::Text { .. }
            | Self::Password
            | Self::City
            | Self::Host
            | Self::Span => value.to_owned(),
        }
    }
}

fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
