//! Buckets.

use super::timestamp;
use crate::fault::{Fault, blocking};
use crate::store::Store;
use s3s::S3Request;
use s3s::dto::*;
use std::sync::Arc;

pub(super) async fn create(
    store: &Arc<Store>,
    request: S3Request<CreateBucketInput>,
) -> Result<CreateBucketOutput, Fault> {
    let store = Arc::clone(store);
    let bucket = request.input.bucket;
    let location = format!("/{bucket}");
    blocking(move || store.create_bucket(&bucket)).await?;
    Ok(CreateBucketOutput {
        location: Some(location),
    })
}

pub(super) async fn delete(
    store: &Arc<Store>,
    request: S3Request<DeleteBucketInput>,
) -> Result<DeleteBucketOutput, Fault> {
    let store = Arc::clone(store);
    blocking(move || store.delete_bucket(&request.input.bucket)).await?;
    Ok(DeleteBucketOutput {})
}

pub(super) async fn head(
    store: &Arc<Store>,
    request: S3Request<HeadBucketInput>,
) -> Result<HeadBucketOutput, Fault> {
    let store = Arc::clone(store);
    blocking(move || store.require_bucket(&request.input.bucket)).await?;
    Ok(HeadBucketOutput::default())
}

pub(super) async fn list(
    store: &Arc<Store>,
    request: S3Request<ListBucketsInput>,
) -> Result<ListBucketsOutput, Fault> {
    let store = Arc::clone(store);
    let found = blocking(move || store.list_buckets()).await?;
    let prefix = request.input.prefix;
    let buckets = found
        .into_iter()
        .filter(|(name, _)| name.starts_with(prefix.as_deref().unwrap_or_default()))
        .map(|(name, created_at_ms)| Bucket {
            creation_date: Some(timestamp(created_at_ms)),
            name: Some(name),
            ..Bucket::default()
        })
        .collect();
    Ok(ListBucketsOutput {
        buckets: Some(buckets),
        prefix,
        ..ListBucketsOutput::default()
    })
}

/// There is one location; S3 writes the default one as an empty element.
pub(super) async fn location(
    store: &Arc<Store>,
    request: S3Request<GetBucketLocationInput>,
) -> Result<GetBucketLocationOutput, Fault> {
    let store = Arc::clone(store);
    blocking(move || store.require_bucket(&request.input.bucket)).await?;
    Ok(GetBucketLocationOutput::default())
}
