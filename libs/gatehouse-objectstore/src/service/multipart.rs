//! Multipart uploads.

use super::{attributes_of, check_key, signed, timestamp};
use crate::fault::{Fault, blocking};
use crate::intake::{Claims, receive};
use crate::store::{Store, WriteCondition};
use crate::uploads::{self, MAX_PART_NUMBER};
use s3s::S3Request;
use s3s::dto::*;
use std::sync::Arc;

/// S3's limit for one page of parts or uploads.
const MAX_LISTED: i32 = 1000;

pub(super) async fn create(
    store: &Arc<Store>,
    mut request: S3Request<CreateMultipartUploadInput>,
) -> Result<CreateMultipartUploadOutput, Fault> {
    check_key(&request.input.key)?;
    let attributes = attributes_of!(request.input);
    let input = request.input;
    let worker = Arc::clone(store);
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let id = blocking(move || uploads::create(&worker, &bucket, &key, attributes)).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn upload_part(
    store: &Arc<Store>,
    mut request: S3Request<UploadPartInput>,
) -> Result<UploadPartOutput, Fault> {
    let number = request.input.part_number;
    if !(1..=MAX_PART_NUMBER).contains(&number) {
        return Err(Fault::InvalidArgument("Part numbers go from 1 to 10000."));
    }
    let input = &mut request.input;
    if input.sse_customer_algorithm.is_some() {
        return Err(Fault::NotImplemented(
            "Encryption at rest is not implemented.",
        ));
    }
    let checksum = Checksum {
        checksum_crc32: input.checksum_crc32.take(),
        checksum_crc32c: input.checksum_crc32c.take(),
        checksum_crc64nvme: input.checksum_crc64nvme.take(),
        checksum_sha1: input.checksum_sha1.take(),
        checksum_sha256: input.checksum_sha256.take(),
        checksum_type: None,
    };
    let md5 = input.content_md5.take();
    let body = input.body.take();
    let claims = Claims::of(&request, md5, checksum);
    let input = request.input;
    let worker = Arc::clone(store);
    let upload = (
        input.bucket.clone(),
        input.key.clone(),
        input.upload_id.clone(),
    );
    let finder = Arc::clone(store);
    blocking(move || uploads::find(&finder, &upload.0, &upload.1, &upload.2)).await?;
    let (folder, meta) = receive(store.tmp(), body, claims, move |staged, digests| {
        let upload = (&*input.bucket, &*input.key, &*input.upload_id);
        uploads::place_part(&worker, upload, number, (staged, digests))
    })
    .await?;
    store.durable().sync(&folder).await?;
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(meta.etag)),
        checksum_crc32: Some(base64_simd::STANDARD.encode_to_string(meta.body_crc32.to_be_bytes())),
        checksum_crc32c: meta.checksums.crc32c,
        checksum_crc64nvme: meta.checksums.crc64nvme,
        checksum_sha1: meta.checksums.sha1,
        checksum_sha256: meta.checksums.sha256,
        ..UploadPartOutput::default()
    })
}

pub(super) async fn complete(
    store: &Arc<Store>,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Result<CompleteMultipartUploadOutput, Fault> {
    let input = request.input;
    let (bucket, key, id) = (input.bucket, input.key, input.upload_id);
    let named = input
        .multipart_upload
        .and_then(|upload| upload.parts)
        .unwrap_or_default();
    // A checksum of the parts' checksums says nothing that those have not said already.
    let whole = input
        .checksum_type
        .is_some_and(|kind| kind.as_str() == ChecksumType::FULL_OBJECT);
    let checksum = Checksum {
        checksum_crc32: input.checksum_crc32.filter(|_| whole),
        checksum_crc32c: input.checksum_crc32c.filter(|_| whole),
        checksum_crc64nvme: input.checksum_crc64nvme.filter(|_| whole),
        checksum_sha1: None,
        checksum_sha256: None,
        checksum_type: None,
    };
    let body_len = input
        .mpu_object_size
        .and_then(|len| u64::try_from(len).ok());
    let claims = Claims::about_assembled(checksum, body_len);
    let condition = WriteCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
    };

    let worker = Arc::clone(store);
    let upload = (bucket.clone(), key.clone(), id.clone());
    let (meta, unsynced) = blocking(move || {
        let (bucket, key, id) = &upload;
        uploads::assemble(&worker, (bucket, key, id), &named, &claims, &condition)
    })
    .await?;
    store.durable().settle(unsynced).await?;
    // The object is there. Failing now would make the client do it all again for nothing.
    let worker = Arc::clone(store);
    let place = bucket.clone();
    let discarded = blocking(move || {
        let folder = worker.uploads(&place).join(&id);
        uploads::discard(&worker, &place, &id, &folder)
    });
    if let Err(fault) = discarded.await {
        tracing::warn!(%fault, "object store: a completed upload's parts could not be removed");
    }
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{bucket}/{key}")),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(ETag::Strong(meta.etag)),
        ..CompleteMultipartUploadOutput::default()
    })
}

pub(super) async fn abort(
    store: &Arc<Store>,
    request: S3Request<AbortMultipartUploadInput>,
) -> Result<AbortMultipartUploadOutput, Fault> {
    let input = request.input;
    let worker = Arc::clone(store);
    blocking(move || {
        let (folder, _) = uploads::find(&worker, &input.bucket, &input.key, &input.upload_id)?;
        uploads::discard(&worker, &input.bucket, &input.upload_id, &folder)
    })
    .await?;
    Ok(AbortMultipartUploadOutput::default())
}

fn page_len(wanted: Option<i32>) -> Result<usize, Fault> {
    let wanted = wanted.unwrap_or(MAX_LISTED).min(MAX_LISTED);
    usize::try_from(wanted)
        .map_err(|_| Fault::InvalidArgument("The page's length may not be negative."))
}

pub(super) async fn list_parts(
    store: &Arc<Store>,
    request: S3Request<ListPartsInput>,
) -> Result<ListPartsOutput, Fault> {
    let input = request.input;
    let room = page_len(input.max_parts)?;
    let after = input.part_number_marker.unwrap_or_default();
    let worker = Arc::clone(store);
    let upload = (
        input.bucket.clone(),
        input.key.clone(),
        input.upload_id.clone(),
    );
    let mut found = blocking(move || {
        let (bucket, key, id) = &upload;
        let (folder, _) = uploads::find(&worker, bucket, key, id)?;
        uploads::parts(&folder, key, after)
    })
    .await?;
    let truncated = found.len() > room;
    found.truncate(room);
    let last = found.last().map_or(after, |part| part.number);
    let parts = found.into_iter().map(|part| Part {
        part_number: Some(part.number),
        size: Some(signed(part.object.body_len)),
        last_modified: Some(timestamp(part.object.meta.modified_at_ms)),
        e_tag: Some(ETag::Strong(part.object.meta.etag)),
        ..Part::default()
    });
    Ok(ListPartsOutput {
        parts: Some(parts.collect()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: truncated.then_some(last),
        max_parts: i32::try_from(room).ok(),
        is_truncated: Some(truncated),
        ..ListPartsOutput::default()
    })
}

pub(super) async fn list_uploads(
    store: &Arc<Store>,
    request: S3Request<ListMultipartUploadsInput>,
) -> Result<ListMultipartUploadsOutput, Fault> {
    let input = request.input;
    if input.delimiter.is_some() || input.encoding_type.is_some() {
        return Err(Fault::NotImplemented(
            "Listing uploads with a delimiter or an encoding is not implemented.",
        ));
    }
    let room = page_len(input.max_uploads)?;
    let worker = Arc::clone(store);
    let bucket = input.bucket.clone();
    let mut found = blocking(move || uploads::list(&worker, &bucket)).await?;
    let prefix = input.prefix.clone().unwrap_or_default();
    found.retain(|upload| {
        let after = match (&input.key_marker, &input.upload_id_marker) {
            (Some(key), Some(id)) => (&upload.meta.key, &upload.id) > (key, id),
            (Some(key), None) => upload.meta.key > *key,
            (None, _) => true,
        };
        after && upload.meta.key.starts_with(&prefix)
    });
    let truncated = found.len() > room;
    found.truncate(room);
    let last = found
        .last()
        .filter(|_| truncated)
        .map(|upload| (upload.meta.key.clone(), upload.id.clone()));
    let (next_key, next_id) = last.unzip();
    let uploads = found.into_iter().map(|upload| MultipartUpload {
        initiated: Some(timestamp(upload.meta.modified_at_ms)),
        key: Some(upload.meta.key),
        upload_id: Some(upload.id),
        ..MultipartUpload::default()
    });
    Ok(ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        next_key_marker: next_key,
        next_upload_id_marker: next_id,
        max_uploads: i32::try_from(room).ok(),
        is_truncated: Some(truncated),
        ..ListMultipartUploadsOutput::default()
    })
}
