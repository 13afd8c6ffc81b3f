//! The bodies and answers of chapter 9, by the tables and samples of the document.

use super::error::DeviceError;
use super::http::Answer;
use super::{DeviceProfile, Value};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A line of the feed (9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `operation` is `delete`; otherwise it is `save`.
    pub is_deletion: bool,
    /// `userId`.
    pub user_id: String,
    /// `userName`.
    pub user_name: String,
    /// `userType`.
    pub user_type: String,
    /// `sex`.
    pub sex: i64,
    /// `userRemark`.
    pub user_remark: String,
    /// The picture's address: the sample names it `userImageUrl`, the table `imageUrl`.
    pub image_url: String,
    /// `operateTime`.
    pub operate_time: i64,
}

/// Somebody before the device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sighting {
    /// `userId`; empty for strangers.
    pub user_id: String,
    /// `userName`.
    pub user_name: String,
    /// `screenTime`; now where not given.
    pub at: Option<DateTime<Utc>>,
    /// `temperature`, as text: "36.5°C".
    pub temperature: String,
    /// `mask`.
    pub mask: bool,
    /// `similarity`.
    pub similarity: u8,
    /// `actionCode`: 1 in, 2 out; 0 is left out.
    pub action_code: u8,
    /// `img`: the picture's bytes; none where empty.
    pub image: Vec<u8>,
}

impl Sighting {
    /// Somebody of the house comes in, without a mask, well.
    pub fn of(user_id: &str, user_name: &str) -> Self {
        Self {
            user_id: user_id.to_owned(),
            user_name: user_name.to_owned(),
            temperature: "36.5°C".to_owned(),
            similarity: 92,
            action_code: 1,
            ..Self::default()
        }
    }
}

/// What the platform says about the door (9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// `openDoor` is 1.
    pub opens: bool,
    /// `unlockDelay`.
    pub unlock_delay_ms: i64,
}

pub(super) fn heartbeat(sn: &str) -> String {
    // The sample has a comma after the last member; devices print it.
    format!("{{ \"Heartinfo\" :{{ \"deviceid\" : \"{sn}\" , \"ServerURL\" : \"\" , }} }}")
}

pub(super) fn result(change: &Change, status: &str, message: &str) -> String {
    // An object in the sample, with `operationType` beside it in real traffic.
    json!({"resultList": {
        "userID": change.user_id,
        "status": status,
        "msg": message,
        "operationType": if change.is_deletion { "delete" } else { "save" },
    }})
    .to_string()
}

fn time(profile: &DeviceProfile, sighting: &Sighting) -> i64 {
    let at = sighting.at.unwrap_or_else(Utc::now);
    if profile.milliseconds {
        at.timestamp_millis()
    } else {
        at.timestamp()
    }
}

fn image(sighting: &Sighting) -> String {
    // Broken into lines, as real devices do.
    let text = base64_simd::STANDARD.encode_to_string(&sighting.image);
    let mut broken = String::with_capacity(text.len() + text.len() / 76 + 1);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 76 == 0 {
            broken.push_str("\r\n");
        }
        broken.push(character);
    }
    broken
}

pub(super) fn face(profile: &DeviceProfile, sighting: &Sighting) -> Value {
    let mut body = json!({
        "userId": sighting.user_id,
        "userName": sighting.user_name,
        "userType": "user",
        "deviceId": profile.sn,
        "uuid": "SY001",
        "nationCode": "",
        "temperature": sighting.temperature,
        "mask": sighting.mask,
        "screenTime": time(profile, sighting),
        "similarity": sighting.similarity,
        "img": image(sighting),
    });
    if sighting.action_code > 0
        && let Some(members) = body.as_object_mut()
    {
        let word = if sighting.action_code == 1 {
            "进门"
        } else {
            "出门"
        };
        members.insert("actionCode".to_owned(), sighting.action_code.into());
        members.insert("action".to_owned(), word.into());
    }
    body
}

pub(super) fn attribute(profile: &DeviceProfile, sighting: &Sighting) -> Value {
    json!({
        "deviceid": profile.sn,
        "uuid": "SY001",
        "temperature": sighting.temperature,
        "mask": sighting.mask,
        "nationCode": "",
        "openCode": 100,
        "openMsg": "",
        "screenTime": time(profile, sighting),
        "img": image(sighting),
    })
}

pub(super) fn wrapped(body: Value) -> Value {
    json!({ "Info": body })
}

fn object(answer: Answer) -> Result<Value, DeviceError> {
    let text = String::from_utf8(answer.body)
        .map_err(|_| DeviceError::Protocol("an answer that is not UTF-8".to_owned()))?;
    if answer.status != 200 {
        return Err(DeviceError::Status {
            status: answer.status,
            body: text,
        });
    }
    if text.contains("\\u") {
        return Err(DeviceError::Protocol(
            "text in \\u escapes, which such devices show as they are".to_owned(),
        ));
    }
    serde_json::from_str(&text).map_err(|error| DeviceError::Protocol(format!("{error}: {text}")))
}

/// An answer whose `ret` is the text 0.
pub(super) fn accepted(answer: Answer) -> Result<Value, DeviceError> {
    let value = object(answer)?;
    let ret = value
        .get("ret")
        .and_then(Value::as_str)
        .ok_or_else(|| DeviceError::Protocol(format!("no ret of text in {value}")))?;
    let desc = value.get("desc").and_then(Value::as_str);
    match (ret, desc) {
        ("0", Some(_)) => Ok(value),
        (ret, desc) => Err(DeviceError::Refused {
            ret: ret.to_owned(),
            desc: desc.unwrap_or_default().to_owned(),
        }),
    }
}

pub(super) fn door(answer: Answer) -> Result<Door, DeviceError> {
    let value = accepted(answer)?;
    let number = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_i64)
            .ok_or_else(|| DeviceError::Protocol(format!("no number {name} in {value}")))
    };
    let (open, unlock_delay_ms) = (number("openDoor")?, number("unlockDelay")?);
    if !matches!(open, 0 | 1) || !(20..=5_000).contains(&unlock_delay_ms) {
        return Err(DeviceError::Protocol(format!("out of range: {value}")));
    }
    Ok(Door {
        opens: open == 1,
        unlock_delay_ms,
    })
}

/// The lines, and `lastQueryTime`, which may not lie before any of them.
pub(super) fn feed(answer: Answer) -> Result<(Vec<Change>, i64), DeviceError> {
    let value = object(answer)?;
    let broken = |what: &str| DeviceError::Protocol(format!("{what}: {value}"));
    let response = value
        .get("serviceResponse")
        .ok_or_else(|| broken("no serviceResponse"))?;
    let last_query_time = response
        .get("lastQueryTime")
        .and_then(Value::as_i64)
        .ok_or_else(|| broken("no lastQueryTime"))?;
    let lines = response
        .get("list")
        .and_then(Value::as_array)
        .ok_or_else(|| broken("no list"))?;
    let changes: Option<Vec<Change>> = lines.iter().map(change).collect();
    let changes = changes.ok_or_else(|| broken("a line without what it needs"))?;
    if changes.iter().any(|c| c.operate_time > last_query_time) {
        return Err(broken("a line later than lastQueryTime"));
    }
    Ok((changes, last_query_time))
}

fn change(line: &Value) -> Option<Change> {
    let text = |name: &str| line.get(name).and_then(Value::as_str);
    let is_deletion = match text("operation")? {
        "save" => false,
        "delete" => true,
        _ => return None,
    };
    let user_id = text("userId")?;
    let image_url = text("userImageUrl")?;
    if user_id.is_empty() || user_id.len() > 32 || text("imageUrl")? != image_url {
        return None;
    }
    Some(Change {
        is_deletion,
        user_id: user_id.to_owned(),
        user_name: text("userName")?.to_owned(),
        user_type: text("userType")?.to_owned(),
        sex: line.get("sex")?.as_i64()?,
        user_remark: text("userRemark")?.to_owned(),
        image_url: image_url.to_owned(),
        operate_time: line.get("operateTime")?.as_i64()?,
    })
}
