//! A terminal's parameters: the document's sample set and the ranges that `onlineSetDevInfo` is held
//! to (004 sections 2.1.6 and 2.1.7).
//!
//! The table's lengths are not checked, only its values: the samples break the lengths ("37.30" in
//! 4, "10000" in 4).

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use crate::wire;

/// Parameters by the document's names. Copies share their content until one is changed, so that
/// thousands of terminals with the default set hold it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters(Arc<BTreeMap<String, String>>);

impl Default for Parameters {
    /// The document's sample of `onlineGetDevInfoResp` and what `onlineSetDevInfo` has beyond it.
    /// Two values differ from the sample: `cloudPushMode` is 3 (WebSocket), and `deviceNumber` is
    /// empty, which is reported as the serial number.
    fn default() -> Self {
        static SAMPLE: LazyLock<Parameters> = LazyLock::new(|| {
            let set = SAMPLE_SET
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            Parameters(Arc::new(set.collect()))
        });
        SAMPLE.clone()
    }
}

impl Parameters {
    pub(crate) fn to_owned_map(&self) -> BTreeMap<String, String> {
        BTreeMap::clone(&self.0)
    }
}

impl Deref for Parameters {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Parameters {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

/// What a value must be.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Range(i64, i64),
    Decimal,
    Text(usize),
    TimeWindow,
    WeekPlan,
}

impl Rule {
    fn allows(self, value: &str) -> bool {
        match self {
            Self::Range(lowest, highest) => value
                .parse::<i64>()
                .is_ok_and(|number| (lowest..=highest).contains(&number)),
            Self::Decimal => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Text(longest) => value.chars().count() <= longest,
            Self::TimeWindow => is_time_window(value),
            Self::WeekPlan => is_week_plan(value),
        }
    }
}

/// The rule for a parameter of the table in 2.1.6; `None` for one that is not in it.
fn rule(name: &str) -> Option<Rule> {
    Some(match name {
        "devicePassword" | "installCity" => Rule::Text(16),
        "ntpEnable"
        | "onlyRecogMaxSizeFaceEnable"
        | "faceTemperatureDetectEnable"
        | "strangerRecogEnable"
        | "alarmVoiceEnable"
        | "startWdr1"
        | "startWdr2"
        | "playVoiceEnable"
        | "registerVoiceNameSexEnable"
        | "strangerVoiceMode"
        | "displayNameSexEnable"
        | "entranceDirection"
        | "autoOpenDoorEnable"
        | "mainWindowUiEnable"
        | "alwaysOpenDoor"
        | "autoDeleteNotValidRecord"
        | "alarmDisplayEnable" => Rule::Range(0, 1),
        "jpegEncodeSizeMode" | "faceRFIDCardEnable" => Rule::Range(0, 2),
        "irLiveLevel" => Rule::Range(0, 3),
        "recogDistance" | "registerVoiceMode" | "displayTextMode" => Rule::Range(0, 4),
        "voiceVolume" => Rule::Range(0, 10),
        "ntpCycle" => Rule::Range(0, 24),
        "recogIntervalTime"
        | "faceDetectBoxScore"
        | "faceDetectLandmarkScore"
        | "faceRegisterConfidenceScore"
        | "faceCardConfidenceScore"
        | "strangerVoiceTime" => Rule::Range(0, 99),
        "openDoorTimeDelayMs" => Rule::Range(0, 99_999),
        "entranceSerialBaudRate" => Rule::Range(1, 10_000_000),
        "faceFeverTemperature" => Rule::Decimal,
        "wdrTimeSet1" | "wdrTimeSet2" => Rule::TimeWindow,
        "passTime" => Rule::WeekPlan,
        "objectId" => Rule::Text(20),
        "banner" => Rule::Text(256),
        "ntpAddress"
        | "registerVoiceContentBeforeName"
        | "registerVoiceContent"
        | "strangerVoiceContent"
        | "displayTextContentBeforeName"
        | "displayTextContent"
        | "alarmNotInPassTimeContent"
        | "identificationVoiceSuccessContent"
        | "identificationVoiceFailedContent"
        | "identificationDisplayTextSuccessContent"
        | "identificationDisplayTextFailedContent"
        | "overlayDeviceName"
        | "strangerDisplayContent"
        | "alarmNotInPassTimeDisplayContent"
        | "alarmNotInValidTimeVoiceContent"
        | "alarmNotInValidTimeDisplayContent"
        | "alarmNotAuthVoiceContent"
        | "alarmNotAuthDisplayContent" => Rule::Text(30),
        _ => return None,
    })
}

/// Parameters of 2.1.6 that are marked N.
const OPTIONAL: &[&str] = &[
    "passTime",
    "alwaysOpenDoor",
    "autoDeleteNotValidRecord",
    "strangerDisplayContent",
    "alarmDisplayEnable",
    "alarmNotInPassTimeDisplayContent",
    "alarmNotInValidTimeVoiceContent",
    "alarmNotInValidTimeDisplayContent",
    "alarmNotAuthVoiceContent",
    "alarmNotAuthDisplayContent",
];

/// Whether every parameter marked Y is in the message.
pub(crate) fn is_full_set(body: &Map<String, Value>) -> bool {
    SAMPLE_SET
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| rule(name).is_some() && !OPTIONAL.contains(name))
        .all(|name| body.contains_key(name))
}

/// What a `onlineSetDevInfo` changes: names in the terminal's own spelling, values as text. `None`
/// when a value is not allowed (400). Names that the terminal does not have are passed over.
pub(crate) fn changes(
    current: &Parameters,
    body: &Map<String, Value>,
) -> Option<Vec<(String, String)>> {
    let mut changes = Vec::new();
    for (key, value) in body {
        let name = own_spelling(key);
        if !current.contains_key(name) || matches!(name, "msgType" | "msgID" | "deviceNo") {
            continue;
        }
        let value = wire::scalar(value)?;
        if !rule(name).unwrap_or(Rule::Text(256)).allows(&value) {
            return None;
        }
        if name == "faceDetectLandmarkScore" {
            // Set under one spelling and reported under both.
            changes.push(("faceDetectLandmardScore".to_owned(), value.clone()));
        }
        changes.push((name.to_owned(), value));
    }
    Some(changes)
}

/// The tables of 2.1.6 and 2.1.7 spell three names in two ways each.
fn own_spelling(name: &str) -> &str {
    match name {
        "strangerRecognizable" => "strangerRecogEnable",
        "faceDetectLandmardScore" => "faceDetectLandmarkScore",
        "wiredIpAddress" => "wiredIpAddr",
        other => other,
    }
}

/// `XX:XX-XX:XX`.
fn is_time_window(value: &str) -> bool {
    value
        .split_once('-')
        .is_some_and(|(from, to)| is_clock_time(from) && is_clock_time(to))
}

fn is_clock_time(value: &str) -> bool {
    let two_digits = |text: &str, below: u8| {
        text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number < below)
    };
    value
        .split_once(':')
        .is_some_and(|(hour, minute)| two_digits(hour, 24) && two_digits(minute, 60))
}

/// Seven days by `;`, five windows each by `,`; empty means always. The samples have an eighth day.
fn is_week_plan(value: &str) -> bool {
    let days: Vec<&str> = value.split(';').map(str::trim).collect();
    value.is_empty()
        || (matches!(days.len(), 7 | 8)
            && days.iter().all(|day| {
                let windows: Vec<&str> = day.split(',').collect();
                day.is_empty()
                    || (windows.len() <= 5 && windows.iter().all(|window| is_time_window(window)))
            }))
}

#[rustfmt::skip]
const SAMPLE_SET: &[(&str, &str)] = &[
    ("NfStrength", "-1"),
    ("RFIDCardDevice", "0"),
    ("RFIDCardDeviceInputPort", "0"),
    ("RFIDCardEnable", "0"),
    ("abstract", ""),
    ("alarmDisplayEnable", "1"),
    ("alarmNotAuthDisplayContent", "无记录"),
    ("alarmNotAuthVoiceContent", "无记录"),
    ("alarmNotInPassTimeContent", ""),
    ("alarmNotInPassTimeDisplayContent", "不在通行时间"),
    ("alarmNotInValidTimeDisplayContent", "已过期"),
    ("alarmNotInValidTimeVoiceContent", "已过期"),
    ("alarmVoiceEnable", "1"),
    ("alwaysOpenDoor", "0"),
    ("apEnable", "1"),
    ("autoDeleteNotValidRecord", "0"),
    ("autoOpenDoorEnable", "1"),
    ("banner", ""),
    ("checkIdentificationCardAgeEnable", "0"),
    ("checkIdentificationCardValidDateEnable", "0"),
    ("cloudPushMode", "3"),
    ("deviceKey", "123456"),
    ("deviceNumber", ""),
    ("devicePassword", "123456"),
    ("deviceWorkMode", "0"),
    ("displayNameSexEnable", "0"),
    ("displayTextContent", "{}"),
    ("displayTextContentBeforeName", ""),
    ("displayTextMode", "0"),
    ("entranceDirection", "1"),
    ("entranceOutputWgContent", ""),
    ("entranceSerialBaudRate", "9600"),
    ("entranceSerialContent", ""),
    ("entranceSerialMode", "0"),
    ("faceCardConfidenceScore", "80"),
    ("faceDetectBoxScore", "30"),
    ("faceDetectLandmardScore", "45"),
    ("faceDetectLandmarkScore", "45"),
    ("faceFeverTemperature", "35.3"),
    ("faceIdentificationCardDevice", "0"),
    ("faceIdentificationCardEnable", "0"),
    ("faceIdentificationCardInputPort", "0"),
    ("faceRFIDCardDevice", "0"),
    ("faceRFIDCardEnable", "0"),
    ("faceRFIDCardInputPort", "0"),
    ("faceRecogEnable", "1"),
    ("faceRegisterConfidenceScore", "92"),
    ("faceTemperatureDetectEnable", "0"),
    ("httpMsgUrl", "http://www.aa.com/api"),
    ("identificationDisplayTextFailedContent", ""),
    ("identificationDisplayTextSuccessContent", ""),
    ("identificationVoiceFailedContent", ""),
    ("identificationVoiceSuccessContent", ""),
    ("installCity", "shenzhen"),
    ("irLiveLevel", "0"),
    ("isDisplayIrImage", "0"),
    ("jpegEncodeSizeMode", "0"),
    ("lumaValue", "128"),
    ("mainWindowUiEnable", "1"),
    ("maxGain", "10"),
    ("maxShutterMS", "40"),
    ("mqttMsgUrl", "tcp://192.168.1.199:1883"),
    ("ntpAddress", "ntp1.aliyun.com"),
    ("ntpCycle", "24"),
    ("ntpEnable", "1"),
    ("objectId", ""),
    ("onlyRecogMaxSizeFaceEnable", "0"),
    ("openDoorTimeDelayMs", "500"),
    ("overlayDeviceName", ""),
    ("passTime", "06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00;06:00-09:00,18:00-21:00"),
    ("playVoiceEnable", "1"),
    ("recogDistance", "4"),
    ("recogIntervalTime", "3"),
    ("registerVoiceContent", ""),
    ("registerVoiceContentBeforeName", ""),
    ("registerVoiceMode", "0"),
    ("registerVoiceNameSexEnable", "0"),
    ("startWdr1", "0"),
    ("startWdr2", "0"),
    ("strangerDisplayContent", "陌生人"),
    ("strangerRecogEnable", "1"),
    ("strangerVoiceContent", ""),
    ("strangerVoiceMode", "0"),
    ("strangerVoiceTime", "0"),
    ("tcpMsgUrl", "192.168.1.199:8080"),
    ("videoDecodeDisplayEnable", "0"),
    ("videoDecodePlayMode", "0"),
    ("videoSnapJpegQp", "80"),
    ("voiceVolume", "1"),
    ("wdrTimeSet1", "00:00-00:00"),
    ("wdrTimeSet2", "00:00-00:00"),
    ("websocketMsgUrl", ""),
    ("wiredDhcpEnable", "0"),
    ("wiredDnsServer", "8.8.8.8"),
    ("wiredGateway", "192.168.10.1"),
    ("wiredIpAddr", "192.168.10.66"),
    ("wiredNetmask", "255.255.255.0"),
    ("wirelessDhcpEnable", "0"),
    ("wirelessDnsServer", ""),
    ("wirelessGateway", ""),
    ("wirelessIpAddr", ""),
    ("wirelessPassword", ""),
    ("wirelessSsid", ""),
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn set(body: serde_json::Value) -> Option<Vec<(String, String)>> {
        changes(&Parameters::default(), body.as_object().unwrap())
    }

    #[test]
    fn the_samples_own_values_are_allowed() {
        let all: Map<String, Value> = Parameters::default()
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        assert!(is_full_set(&all));
        assert!(changes(&Parameters::default(), &all).is_some());
    }

    #[test]
    fn ranges_are_held() {
        for (name, value, allowed) in [
            ("voiceVolume", "10", true),
            ("voiceVolume", "11", false),
            ("voiceVolume", "loud", false),
            ("irLiveLevel", "3", true),
            ("irLiveLevel", "4", false),
            ("ntpCycle", "25", false),
            ("faceFeverTemperature", "37.30", true),
            ("faceFeverTemperature", "warm", false),
            ("wdrTimeSet1", "21:56-21:56", true),
            ("wdrTimeSet1", "25:00-26:00", false),
            ("passTime", "06:00-09:00,18:00-21:00;;;;;;06:00-09:00", true),
            ("passTime", "06:00-09:00", false),
            ("passTime", "", true),
            ("banner", "人脸识别管理系统", true),
            (
                "overlayDeviceName",
                "三十一个字三十一个字三十一个字三十一个字三十一个字三十一个字三",
                false,
            ),
        ] {
            let result = set(serde_json::json!({ (name): value }));
            assert_eq!(result.is_some(), allowed, "{name} = {value}");
        }
    }

    #[test]
    fn both_spellings_are_one_parameter() {
        let changed = set(serde_json::json!({"faceDetectLandmardScore": 60, "nonsense": "1"}));
        assert_eq!(
            changed.unwrap(),
            [
                ("faceDetectLandmardScore".to_owned(), "60".to_owned()),
                ("faceDetectLandmarkScore".to_owned(), "60".to_owned()),
            ]
        );
        let changed = set(serde_json::json!({"strangerRecognizable": "0"})).unwrap();
        assert_eq!(changed[0].0, "strangerRecogEnable");
    }

    #[test]
    fn a_partial_set_is_not_full() {
        let body = serde_json::json!({"voiceVolume": "3"});
        assert!(!is_full_set(body.as_object().unwrap()));
    }
}
