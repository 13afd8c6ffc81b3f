//! Parameters against the document's tables and samples, and what holds for any.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use gatehouse_proto_terminal::Parameters;
use gatehouse_proto_terminal::parameters::{
    canonical_name, difference, full_set, is_secret, validate,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Map = BTreeMap<String, String>;

fn one(name: &str, value: &str) -> Map {
    Map::from([(name.to_owned(), value.to_owned())])
}

fn sample(file: &str, direction: &str, member: &str) -> Map {
    let path = format!(
        "{}/vectors/{direction}/{file}.ndjson",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let vector: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let object = match member {
        "frame" => serde_json::from_str(vector["frame"].as_str().unwrap()).unwrap(),
        _ => vector["send"][member].clone(),
    };
    let members = object.as_object().unwrap().iter();
    members
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect()
}

#[test]
fn the_documents_own_set_is_in_range_but_for_its_url() {
    // 004 L423 to L492; L452 shows a URL where a host name is meant (protocols 2.5).
    let set = sample("online_set_dev_info", "downlink", "full_set_of");
    assert!(set.len() > 55);
    let faults = validate(&set).unwrap_err();
    let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names, ["ntpAddress"]);
}

#[test]
fn every_range_has_its_edges() {
    let week = "06:00-09:00,18:00-21:00;;;;;;";
    let thirty = "欢".repeat(30);
    let table: [(&str, &[&str], &[&str]); 16] = [
        (
            "voiceVolume",
            &["0", "10", "07"],
            &["11", "-1", "1.0", "", " 1", "+1", "x"],
        ),
        ("ntpCycle", &["0", "24"], &["25"]),
        ("recogIntervalTime", &["0", "99"], &["100"]),
        ("faceDetectBoxScore", &["0", "99"], &["100"]),
        ("irLiveLevel", &["0", "3"], &["4"]),
        ("recogDistance", &["0", "4"], &["5"]),
        ("jpegEncodeSizeMode", &["0", "2"], &["3"]),
        ("ntpEnable", &["0", "1"], &["2", "true", ""]),
        (
            "faceFeverTemperature",
            &["37.3", "37.30", "37", "45"],
            &["29.9", "45.1", "37.333", "37.", "NaN"],
        ),
        (
            "wdrTimeSet1",
            &["21:56-21:56", "22:00-06:00"],
            &["24:00-01:00", "21:56", "2156-2156"],
        ),
        (
            "registerVoiceContent",
            &["", &thirty],
            &[
                "欢迎您的光临欢迎您的光临欢迎您的光临欢迎您的光临欢迎您的光临欢",
                "a\nb",
            ],
        ),
        (
            "devicePassword",
            &["1", "12345abcDEF!@#$%"],
            &["", "12345abcDEF!@#$%6", "密码", "a b"],
        ),
        (
            "installCity",
            &["shenzhen", ""],
            &["Shenzhen", "深圳", "abcdefghijklmnopq"],
        ),
        (
            "ntpAddress",
            &["ntp1.aliyun.com", "10.0.0.1"],
            &["http://x", "", "a b"],
        ),
        ("openDoorTimeDelayMs", &["0", "10000", "99999"], &["100000"]),
        (
            "passTime",
            &[week, "", ";;;;;;", ";;;;;;;"],
            &[";;;;;", "06:00;;;;;;", ";;;;;;;;", "09:00-06:00;;;;;;"],
        ),
    ];
    for (name, good, bad) in table {
        for value in good {
            assert_eq!(validate(&one(name, value)), Ok(()), "{name} {value:?}");
        }
        for value in bad {
            let faults = validate(&one(name, value)).expect_err(&format!("{name} {value:?}"));
            assert!(
                faults
                    .iter()
                    .all(|fault| fault.expected.starts_with("must be")),
                "{faults:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_set_is_refused_with_a_sentence() {
    for (name, beginning) in [
        ("wiredIpAddr", "is told by the terminal"),
        ("cloudPushMode", "is told by the terminal"),
        ("deviceKey", "is told by the terminal"),
        ("msgType", "is not a parameter"),
        ("nonsense", "is not a parameter"),
    ] {
        let faults = validate(&one(name, "1")).unwrap_err();
        assert!(
            faults[0].expected.starts_with(beginning),
            "{name}: {}",
            faults[0]
        );
    }
    let faults = validate(&one("devicePassword", "密码")).unwrap_err();
    assert_eq!(faults[0].value, "(secret)");
}

#[test]
fn names_have_one_spelling() {
    for (spelling, canonical) in [
        ("faceDetectLandmardScore", "faceDetectLandmarkScore"),
        ("strangerRecognizable", "strangerRecogEnable"),
        ("wirelessDhcpEnabl e", "wirelessDhcpEnable"),
        ("VOICEVOLUME", "voiceVolume"),
        ("some Thing", "someThing"),
    ] {
        assert_eq!(canonical_name(spelling), canonical);
    }
    assert!(is_secret("DevicePassword") && is_secret("wirelessPassword") && is_secret("deviceKey"));
    assert!(!is_secret("wirelessSsid"));
    let parameters = Parameters::new(one("devicePassword", "12345"));
    assert_eq!(parameters.get("devicepassword"), Some("12345"));
    assert!(!format!("{parameters:?}").contains("12345"));
}

#[test]
fn values_are_compared_by_meaning() {
    let day = "06:00-09:00,18:00-21:00";
    for (name, desired, reported) in [
        ("faceFeverTemperature", "37.3", "37.30"),
        ("voiceVolume", "3", "03"),
        ("faceRFIDCardEnable", "0", "0"),
        ("passTime", &*[day; 7].join(";"), &*[day; 8].join("; ")),
        ("wdrTimeSet1", "6:00-9:00", "06:00-09:00"),
        ("banner", "x", "x "),
        ("faceDetectLandmarkScore", "45", "45.0"),
    ] {
        assert!(
            difference(&one(name, desired), &one(name, reported)).is_empty(),
            "{name}"
        );
    }
    for (name, desired, reported) in [
        ("banner", "1", "01"),
        ("devicePassword", "012", "12"),
        ("voiceVolume", "3", ""),
        ("passTime", ";;;;;;", "06:00-07:00;;;;;;"),
    ] {
        assert_eq!(
            difference(&one(name, desired), &one(name, reported)).len(),
            1,
            "{name}"
        );
    }
    let missing = difference(&one("faceDetectLandmardScore", "45"), &Map::new());
    assert_eq!(
        missing["faceDetectLandmarkScore"],
        (Some("45".to_owned()), None)
    );
}

#[test]
fn the_full_set_of_the_documents_sample_can_be_written_back() {
    // 004 L630: what the sample terminal reports.
    let reported = sample("online_get_dev_info_resp", "uplink", "frame");
    let set = full_set(&reported, &one("voiceVolume", "3"));
    assert_eq!(set["voiceVolume"], "3");
    assert_eq!(set["faceDetectLandmarkScore"], "45");
    assert_eq!(set["passTime"].matches(';').count(), 6);
    assert!(
        !set.contains_key("msgID")
            && !set.contains_key("wiredIpAddress")
            && !set.contains_key("deviceKey")
    );
    assert_eq!(validate(&set), Ok(()));
}

fn settable() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        (0u32..=10).prop_map(|n| ("voiceVolume".to_owned(), n.to_string())),
        (0u32..=99).prop_map(|n| ("faceDetectLandmardScore".to_owned(), n.to_string())),
        "3[0-9]\\.[0-9]{1,2}".prop_map(|t| ("faceFeverTemperature".to_owned(), t)),
        "[a-z ]{0,30}".prop_map(|t| ("banner".to_owned(), t)),
        (0u8..24, 0u8..60)
            .prop_map(|(h, m)| ("passTime".to_owned(), format!("{h}:{m:02}-23:59;;; ;;;;"))),
    ]
}

proptest! {
    #[test]
    fn after_a_merge_nothing_differs(
        reported in prop::collection::btree_map("[a-zA-Z ]{1,12}", any::<String>(), 0..8),
        changes in prop::collection::vec(settable(), 0..5),
    ) {
        let changes: Map = changes.into_iter().collect();
        prop_assert_eq!(validate(&changes), Ok(()));
        let set = full_set(&reported, &changes);
        prop_assert!(difference(&changes, &set).is_empty(), "{:?} {:?}", changes, set);
        prop_assert_eq!(full_set(&set, &Map::new()), set);
    }
}
