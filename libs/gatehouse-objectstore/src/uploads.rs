//! Multipart uploads: a folder per upload, holding a file `upload` (the key and its attributes) and
//! a file per part. All are object files.
//!
//! Completing writes the parts into one new object file, moves it into place as a PUT does, and
//! then removes the upload. A crash between the two leaves the upload: it can be completed or
//! aborted again. Uploads that nobody completes stay until they are aborted.

use crate::durable::{Unsynced, sync_folder};
use crate::fault::Fault;
use crate::intake::Claims;
use crate::key;
use crate::object_file::{self, Attributes, ObjectMeta, OpenObject};
use crate::outlet;
use crate::staged::{Digests, Staged};
use crate::store::{Store, WriteCondition};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::CompletedPart;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// S3's limit.
pub(crate) const MAX_PART_NUMBER: i32 = 10_000;
/// S3's limit, for every part but the last.
const MIN_PART_LEN: u64 = 5 * 1024 * 1024;

/// One part that has been uploaded.
pub(crate) struct UploadedPart {
    pub(crate) number: i32,
    pub(crate) object: OpenObject,
}

/// One upload that has been neither completed nor aborted.
pub(crate) struct OpenUpload {
    pub(crate) id: String,
    pub(crate) meta: ObjectMeta,
}

fn part_name(number: i32) -> String {
    format!("part-{number:05}")
}

/// Begins an upload and returns its id.
pub(crate) fn create(
    store: &Store,
    bucket: &str,
    key: &str,
    attributes: Attributes,
) -> Result<String, Fault> {
    store.require_bucket(bucket)?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let mut record = Staged::create(store.tmp(), ChecksumHasher::default())?;
    let meta = record.digests().describe(key, attributes);
    record.seal(&meta)?;
    let fresh = store.tmp().join(format!("upload-{id}"));
    fs::create_dir(&fresh)?;
    record.move_to(&fresh.join("upload"))?;
    sync_folder(&fresh)?;
    let uploads = store.uploads(bucket);
    match fs::rename(&fresh, uploads.join(&id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::NoSuchBucket),
        outcome => outcome?,
    }
    sync_folder(&uploads)?;
    Ok(id)
}

/// The folder of an upload, if it is this key's, and what was said when it began.
pub(crate) fn find(
    store: &Store,
    bucket: &str,
    key: &str,
    id: &str,
) -> Result<(PathBuf, ObjectMeta), Fault> {
    if !key::is_upload_id(id) {
        return Err(Fault::NoSuchUpload);
    }
    let folder = store.uploads(bucket).join(id);
    match object_file::open_any(&folder.join("upload")) {
        Ok(record) if record.meta.key == key => Ok((folder, record.meta)),
        Ok(_) => Err(Fault::NoSuchUpload),
        Err(Fault::NoSuchKey) => Err(store
            .require_bucket(bucket)
            .err()
            .unwrap_or(Fault::NoSuchUpload)),
        Err(fault) => Err(fault),
    }
}

/// Gives a part's sealed file its place. Returns the folder to sync.
pub(crate) fn place_part(
    store: &Store,
    (bucket, key, id): (&str, &str, &str),
    number: i32,
    (mut staged, digests): (Staged, Digests),
) -> Result<(PathBuf, ObjectMeta), Fault> {
    let (folder, _) = find(store, bucket, key, id)?;
    let meta = digests.describe(key, Attributes::default());
    staged.seal(&meta)?;
    match staged.move_to(&folder.join(part_name(number))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::NoSuchUpload),
        outcome => Ok(outcome.map(|()| (folder, meta))?),
    }
}

/// The parts of an upload with numbers above `after`, in order.
pub(crate) fn parts(folder: &Path, key: &str, after: i32) -> Result<Vec<UploadedPart>, Fault> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("part-"));
        numbers.extend(
            number
                .and_then(|digits| digits.parse::<i32>().ok())
                .filter(|number| *number > after),
        );
    }
    numbers.sort_unstable();
    let open = |number| {
        let object = object_file::open(&folder.join(part_name(number)), key)?;
        Ok(UploadedPart { number, object })
    };
    numbers.into_iter().map(open).collect()
}

/// Every open upload of a bucket, by key and then id.
pub(crate) fn list(store: &Store, bucket: &str) -> Result<Vec<OpenUpload>, Fault> {
    store.require_bucket(bucket)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(store.uploads(bucket))? {
        let entry = entry?;
        let Ok(id) = entry.file_name().into_string() else {
            continue;
        };
        if !key::is_upload_id(&id) {
            continue;
        }
        match object_file::open_any(&entry.path().join("upload")) {
            Ok(record) => found.push(OpenUpload {
                id,
                meta: record.meta,
            }),
            // Completed meanwhile, or damaged (and logged): either way not an upload to go on with.
            Err(Fault::NoSuchKey | Fault::Damaged) => {}
            Err(fault) => return Err(fault),
        }
    }
    found.sort_by(|a, b| (&a.meta.key, &a.id).cmp(&(&b.meta.key, &b.id)));
    Ok(found)
}

/// Ends an upload and removes its parts.
pub(crate) fn discard(store: &Store, bucket: &str, id: &str, folder: &Path) -> Result<(), Fault> {
    let doomed = store
        .tmp()
        .join(format!("upload-{id}-{}", uuid::Uuid::new_v4().simple()));
    match fs::rename(folder, &doomed) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::NoSuchUpload),
        outcome => outcome?,
    }
    sync_folder(&store.uploads(bucket))?;
    fs::remove_dir_all(&doomed)?;
    Ok(())
}

/// Puts the named parts together and moves the object into place. The upload is still there.
pub(crate) fn assemble(
    store: &Store,
    (bucket, key, id): (&str, &str, &str),
    named: &[CompletedPart],
    claims: &Claims,
    condition: &WriteCondition,
) -> Result<(ObjectMeta, Unsynced), Fault> {
    let (folder, upload) = find(store, bucket, key, id)?;
    let parts = pick(&folder, key, named)?;
    let mut staged = Staged::create(store.tmp(), claims.hasher())?;
    let mut md5_of_parts = Md5::new();
    for part in parts {
        let etag = hex::decode(&part.meta.etag).map_err(|_| Fault::Damaged)?;
        md5_of_parts.update(&etag);
        let body = 0..part.body_len;
        outlet::pour(part, body, |chunk| staged.append(chunk))?;
    }
    let digests = staged.digests();
    claims.verify(&digests, staged.body_len())?;
    let mut meta = digests.describe(key, upload.attributes);
    meta.etag = format!("{}-{}", hex::encode(md5_of_parts.finalize()), named.len());
    staged.seal(&meta)?;
    let unsynced = store.place(staged, bucket, key, condition)?;
    Ok((meta, unsynced))
}

/// Opens the named parts and checks that they are the ones the client means.
fn pick(folder: &Path, key: &str, named: &[CompletedPart]) -> Result<Vec<OpenObject>, Fault> {
    let mut picked: Vec<OpenObject> = Vec::with_capacity(named.len());
    let mut previous = 0;
    for part in named {
        let number = part.part_number.unwrap_or_default();
        if number <= previous {
            return Err(Fault::InvalidPartOrder);
        }
        previous = number;
        if picked
            .last()
            .is_some_and(|before| before.body_len < MIN_PART_LEN)
        {
            return Err(Fault::EntityTooSmall);
        }
        let object = match object_file::open(&folder.join(part_name(number)), key) {
            Err(Fault::NoSuchKey) => return Err(Fault::InvalidPart),
            outcome => outcome?,
        };
        if !is_meant(part, &object.meta) {
            return Err(Fault::InvalidPart);
        }
        picked.push(object);
    }
    if picked.is_empty() {
        return Err(Fault::InvalidArgument(
            "An upload is completed with at least one part.",
        ));
    }
    Ok(picked)
}

fn is_meant(part: &CompletedPart, stored: &ObjectMeta) -> bool {
    let crc32 = base64_simd::STANDARD.encode_to_string(stored.body_crc32.to_be_bytes());
    let known = &stored.checksums;
    // A checksum that was not sent with the part is not known here, and so cannot contradict.
    let agrees = |claimed: &Option<String>, known: Option<&String>| match (claimed, known) {
        (Some(claimed), Some(known)) => claimed == known,
        (None, _) | (_, None) => true,
    };
    part.e_tag
        .as_ref()
        .is_none_or(|etag| etag.value() == stored.etag)
        && agrees(&part.checksum_crc32, Some(&crc32))
        && agrees(&part.checksum_crc32c, known.crc32c.as_ref())
        && agrees(&part.checksum_crc64nvme, known.crc64nvme.as_ref())
        && agrees(&part.checksum_sha1, known.sha1.as_ref())
        && agrees(&part.checksum_sha256, known.sha256.as_ref())
}
