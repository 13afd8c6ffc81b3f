//! A person at the terminal and the `uploadRecord` it makes (004 section 2.3.1).

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::profile::TerminalProfile;
use crate::wire::{self, Writer};

/// From here on a body is feverish (`temperatureResult` 2).
const FEVER_CELSIUS: f64 = 37.3;

/// When a person passed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PassTime {
    /// At the moment of [`crate::Terminal::pass`], by the terminal's clock.
    #[default]
    Now,
    /// At this instant; sent as the terminal's clock shows it.
    At(DateTime<Utc>),
    /// Sent as given, for example "2019-11-08 13:05:51.421".
    Local(String),
}

/// What an identity card reader adds (snapType 1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdDocument {
    /// `rfIdNumber`.
    pub number: String,
    /// `ethnicity`.
    pub ethnicity: String,
    /// `address`.
    pub address: String,
    /// `authority`.
    pub authority: String,
}

/// One pass. Texts are the document's codes, so that nonsense can be sent too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pass {
    /// `msgID`; by default the terminal counts up from 1001.
    pub message_id: Option<String>,
    /// `passTime`.
    pub pass_time: PassTime,
    /// 0 face, 1 id card, 2 face and card, 3 stranger, 4 card.
    pub snap_type: String,
    /// 0 passed, 1 failed, 2 outside the schedule, 3 expired, 4 not authorised.
    pub compare_result: String,
    /// `idNumber`.
    pub id_number: String,
    /// `name`.
    pub name: String,
    /// 男, 女 or empty.
    pub sex: String,
    /// "1997年4月3日", or "19970403" from an id card.
    pub birth: String,
    /// `company`.
    pub company: String,
    /// `department`.
    pub department: String,
    /// `phone`.
    pub phone: String,
    /// `validDateStart`.
    pub valid_date_start: String,
    /// `validDateEnd`.
    pub valid_date_end: String,
    /// `visitorVoiceText`.
    pub visitor_voice_text: String,
    /// 0 unknown, 1 in, 2 out.
    pub in_out_mode: String,
    /// `recognitionPhoto`: JPEG bytes, base64 on the wire.
    pub photo: Option<Bytes>,
    /// `recognitionPhoto` as this very text instead, for broken base64.
    pub photo_text: Option<String>,
    /// `comparePhoto`: JPEG bytes.
    pub compare_photo: Option<Bytes>,
    /// `temperature`, degrees Celsius.
    pub temperature: Option<String>,
    /// `temperatureResult`; by default 1 or, from 37.3 on, 2.
    pub temperature_result: Option<String>,
    /// `faceMaskResult` of later firmware: 1 with, 0 without.
    pub mask: Option<bool>,
    /// Longitude and latitude.
    pub position: Option<(String, String)>,
    /// `normalNumber`.
    pub card: Option<String>,
    /// What an identity card says.
    pub document: Option<IdDocument>,
    /// `comparePoint` of later firmware, for example "68".
    pub compare_point: Option<String>,
    /// More fields, or other values for a field: a reader takes the last one.
    pub extra: Vec<(String, Value)>,
}

impl Pass {
    /// A registered person whose face was recognised.
    pub fn staff(id_number: &str, name: &str) -> Self {
        Self {
            snap_type: "0".to_owned(),
            compare_result: "0".to_owned(),
            id_number: id_number.to_owned(),
            name: name.to_owned(),
            sex: "男".to_owned(),
            birth: "1998年8月9日".to_owned(),
            company: "XX科技有限公司".to_owned(),
            department: "测试部".to_owned(),
            phone: "18868681819".to_owned(),
            valid_date_start: "2019_10_8".to_owned(),
            valid_date_end: "2029_10_8".to_owned(),
            visitor_voice_text: "欢迎光临".to_owned(),
            in_out_mode: "1".to_owned(),
            ..Self::default()
        }
    }

    /// Somebody unknown: fields empty rather than absent, no compare photo.
    pub fn stranger() -> Self {
        Self {
            snap_type: "3".to_owned(),
            compare_result: "1".to_owned(),
            name: "陌生人".to_owned(),
            in_out_mode: "1".to_owned(),
            ..Self::default()
        }
    }

    /// With this `recognitionPhoto`.
    #[must_use]
    pub fn with_photo(mut self, jpeg: impl Into<Bytes>) -> Self {
        self.photo = Some(jpeg.into());
        self
    }

    /// With this `comparePhoto`.
    #[must_use]
    pub fn with_compare_photo(mut self, jpeg: impl Into<Bytes>) -> Self {
        self.compare_photo = Some(jpeg.into());
        self
    }

    /// With this body temperature.
    #[must_use]
    pub fn with_temperature(mut self, celsius: &str) -> Self {
        self.temperature = Some(celsius.to_owned());
        self
    }

    /// With this `msgID`.
    #[must_use]
    pub fn with_message_id(mut self, message_id: &str) -> Self {
        self.message_id = Some(message_id.to_owned());
        self
    }

    /// At this instant.
    #[must_use]
    pub fn at(mut self, instant: DateTime<Utc>) -> Self {
        self.pass_time = PassTime::At(instant);
        self
    }

    /// At this local time, sent as it is.
    #[must_use]
    pub fn at_local(mut self, pass_time: &str) -> Self {
        self.pass_time = PassTime::Local(pass_time.to_owned());
        self
    }

    /// With another `compareResult`.
    #[must_use]
    pub fn with_result(mut self, compare_result: &str) -> Self {
        self.compare_result = compare_result.to_owned();
        self
    }

    /// With a card (snapType 4).
    #[must_use]
    pub fn with_card(mut self, number: &str) -> Self {
        self.snap_type = "4".to_owned();
        self.card = Some(number.to_owned());
        self
    }

    /// With an identity card (snapType 1).
    #[must_use]
    pub fn with_document(mut self, document: IdDocument) -> Self {
        self.snap_type = "1".to_owned();
        self.document = Some(document);
        self
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.push((key.to_owned(), value.into()));
        self
    }

    /// `passTime` for a clock that shows `ahead_ms` more than the true time, in its zone.
    pub(crate) fn wall_time(&self, profile: &TerminalProfile, ahead_ms: i64) -> String {
        let instant = match &self.pass_time {
            PassTime::Now => Utc::now(),
            PassTime::At(instant) => *instant,
            PassTime::Local(text) => return text.clone(),
        };
        let shown = instant + chrono::TimeDelta::milliseconds(ahead_ms);
        let zone = FixedOffset::east_opt(profile.utc_offset_minutes.saturating_mul(60));
        let local = zone.map_or(shown.naive_utc(), |zone| {
            shown.with_timezone(&zone).naive_local()
        });
        let text = local.and_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
        text.trim_end_matches('Z').replacen('T', " ", 1)
    }

    /// The whole message, in the order of the document's sample.
    pub(crate) fn upload_record(
        &self,
        profile: &TerminalProfile,
        device_no: &str,
        token: &str,
        message_id: &str,
        pass_time: &str,
    ) -> String {
        let photo_length = |photo: &Option<Bytes>| photo.as_ref().map_or(0, Bytes::len) * 4 / 3;
        let capacity = 900 + photo_length(&self.photo) + photo_length(&self.compare_photo);
        let mut writer = Writer::new(profile, capacity);
        let later_firmware = self.mask.is_some() || self.compare_point.is_some();
        writer
            .field("msgType", "uploadRecord")
            .field("msgID", message_id)
            .field("version", if later_firmware { "V4.0" } else { "V1.0" })
            .field("deviceNo", device_no)
            .field("token", token)
            .field("snapType", &self.snap_type)
            .field("compareResult", &self.compare_result)
            .field("passTime", pass_time)
            .field("idNumber", &self.id_number)
            .field("name", &self.name)
            .field("sex", &self.sex)
            .field("birth", &self.birth)
            .field("company", &self.company)
            .field("department", &self.department)
            .field("phone", &self.phone)
            .field("validDateStart", &self.valid_date_start)
            .field("validDateEnd", &self.valid_date_end)
            .field("visitorVoiceText", &self.visitor_voice_text)
            .field("inOutMode", &self.in_out_mode);
        self.write_photos(&mut writer);
        self.write_optional(&mut writer);
        writer.finish()
    }

    fn write_photos(&self, writer: &mut Writer<'_>) {
        match (&self.photo_text, &self.photo) {
            (Some(text), _) => writer.field("recognitionPhoto", text),
            (None, Some(jpeg)) => writer.base64("recognitionPhoto", jpeg),
            (None, None) => writer.field("recognitionPhoto", ""),
        };
        match &self.compare_photo {
            Some(jpeg) => {
                writer.base64("comparePhoto", jpeg);
            }
            None if self.snap_type != "3" => {
                writer.field("comparePhoto", "");
            }
            None => {}
        }
    }

    fn write_optional(&self, writer: &mut Writer<'_>) {
        if let Some(temperature) = &self.temperature {
            let feverish = temperature
                .parse::<f64>()
                .is_ok_and(|celsius| celsius >= FEVER_CELSIUS);
            let result = if feverish { "2" } else { "1" };
            writer.field("temperature", temperature).field(
                "temperatureResult",
                self.temperature_result.as_deref().unwrap_or(result),
            );
        } else {
            writer.optional("temperatureResult", self.temperature_result.as_deref());
        }
        if let Some(document) = &self.document {
            writer
                .field("rfIdNumber", &document.number)
                .field("ethnicity", &document.ethnicity)
                .field("address", &document.address)
                .field("authority", &document.authority);
        }
        if let Some((longitude, latitude)) = &self.position {
            writer
                .field("locationx", longitude)
                .field("locationy", latitude);
        }
        writer.optional("normalNumber", self.card.as_deref());
        writer.optional("comparePoint", self.compare_point.as_deref());
        writer.optional(
            "faceMaskResult",
            self.mask.map(|on| if on { "1" } else { "0" }),
        );
        for (key, value) in &self.extra {
            writer.value(key, value);
        }
        if writer.wants_data() {
            writer.field("data", "");
        }
    }
}

/// The cloud's answer to a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordAck {
    /// 100 when it is stored.
    pub error_code: String,
    /// "open", "close" or "" for the terminal's own decision.
    pub control_state: String,
    /// What the terminal says.
    pub msg: String,
}

impl RecordAck {
    /// From `uploadRecordResp`; what is absent is empty.
    pub(crate) fn read(body: &Map<String, Value>) -> Self {
        let text = |key| wire::string(body, key).unwrap_or_default().to_owned();
        Self {
            error_code: text("errorCode"),
            control_state: text("controlState"),
            msg: text("msg"),
        }
    }

    /// Stored: the terminal may forget the record.
    pub fn is_accepted(&self) -> bool {
        self.error_code == "100"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn message(pass: &Pass) -> Value {
        let profile = TerminalProfile::new("ws://localhost/", "FaceDevice001");
        let time = pass.wall_time(&profile, 0);
        let text = pass.upload_record(&profile, "FaceDevice001", "1508845817", "1001", &time);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_documents_sample_has_no_other_keys() {
        let pass = Pass {
            card: Some("8899".to_owned()),
            position: Some(("116.481499".to_owned(), "39.990475".to_owned())),
            ..Pass::staff("20001", "张三")
                .at_local("2019-11-08 13:05:51.421")
                .with_temperature("36.5")
        };
        assert_eq!(
            message(&pass),
            serde_json::json!({
                "msgType": "uploadRecord", "msgID": "1001", "version": "V1.0",
                "deviceNo": "FaceDevice001", "token": "1508845817", "snapType": "0",
                "compareResult": "0", "passTime": "2019-11-08 13:05:51.421",
                "idNumber": "20001", "name": "张三", "sex": "男", "birth": "1998年8月9日",
                "company": "XX科技有限公司", "department": "测试部", "phone": "18868681819",
                "validDateStart": "2019_10_8", "validDateEnd": "2029_10_8",
                "visitorVoiceText": "欢迎光临", "inOutMode": "1", "recognitionPhoto": "",
                "comparePhoto": "", "temperature": "36.5", "temperatureResult": "1",
                "locationx": "116.481499", "locationy": "39.990475", "normalNumber": "8899"
            })
        );
    }

    #[test]
    fn photos_travel_as_base64_and_come_back() {
        let jpeg = crate::photo::jpeg(30, 4);
        let sent = message(&Pass::stranger().with_photo(jpeg.clone()));
        let back = base64_simd::STANDARD
            .decode_to_vec(sent["recognitionPhoto"].as_str().unwrap())
            .unwrap();
        assert_eq!(back, jpeg);
        assert!(sent.get("comparePhoto").is_none(), "absent for a stranger");
        assert_eq!(sent["idNumber"], "");
    }

    #[test]
    fn wall_time_follows_zone_and_skew() {
        let mut profile = TerminalProfile::new("ws://localhost/", "1");
        let instant = DateTime::from_timestamp_millis(1_573_189_551_421).unwrap();
        let pass = Pass::stranger().at(instant);
        assert_eq!(pass.wall_time(&profile, 0), "2019-11-08 13:05:51.421");
        profile.utc_offset_minutes = -210;
        assert_eq!(pass.wall_time(&profile, 60_579), "2019-11-08 01:36:52.000");
    }

    #[test]
    fn fever_cards_documents_and_later_firmware() {
        let hot = message(&Pass::staff("1", "a").with_temperature("38.1"));
        assert_eq!(hot["temperatureResult"], "2");
        let pass = Pass {
            mask: Some(true),
            compare_point: Some("68".to_owned()),
            ..Pass::stranger()
        };
        let later = message(&pass.with("offLineRecordNum", "50"));
        assert_eq!(
            (&later["version"], &later["faceMaskResult"]),
            (&"V4.0".into(), &"1".into())
        );
        assert_eq!(
            (&later["comparePoint"], &later["offLineRecordNum"]),
            (&"68".into(), &"50".into())
        );
        assert_eq!(
            message(&Pass::staff("1", "a").with_card("0000008899"))["snapType"],
            "4"
        );
        let document = IdDocument {
            number: "11".to_owned(),
            ..IdDocument::default()
        };
        let checked = message(&Pass::staff("1", "a").with_document(document));
        assert_eq!(
            (&checked["snapType"], &checked["rfIdNumber"]),
            (&"1".into(), &"11".into())
        );
        assert_eq!(checked["authority"], "");
    }
}
