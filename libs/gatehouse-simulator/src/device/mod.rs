//! A simulated push device (document 002, chapter 9): it calls the platform over plain HTTP, holds
//! whom its feed lists, and asks at each face whether its door opens.
//!
//! It is as simple as such devices are: HTTP without TLS, one request per connection, answers with
//! Content-Length only, pictures from addresses of at most 128 characters. Where the document is
//! silent or contradicts itself, the choice is said at the item.

mod error;
mod http;
mod plan;
mod words;

pub use error::DeviceError;
pub use plan::{DevicePlan, DeviceSummary, run_devices};
pub use words::{Change, Door, Sighting};

use http::{Answer, Base};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest address of a picture (9.1: String, 128).
const IMAGE_URL_MAX_CHARS: usize = 128;
/// Largest picture that is taken (9.2: 700 K in Base64; the same is assumed for the feed).
const IMAGE_MAX_BYTES: usize = 700 * 1024;

/// How a device behaves.
#[derive(Debug, Clone)]
pub struct DeviceProfile {
    /// BaseUrl: `http://host:port/push/<token>`, with or without more behind it.
    pub url: String,
    /// The serial number, the last part of each address.
    pub sn: String,
    /// Users whose saving fails, with the status and the words of `syresult`.
    pub failures: BTreeMap<String, (String, String)>,
    /// Whether `syresult` is sent at all.
    pub answers: bool,
    /// Most users it holds; more are refused with 302.
    pub capacity: usize,
    /// Whether `syface` is wrapped in `Info`, as some firmware does (9.2 shows it flat).
    pub wraps: bool,
    /// Whether times are sent in milliseconds (the samples show seconds).
    pub milliseconds: bool,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl DeviceProfile {
    /// A well-behaved device.
    pub fn new(url: &str, sn: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            sn: sn.to_owned(),
            failures: BTreeMap::new(),
            answers: true,
            capacity: usize::MAX,
            wraps: false,
            milliseconds: false,
            timeout: Duration::from_secs(10),
        }
    }
}

/// A user whom the device holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUser {
    /// `userName`.
    pub name: String,
    /// `userType`.
    pub user_type: String,
    /// `sex`: 1, 2 or 3.
    pub sex: i64,
    /// `userRemark`.
    pub remark: String,
    /// The picture.
    pub image: Vec<u8>,
}

/// What came of asking for the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    /// What the feed listed, in its order.
    pub changes: Vec<Change>,
    /// What `syresult` said of each: user and status.
    pub results: Vec<(String, String)>,
}

/// A simulated push device. It does nothing by itself.
#[derive(Debug)]
pub struct PushDevice {
    profile: DeviceProfile,
    base: Base,
    last_query_time: i64,
    held: BTreeMap<String, HeldUser>,
}

impl PushDevice {
    /// A device that holds nobody.
    ///
    /// # Errors
    /// [`DeviceError::Url`] where the URL is no plain http.
    pub fn new(profile: DeviceProfile) -> Result<Self, DeviceError> {
        let base = Base::read(&profile.url)?;
        Ok(Self {
            profile,
            base,
            last_query_time: 0,
            held: BTreeMap::new(),
        })
    }

    /// How it behaves from now on.
    pub fn profile_mut(&mut self) -> &mut DeviceProfile {
        &mut self.profile
    }

    /// Whom it holds, by `userId`.
    pub fn held(&self) -> &BTreeMap<String, HeldUser> {
        &self.held
    }

    /// Loses everything, as after a factory reset: the next feed is asked for from the beginning.
    pub fn reset(&mut self) {
        self.held.clear();
        self.last_query_time = 0;
    }

    /// `syheartbeat`; the whole answer.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn heartbeat(&self) -> Result<Value, DeviceError> {
        let body = words::heartbeat(&self.profile.sn);
        let answer = self.post("syheartbeat", &body).await?;
        words::accepted(answer)
    }

    /// `syrecord` alone: what is listed, without doing it. The cursor moves.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn feed(&mut self) -> Result<Vec<Change>, DeviceError> {
        let shown = if self.profile.milliseconds {
            self.last_query_time.saturating_mul(1_000)
        } else {
            self.last_query_time
        };
        let path = format!("/syrecord/{}?lastQueryTime={shown}", self.profile.sn);
        let answer = self.base.get(&path, self.profile.timeout).await?;
        let (changes, last_query_time) = words::feed(answer)?;
        if last_query_time < self.last_query_time {
            return Err(DeviceError::Protocol(format!(
                "lastQueryTime went back from {} to {last_query_time}",
                self.last_query_time
            )));
        }
        self.last_query_time = last_query_time;
        Ok(changes)
    }

    /// `syrecord`, then each change done and answered by `syresult`, one after another.
    ///
    /// # Errors
    /// [`DeviceError`] where the platform cannot be reached or breaks the protocol; a picture that
    /// cannot be had is a result, not an error.
    pub async fn poll(&mut self) -> Result<Polled, DeviceError> {
        let changes = self.feed().await?;
        let mut polled = Polled::default();
        for change in &changes {
            let (status, message) = self.carry_out(change).await;
            if self.profile.answers {
                let body = words::result(change, &status, &message);
                words::accepted(self.post("syresult", &body).await?)?;
            }
            polled.results.push((change.user_id.clone(), status));
        }
        polled.changes = changes;
        Ok(polled)
    }

    /// `syface`: somebody was recognised.
    ///
    /// # Errors
    /// [`DeviceError`]; also where the pass was not taken, because such a device sends it again.
    pub async fn face(&self, sighting: &Sighting) -> Result<Door, DeviceError> {
        let mut body = words::face(&self.profile, sighting);
        if self.profile.wraps {
            body = words::wrapped(body);
        }
        words::door(self.post("syface", &body.to_string()).await?)
    }

    /// `syattribute`: somebody was measured and not recognised.
    ///
    /// # Errors
    /// As [`PushDevice::face`].
    pub async fn attribute(&self, sighting: &Sighting) -> Result<Door, DeviceError> {
        let body = words::wrapped(words::attribute(&self.profile, sighting));
        words::door(self.post("syattribute", &body.to_string()).await?)
    }

    /// Any body to any verb; the status and the answer as they are.
    ///
    /// # Errors
    /// [`DeviceError`] where nobody answers.
    pub async fn send(&self, verb: &str, body: &[u8]) -> Result<(u16, String), DeviceError> {
        let path = format!("/{verb}/{}", self.profile.sn);
        let answer = self.base.post(&path, body, self.profile.timeout).await?;
        Ok((
            answer.status,
            String::from_utf8_lossy(&answer.body).into_owned(),
        ))
    }

    async fn post(&self, verb: &str, body: &str) -> Result<Answer, DeviceError> {
        let path = format!("/{verb}/{}", self.profile.sn);
        self.base
            .post(&path, body.as_bytes(), self.profile.timeout)
            .await
    }

    /// Does one change; the status and the words of its result.
    async fn carry_out(&mut self, change: &Change) -> (String, String) {
        if change.is_deletion {
            self.held.remove(&change.user_id);
            return ok();
        }
        if let Some(failure) = self.profile.failures.get(&change.user_id) {
            return failure.clone();
        }
        let is_full = self.held.len() >= self.profile.capacity;
        if is_full && !self.held.contains_key(&change.user_id) {
            return ("302".to_owned(), "人脸库已满".to_owned());
        }
        match self.picture(&change.image_url).await {
            Ok(image) => {
                let user = HeldUser {
                    name: change.user_name.clone(),
                    user_type: change.user_type.clone(),
                    sex: change.sex,
                    remark: change.user_remark.clone(),
                    image,
                };
                self.held.insert(change.user_id.clone(), user);
                ok()
            }
            Err(error) => ("303".to_owned(), error.to_string()),
        }
    }

    /// Only http, only JPEG (9.1, the note).
    async fn picture(&self, url: &str) -> Result<Vec<u8>, DeviceError> {
        if url.chars().count() > IMAGE_URL_MAX_CHARS {
            return Err(DeviceError::Protocol(format!(
                "an address of {} characters, more than {IMAGE_URL_MAX_CHARS}",
                url.chars().count()
            )));
        }
        if !url.ends_with(".jpg") {
            return Err(DeviceError::Protocol(format!("{url} is no .jpg")));
        }
        let answer = http::fetch(url, self.profile.timeout).await?;
        if answer.status != 200 {
            return Err(DeviceError::Status {
                status: answer.status,
                body: String::new(),
            });
        }
        if !answer.body.starts_with(&[0xff, 0xd8, 0xff]) || answer.body.len() > IMAGE_MAX_BYTES {
            return Err(DeviceError::Protocol(
                "no JPEG of a fitting size".to_owned(),
            ));
        }
        Ok(answer.body)
    }
}

fn ok() -> (String, String) {
    ("100".to_owned(), "操作成功".to_owned())
}
