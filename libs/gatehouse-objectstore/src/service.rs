//! The S3 operations, each handed to the module that does it.
//!
//! What is not here is answered by s3s with `NotImplemented`.

mod buckets;
mod lists;
mod multipart;
mod objects;

use crate::fault::Fault;
use crate::key::MAX_KEY_LEN;
use crate::object_file::Attributes;
use crate::store::Store;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Answers S3 requests from a store.
#[derive(Debug)]
pub(crate) struct Gateway {
    store: Arc<Store>,
}

impl Gateway {
    pub(crate) const fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

/// One trait method per operation: `name(Input) -> Output by function`.
macro_rules! operations {
    ($($name:ident($input:ty) -> $output:ty = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Gateway {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                Ok(S3Response::new($function(&self.store, request).await?))
            })*
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;

    put_object(PutObjectInput) -> PutObjectOutput = objects::put;
    get_object(GetObjectInput) -> GetObjectOutput = objects::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = objects::head;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = objects::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = objects::delete_many;
    copy_object(CopyObjectInput) -> CopyObjectOutput = objects::copy;

    list_objects(ListObjectsInput) -> ListObjectsOutput = lists::objects_v1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = lists::objects_v2;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    upload_part(UploadPartInput) -> UploadPartOutput = multipart::upload_part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = multipart::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    list_parts(ListPartsInput) -> ListPartsOutput = multipart::list_parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = multipart::list_uploads;
}

/// The attributes of any input that carries them, after refusing what we would not honour.
macro_rules! attributes_of {
    ($input:expr) => {{
        let input = &mut $input;
        if input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some() {
            return Err($crate::fault::Fault::NotImplemented(
                "Encryption at rest is not implemented.",
            ));
        }
        if input.tagging.is_some() {
            return Err($crate::fault::Fault::NotImplemented(
                "Tags are not implemented.",
            ));
        }
        if input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some() {
            return Err($crate::fault::Fault::NotImplemented(
                "Object locks are not implemented.",
            ));
        }
        $crate::service::check_attributes($crate::object_file::Attributes {
            content_type: input.content_type.take(),
            cache_control: input.cache_control.take(),
            content_disposition: input.content_disposition.take(),
            content_encoding: input.content_encoding.take(),
            content_language: input.content_language.take(),
            expires: input.expires.take(),
            user: input
                .metadata
                .take()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        })?
    }};
}
use attributes_of;

/// S3's limit for names and values of user metadata together.
const MAX_USER_METADATA_LEN: usize = 2048;

fn check_attributes(mut attributes: Attributes) -> Result<Attributes, Fault> {
    let user_len: usize = attributes
        .user
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if user_len > MAX_USER_METADATA_LEN {
        return Err(Fault::MetadataTooLarge);
    }
    // Left there by clients that send the body in signed chunks; it is not the object's encoding.
    if let Some(encodings) = attributes.content_encoding.take() {
        let kept: Vec<&str> = encodings
            .split(',')
            .map(str::trim)
            .filter(|name| *name != "aws-chunked")
            .collect();
        attributes.content_encoding = Some(kept.join(",")).filter(|kept| !kept.is_empty());
    }
    Ok(attributes)
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.len() > MAX_KEY_LEN {
        return Err(Fault::KeyTooLong);
    }
    if key.is_empty() {
        Err(Fault::InvalidArgument("The key is empty."))
    } else {
        Ok(())
    }
}

/// There are no versions; `null` is how S3 names the only one.
fn check_version(version_id: Option<&str>) -> Result<(), Fault> {
    if version_id.is_none_or(|version| version == "null") {
        Ok(())
    } else {
        Err(Fault::NotImplemented("Versions are not implemented."))
    }
}

fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(ms))
}

fn signed(len: u64) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
