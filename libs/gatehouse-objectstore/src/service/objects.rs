//! Objects: put, get, head, delete, copy.

use super::{attributes_of, check_key, check_version, signed, timestamp};
use crate::fault::{Fault, blocking};
use crate::intake::{Claims, receive};
use crate::object_file::ObjectMeta;
use crate::outlet::{self, Content};
use crate::staged::Staged;
use crate::store::{Store, WriteCondition, remove_all};
use s3s::checksum::ChecksumHasher;
use s3s::dto::*;
use s3s::{S3Error, S3Request};
use std::ops;
use std::sync::Arc;

/// S3's limit for one request.
const MAX_DELETES: usize = 1000;

pub(super) async fn put(
    store: &Arc<Store>,
    mut request: S3Request<PutObjectInput>,
) -> Result<PutObjectOutput, Fault> {
    check_key(&request.input.key)?;
    let attributes = attributes_of!(request.input);
    let input = &mut request.input;
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
    let condition = WriteCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
    };
    let (bucket, key) = (input.bucket, input.key);
    let worker = Arc::clone(store);
    worker.require_bucket(&bucket)?; // before the body is read: a look at the kernel's cache
    let (meta, unsynced) = receive(store.tmp(), body, claims, move |mut staged, digests| {
        let meta = digests.describe(&key, attributes);
        staged.seal(&meta)?;
        let unsynced = worker.place(staged, &bucket, &key, &condition)?;
        Ok((meta, unsynced))
    })
    .await?;
    store.durable().settle(unsynced).await?;
    let checksum = checksum_of(&meta);
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(meta.etag)),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
        ..PutObjectOutput::default()
    })
}

/// The checksums to tell a client: those it gave, or else the CRC-32.
fn checksum_of(meta: &ObjectMeta) -> Checksum {
    let extra = meta.checksums.clone();
    let given = extra.crc32c.is_some()
        || extra.crc64nvme.is_some()
        || extra.sha1.is_some()
        || extra.sha256.is_some();
    Checksum {
        checksum_crc32: (!given)
            .then(|| base64_simd::STANDARD.encode_to_string(meta.body_crc32.to_be_bytes())),
        checksum_crc32c: extra.crc32c,
        checksum_crc64nvme: extra.crc64nvme,
        checksum_sha1: extra.sha1,
        checksum_sha256: extra.sha256,
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
    }
}

/// The conditions of a read (RFC 9110, section 13.2.2).
struct ReadCondition {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    fn check(&self, meta: &ObjectMeta) -> Result<(), Fault> {
        let current = ETag::Strong(meta.etag.clone());
        let matches = |condition: &ETagCondition| {
            condition
                .as_etag()
                .is_none_or(|etag| etag.weak_cmp(&current))
        };
        // HTTP dates have whole seconds.
        let modified_at = timestamp(meta.modified_at_ms / 1000 * 1000);
        let later_than = |at: &Timestamp| modified_at > *at;
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition) => return Err(Fault::PreconditionFailed),
            (None, Some(at)) if later_than(at) => return Err(Fault::PreconditionFailed),
            (Some(_), _) | (None, _) => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition) => Err(Fault::NotModified),
            (None, Some(at)) if !later_than(at) => Err(Fault::NotModified),
            (Some(_), _) | (None, _) => Ok(()),
        }
    }
}

pub(super) async fn get(
    store: &Arc<Store>,
    request: S3Request<GetObjectInput>,
) -> Result<GetObjectOutput, Fault> {
    let input = request.input;
    check_key(&input.key)?;
    check_version(input.version_id.as_deref())?;
    check_part_number(input.part_number)?;
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let worker = Arc::clone(store);
    let wanted = input.range;
    let (meta, body_len, range, content) = blocking(move || {
        let object = worker.open_object(&input.bucket, &input.key)?;
        condition.check(&object.meta)?;
        let body_len = object.body_len;
        let range = match wanted {
            Some(range) => range.check(body_len).map_err(|_| Fault::InvalidRange)?,
            None => 0..body_len,
        };
        let meta = object.meta.clone();
        Ok((meta, body_len, range.clone(), Content::read(object, range)?))
    })
    .await?;
    let with_checksum = wanted.is_none() && input.checksum_mode.is_some();
    let checksum = if with_checksum {
        checksum_of(&meta)
    } else {
        Checksum::default()
    };
    let attributes = meta.attributes;
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(content.into_blob()),
        content_length: Some(signed(range.end.saturating_sub(range.start))),
        content_range: wanted.map(|_| content_range(&range, body_len)),
        content_type: Some(attributes.content_type.unwrap_or_else(default_content_type)),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        expires: attributes.expires,
        metadata: Some(attributes.user.into_iter().collect()),
        e_tag: Some(ETag::Strong(meta.etag)),
        last_modified: Some(timestamp(meta.modified_at_ms)),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
        ..GetObjectOutput::default()
    })
}

pub(super) async fn head(
    store: &Arc<Store>,
    request: S3Request<HeadObjectInput>,
) -> Result<HeadObjectOutput, Fault> {
    let input = request.input;
    check_key(&input.key)?;
    check_version(input.version_id.as_deref())?;
    check_part_number(input.part_number)?;
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let worker = Arc::clone(store);
    let (meta, body_len) = blocking(move || {
        let object = worker.open_object(&input.bucket, &input.key)?;
        condition.check(&object.meta)?;
        Ok((object.meta, object.body_len))
    })
    .await?;
    let checksum = if input.checksum_mode.is_some() {
        checksum_of(&meta)
    } else {
        Checksum::default()
    };
    let attributes = meta.attributes;
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(signed(body_len)),
        content_type: Some(attributes.content_type.unwrap_or_else(default_content_type)),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        expires: attributes.expires,
        metadata: Some(attributes.user.into_iter().collect()),
        e_tag: Some(ETag::Strong(meta.etag)),
        last_modified: Some(timestamp(meta.modified_at_ms)),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
        ..HeadObjectOutput::default()
    })
}

/// What S3 answers for an object that was put without a type.
fn default_content_type() -> String {
    "binary/octet-stream".to_owned()
}

fn content_range(range: &ops::Range<u64>, body_len: u64) -> String {
    format!(
        "bytes {}-{}/{body_len}",
        range.start,
        range.end.saturating_sub(1)
    )
}

/// Parts are not kept apart once an upload is complete: there is one, the whole object.
fn check_part_number(number: Option<i32>) -> Result<(), Fault> {
    match number {
        None | Some(1) => Ok(()),
        Some(_) => Err(Fault::NotImplemented(
            "Reading by part number is not implemented; use a range.",
        )),
    }
}

pub(super) async fn delete(
    store: &Arc<Store>,
    request: S3Request<DeleteObjectInput>,
) -> Result<DeleteObjectOutput, Fault> {
    let input = request.input;
    check_key(&input.key)?;
    check_version(input.version_id.as_deref())?;
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(Fault::NotImplemented(
            "Deleting by size or time is not implemented; use If-Match.",
        ));
    }
    let keys = vec![(input.key, input.if_match)];
    for outcome in remove_all(store, &input.bucket, keys).await? {
        outcome?;
    }
    Ok(DeleteObjectOutput::default())
}

pub(super) async fn delete_many(
    store: &Arc<Store>,
    request: S3Request<DeleteObjectsInput>,
) -> Result<DeleteObjectsOutput, Fault> {
    let input = request.input;
    let quiet = input.delete.quiet.unwrap_or_default();
    let objects = input.delete.objects;
    if objects.len() > MAX_DELETES {
        return Err(Fault::InvalidArgument(
            "At most 1000 keys can be deleted at once.",
        ));
    }
    for object in &objects {
        check_key(&object.key)?;
        check_version(object.version_id.as_deref())?;
        if object.last_modified_time.is_some() || object.size.is_some() {
            return Err(Fault::NotImplemented(
                "Deleting by size or time is not implemented; use the entity tag.",
            ));
        }
    }
    store.require_bucket(&input.bucket)?;
    let names: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
    let keys = objects
        .into_iter()
        .map(|object| (object.key, object.e_tag.map(ETagCondition::ETag)))
        .collect();
    let outcomes = remove_all(store, &input.bucket, keys).await?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (key, outcome) in names.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject {
                key: Some(key),
                ..DeletedObject::default()
            }),
            Err(fault) => {
                let error = S3Error::from(fault);
                errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    key: Some(key),
                    version_id: None,
                });
            }
        }
    }
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors),
        ..DeleteObjectsOutput::default()
    })
}

pub(super) async fn copy(
    store: &Arc<Store>,
    mut request: S3Request<CopyObjectInput>,
) -> Result<CopyObjectOutput, Fault> {
    check_key(&request.input.key)?;
    let given = attributes_of!(request.input);
    let input = request.input;
    let CopySource::Bucket {
        bucket: from_bucket,
        key: from_key,
        version_id,
    } = input.copy_source
    else {
        return Err(Fault::NotImplemented("Access points are not implemented."));
    };
    check_version(version_id.as_deref())?;
    let replace = input
        .metadata_directive
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let condition = ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let (bucket, key) = (input.bucket, input.key);
    if *from_bucket == *bucket && *from_key == *key && !replace {
        return Err(Fault::InvalidArgument(
            "A copy onto itself must replace the metadata.",
        ));
    }
    let worker = Arc::clone(store);
    let (meta, unsynced) = blocking(move || {
        worker.require_bucket(&bucket)?;
        let source = worker.open_object(&from_bucket, &from_key)?;
        condition.check(&source.meta).map_err(|fault| {
            // A copy is no cache's read, which alone can be told that nothing has changed.
            let unchanged = matches!(fault, Fault::NotModified);
            if unchanged {
                Fault::PreconditionFailed
            } else {
                fault
            }
        })?;
        let attributes = if replace {
            given
        } else {
            source.meta.attributes.clone()
        };
        let mut staged = Staged::create(worker.tmp(), ChecksumHasher::default())?;
        let body = 0..source.body_len;
        outlet::pour(source, body, |chunk| staged.append(chunk))?;
        let meta = staged.digests().describe(&key, attributes);
        staged.seal(&meta)?;
        let unsynced = worker.place(staged, &bucket, &key, &WriteCondition::default())?;
        Ok((meta, unsynced))
    })
    .await?;
    store.durable().settle(unsynced).await?;
    Ok(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            last_modified: Some(timestamp(meta.modified_at_ms)),
            e_tag: Some(ETag::Strong(meta.etag)),
            ..CopyObjectResult::default()
        }),
        ..CopyObjectOutput::default()
    })
}
