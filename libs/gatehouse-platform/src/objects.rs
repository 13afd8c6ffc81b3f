//! The object store (S3): pictures and files, by keys that the server makes.
//!
//! Deliberately absent: keys made from a user's text, listings, public links (those are signed by
//! `Secrets` and served by the service that owns the object).

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(2);
const ATTEMPT: Duration = Duration::from_secs(5);
const OPERATION: Duration = Duration::from_secs(8);
/// The first attempt and two more.
const ATTEMPTS: u32 = 3;

/// Settings of the object store.
#[derive(Debug, Clone, clap::Args)]
pub struct ObjectSettings {
    /// Address of the S3 endpoint.
    #[arg(long = "s3-endpoint", env = "GATEHOUSE_S3_ENDPOINT")]
    pub endpoint: String,
    /// Region that requests are signed for.
    #[arg(
        long = "s3-region",
        env = "GATEHOUSE_S3_REGION",
        default_value = "us-east-1"
    )]
    pub region: String,
    /// Access key.
    #[arg(
        long = "s3-access-key",
        env = "GATEHOUSE_S3_ACCESS_KEY",
        hide_env_values = true
    )]
    pub access_key: String,
    /// Secret key.
    #[arg(
        long = "s3-secret-key",
        env = "GATEHOUSE_S3_SECRET_KEY",
        hide_env_values = true
    )]
    pub secret_key: String,
    /// Bucket that holds everything.
    #[arg(
        long = "s3-bucket",
        env = "GATEHOUSE_S3_BUCKET",
        default_value = "gatehouse"
    )]
    pub bucket: String,
}

/// What went wrong in the object store, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// The store cannot be reached or is overloaded; the same request may succeed later.
    #[error("the object store is not available at the moment: {0}")]
    Unavailable(String),
    /// The store refused; repeating will not help.
    #[error("the object store refused: {0}")]
    Refused(String),
}

impl ObjectError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// An object that was read.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its media type, as it was stored.
    pub content_type: String,
    /// Its bytes.
    pub body: Bytes,
}

/// The object store, one bucket of it. Cloning is cheap; connections are shared.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

impl Objects {
    /// Opens the store without connecting.
    #[must_use]
    pub fn open(settings: &ObjectSettings) -> Self {
        // The SDK's own HTTP client keeps idle connections without a bound on their number, so 64
        // puts at once find theirs again.
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .endpoint_url(&settings.endpoint)
            .credentials_provider(Credentials::new(
                &settings.access_key,
                &settings.secret_key,
                None,
                None,
                "settings",
            ))
            .force_path_style(true)
            // Other makers' stores refuse the trailing checksums that the SDK adds by default.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            )
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(ATTEMPT)
                    .build(),
            )
            .build();
        Self {
            client: Client::from_conf(config),
            bucket: settings.bucket.clone(),
        }
    }

    /// Creates the bucket where it is missing.
    ///
    /// # Errors
    /// [`ObjectError`], also where the key may not create buckets.
    pub async fn ensure_bucket(&self) -> Result<(), ObjectError> {
        match self.ping().await {
            Err(ObjectError::NotFound) => {}
            Ok(()) => return Ok(()),
            Err(error @ (ObjectError::Unavailable(_) | ObjectError::Refused(_))) => {
                return Err(error);
            }
        }
        let created = self
            .client
            .create_bucket()
            .bucket(&self.bucket)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            // Another process was quicker.
            Err(error)
                if error.as_service_error().is_some_and(|e| {
                    e.is_bucket_already_owned_by_you() || e.is_bucket_already_exists()
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(sorted(error)),
        }
    }

    /// Stores an object; one of the same key is replaced. Returns when the store says it is kept.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), ObjectError> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body));
        // The SDK's future has some ten kilobytes; in a box, only those pay for it who put.
        Box::pin(put.send()).await.map_err(sorted)?;
        Ok(())
    }

    /// Reads an object whole.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn get(&self, key: &str) -> Result<Object, ObjectError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = Box::pin(get.send()).await.map_err(sorted)?;
        let content_type = answer
            .content_type()
            .unwrap_or("application/octet-stream")
            .to_owned();
        // The operation's time-out ends with the headers.
        let body = tokio::time::timeout(OPERATION, answer.body.collect())
            .await
            .map_err(|_| ObjectError::Unavailable("the body did not arrive in time".to_owned()))?
            .map_err(|e| ObjectError::Unavailable(DisplayErrorContext(&e).to_string()))?;
        Ok(Object {
            content_type,
            body: body.into_bytes(),
        })
    }

    /// Whether there is an object.
    ///
    /// # Errors
    /// [`ObjectError`], never `NotFound`.
    pub async fn has(&self, key: &str) -> Result<bool, ObjectError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        match Box::pin(head.send()).await.map_err(sorted) {
            Ok(_) => Ok(true),
            Err(ObjectError::NotFound) => Ok(false),
            Err(error @ (ObjectError::Unavailable(_) | ObjectError::Refused(_))) => Err(error),
        }
    }

    /// Removes an object. One that does not exist is removed already.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let answer = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(sorted);
        match answer {
            Ok(_) | Err(ObjectError::NotFound) => Ok(()),
            Err(error @ (ObjectError::Unavailable(_) | ObjectError::Refused(_))) => Err(error),
        }
    }

    /// Whether the store answers and has the bucket.
    ///
    /// # Errors
    /// [`ObjectError`]; `NotFound` where the bucket is missing.
    pub async fn ping(&self) -> Result<(), ObjectError> {
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(sorted)?;
        Ok(())
    }
}

/// Sorts an error of the SDK by the answer's status, which every maker's store sets alike.
fn sorted<E>(error: SdkError<E>) -> ObjectError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|r| r.status().as_u16());
    let text = DisplayErrorContext(&error).to_string();
    by_status(status, text)
}

fn by_status(status: Option<u16>, text: String) -> ObjectError {
    match status {
        Some(404) => ObjectError::NotFound,
        Some(408 | 409 | 425 | 429 | 500..=599) | None => ObjectError::Unavailable(text),
        // Anything below 400 is an answer that could not be read: it was cut off.
        Some(0..=399) => ObjectError::Unavailable(text),
        Some(_) => ObjectError::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectError, by_status};

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for status in [None, Some(200), Some(429), Some(500), Some(503)] {
            assert!(
                by_status(status, String::new()).is_transient(),
                "{status:?}"
            );
        }
        for status in [Some(400), Some(403)] {
            assert!(
                matches!(by_status(status, String::new()), ObjectError::Refused(_)),
                "{status:?}"
            );
        }
        assert!(matches!(
            by_status(Some(404), String::new()),
            ObjectError::NotFound
        ));
    }
}
