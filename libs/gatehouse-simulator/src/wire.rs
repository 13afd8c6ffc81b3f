//! JSON as terminals write it, with their quirks, and the little reading they need.
//!
//! Written by hand rather than through a JSON value: a record's photo is encoded straight into the
//! message, and half of the quirks are not expressible as a value.

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::profile::{SignStyle, TerminalProfile};

/// `sign` of `register`: MD5 over deviceNo + registerTime + rand + deviceNo, upper-case
/// hexadecimal (004 section 2.1.1).
pub fn sign(device_no: &str, register_time: &str, rand: &str) -> String {
    let digest = Md5::new()
        .chain_update(device_no)
        .chain_update(register_time)
        .chain_update(rand)
        .chain_update(device_no)
        .finalize();
    hex::encode_upper(digest)
}

/// The signature in the profile's style; `None` when there is to be none.
pub(crate) fn styled_sign(
    style: SignStyle,
    device_no: &str,
    register_time: &str,
    rand: &str,
) -> Option<String> {
    match style {
        SignStyle::Correct => Some(sign(device_no, register_time, rand)),
        SignStyle::LowerCase => Some(sign(device_no, register_time, rand).to_lowercase()),
        SignStyle::Wrong => Some(sign(device_no, register_time, "another rand")),
        SignStyle::Missing => None,
    }
}

/// Writes one message.
pub(crate) struct Writer<'a> {
    profile: &'a TerminalProfile,
    text: String,
    comma: bool,
}

impl<'a> Writer<'a> {
    /// A message of about `capacity` bytes.
    pub(crate) fn new(profile: &'a TerminalProfile, capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity + 16);
        if profile.bom {
            text.push('\u{feff}');
        }
        text.push('{');
        Self {
            profile,
            text,
            comma: false,
        }
    }

    fn key(&mut self, key: &str) {
        let quirks = self.profile.quirks;
        let unseparated = quirks.no_comma_before_data && key == "data";
        if self.comma && !unseparated {
            self.text.push(',');
        }
        self.comma = true;
        let key = match key {
            "registerPhotoID2" if quirks.capital_photo_keys => "RegisterPhotoID2",
            "registerPhoto3" if quirks.capital_photo_keys => "RegisterPhoto3",
            "msgType" if quirks.keys_with_trailing_space => "msgType ",
            "errorCode" if quirks.keys_with_trailing_space => "errorCode ",
            other => other,
        };
        push_string(&mut self.text, key);
        self.text.push(':');
    }

    pub(crate) fn field(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        push_string(&mut self.text, value);
        self
    }

    pub(crate) fn optional(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.field(key, value);
        }
        self
    }

    pub(crate) fn base64(&mut self, key: &str, bytes: &[u8]) -> &mut Self {
        self.key(key);
        self.text.push('"');
        base64_simd::STANDARD.encode_append(bytes, &mut self.text);
        self.text.push('"');
        self
    }

    pub(crate) fn value(&mut self, key: &str, value: &Value) -> &mut Self {
        self.key(key);
        self.text.push_str(&value.to_string());
        self
    }

    /// Whether the profile's records end in a `data` key.
    pub(crate) fn wants_data(&self) -> bool {
        self.profile.quirks.no_comma_before_data
    }

    pub(crate) fn finish(mut self) -> String {
        if self.profile.quirks.trailing_comma {
            self.text.push(',');
        }
        self.text.push('}');
        if self.profile.nul_padding {
            self.text.push_str("\0\0\0");
        }
        self.text
    }
}

fn push_string(text: &mut String, value: &str) {
    text.push('"');
    if value
        .bytes()
        .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        for character in value.chars() {
            match character {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                control if control < ' ' => {
                    text.push_str(&format!("\\u{:04x}", u32::from(control)));
                }
                plain => text.push(plain),
            }
        }
    } else {
        text.push_str(value);
    }
    text.push('"');
}

/// A JSON object of the cloud. Strict, as a small parser in a device is.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A field that the document types as string.
pub(crate) fn string<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// A scalar as text: the samples mix strings and numbers ("priority": 0).
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The document's text for an error code (section 3).
pub(crate) fn code_text(error_code: &str) -> &'static str {
    match error_code {
        "100" => "操作成功",
        "200" => "操作错误",
        "201" => "注册错误",
        "202" => "token 校验错误",
        "203" => "消息类型未知",
        "300" => "人员信息参数非法",
        "301" => "人脸特征提取失败,请更换图片",
        "302" => "人脸注册数目已满",
        "303" => "图片解码失败, 请更换图片",
        "304" => "人脸注册超时",
        "400" => "设备参数非法",
        "401" => "获取设备信息超时",
        "402" => "设置设备信息超时",
        "500" => "下载中",
        "501" => "升级中",
        "502" => "固件下载失败",
        "503" => "固件长度校验失败",
        "504" => "固件哈希值校验失败",
        "505" => "固件版本校验失败",
        "506" => "固件本地升级失败",
        "507" => "固件已经在升级中",
        "600" => "设备拍照超时,请重新拍照",
        "601" => "设备未检测到人脸,请重新拍照",
        _ => "未知错误",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_sign_of_the_documents_numbers() {
        // The document prints 31 digits that nothing reproduces; this is the formula's value.
        let rand = "e10adc3949ba59abbe56e057f20f883e";
        assert_eq!(
            sign("168380000106", "1508845817", rand),
            "A98A54EDE798F874343BC422F9AD88D2"
        );
        let styled = |style| styled_sign(style, "168380000106", "1508845817", rand);
        assert_eq!(
            styled(SignStyle::LowerCase).unwrap(),
            "a98a54ede798f874343bc422f9ad88d2"
        );
        assert_ne!(styled(SignStyle::Wrong), styled(SignStyle::Correct));
        assert_eq!(styled(SignStyle::Wrong).unwrap().len(), 32);
        assert_eq!(styled(SignStyle::Missing), None);
    }

    #[test]
    fn plain_messages_are_json() {
        let profile = TerminalProfile::new("ws://localhost/", "1");
        let mut writer = Writer::new(&profile, 100);
        writer
            .field("msgType", "a\"b\\c\nd\u{1}张")
            .base64("photo", &[0xff, 0xd8, 0xff]);
        writer
            .value("n", &serde_json::json!({"a": [1]}))
            .optional("absent", None);
        let text = writer.finish();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"msgType": "a\"b\\c\nd\u{1}张", "photo": "/9j/", "n": {"a": [1]}})
        );
    }

    #[test]
    fn every_quirk_of_writing() {
        let mut profile = TerminalProfile::new("ws://localhost/", "1");
        profile.bom = true;
        profile.nul_padding = true;
        profile.quirks.keys_with_trailing_space = true;
        profile.quirks.trailing_comma = true;
        profile.quirks.no_comma_before_data = true;
        profile.quirks.capital_photo_keys = true;
        let mut writer = Writer::new(&profile, 100);
        writer
            .field("msgType", "m")
            .field("errorCode", "100")
            .field("registerPhotoID2", "1");
        writer.field("registerPhoto3", "").field("data", "");
        assert_eq!(
            writer.finish(),
            "\u{feff}{\"msgType \":\"m\",\"errorCode \":\"100\",\"RegisterPhotoID2\":\"1\",\
             \"RegisterPhoto3\":\"\"\"data\":\"\",}\0\0\0"
        );
    }
}
