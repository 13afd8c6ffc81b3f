//! Listing a bucket's objects.

use super::{signed, timestamp};
use crate::fault::{Fault, blocking};
use crate::key::{MAX_KEY_LEN, url_encode};
use crate::object_file;
use crate::store::Store;
use crate::walk::{AFTER_ALL, Step, Walk};
use s3s::S3Request;
use s3s::dto::*;
use std::path::Path;
use std::sync::Arc;

/// S3's limit for one page.
const MAX_KEYS: i32 = 1000;

/// What to list.
struct Query {
    bucket: String,
    prefix: String,
    delimiter: String,
    /// List what comes after this; see [`AFTER_ALL`].
    after: Vec<u8>,
    max_keys: i32,
}

/// One page of a list, in order of keys.
#[derive(Default)]
struct Page {
    contents: Vec<Object>,
    prefixes: Vec<String>,
    /// The key or prefix that was listed last.
    last: String,
    /// Where the next page goes on, if there is one.
    next: Option<Vec<u8>>,
}

pub(super) async fn objects_v2(
    store: &Arc<Store>,
    request: S3Request<ListObjectsV2Input>,
) -> Result<ListObjectsV2Output, Fault> {
    let input = request.input;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => hex::decode(token)
            .map_err(|_| Fault::InvalidArgument("The continuation token is not one of ours."))?,
        (None, Some(key)) => key.clone().into_bytes(),
        (None, None) => Vec::new(),
    };
    let query = Query {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after,
        max_keys: page_len(input.max_keys)?,
    };
    let max_keys = query.max_keys;
    let page = read_page(store, query).await?;
    let encode = encoder(input.encoding_type.as_ref())?;
    let key_count = page.contents.len().saturating_add(page.prefixes.len());
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(encode),
        start_after: input.start_after.map(encode),
        continuation_token: input.continuation_token,
        max_keys: Some(max_keys),
        key_count: i32::try_from(key_count).ok(),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(hex::encode),
        contents: Some(encode_keys(page.contents, encode)),
        common_prefixes: Some(common_prefixes(page.prefixes, encode)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

pub(super) async fn objects_v1(
    store: &Arc<Store>,
    request: S3Request<ListObjectsInput>,
) -> Result<ListObjectsOutput, Fault> {
    let input = request.input;
    let marker = input.marker.clone().unwrap_or_default();
    let query = Query {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: Vec::new(),
        max_keys: page_len(input.max_keys)?,
    };
    let query = Query {
        after: query.after_marker(&marker),
        ..query
    };
    let max_keys = query.max_keys;
    let page = read_page(store, query).await?;
    let encode = encoder(input.encoding_type.as_ref())?;
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode(input.prefix.unwrap_or_default())),
        marker: Some(encode(marker)),
        delimiter: input.delimiter.map(encode),
        max_keys: Some(max_keys),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.map(|_| encode(page.last)),
        contents: Some(encode_keys(page.contents, encode)),
        common_prefixes: Some(common_prefixes(page.prefixes, encode)),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

impl Query {
    /// A marker that is a common prefix stands for all keys that begin with it.
    fn after_marker(&self, marker: &str) -> Vec<u8> {
        let mut after = marker.as_bytes().to_vec();
        let rolled_up = marker.strip_prefix(&self.prefix).is_some_and(|rest| {
            !self.delimiter.is_empty()
                && rest
                    .find(&self.delimiter)
                    .is_some_and(|at| at + self.delimiter.len() == rest.len())
        });
        if rolled_up {
            after.push(AFTER_ALL);
        }
        after
    }

    /// The common prefix a key is rolled up into, if any.
    fn rolled_up(&self, key: &str) -> Option<String> {
        if self.delimiter.is_empty() {
            return None;
        }
        let at = key.strip_prefix(&self.prefix)?.find(&self.delimiter)?;
        let len = self.prefix.len() + at + self.delimiter.len();
        key.get(..len).map(str::to_owned)
    }
}

fn page_len(max_keys: Option<i32>) -> Result<i32, Fault> {
    match max_keys.unwrap_or(MAX_KEYS) {
        negative if negative < 0 => Err(Fault::InvalidArgument("max-keys may not be negative.")),
        wanted => Ok(wanted.min(MAX_KEYS)),
    }
}

async fn read_page(store: &Arc<Store>, query: Query) -> Result<Page, Fault> {
    let store = Arc::clone(store);
    blocking(move || {
        store.require_bucket(&query.bucket)?;
        fill_page(&store.objects(&query.bucket), &query)
    })
    .await
}

fn fill_page(objects: &Path, query: &Query) -> Result<Page, Fault> {
    let mut page = Page::default();
    let room = usize::try_from(query.max_keys).unwrap_or(0);
    if room == 0 || query.prefix.len() > MAX_KEY_LEN {
        return Ok(page);
    }
    let by_folder = query.delimiter == "/";
    let mut walk = Walk::new(
        objects,
        query.prefix.as_bytes(),
        query.after.clone(),
        by_folder,
    )?;
    let mut after = Vec::new();
    while let Some(step) = walk.step()? {
        if page.contents.len() + page.prefixes.len() >= room {
            page.next = Some(after);
            break;
        }
        let (key, file) = match step {
            Step::Object(key, file) => match query.rolled_up(&key) {
                Some(prefix) => (prefix, None),
                None => (key, Some(file)),
            },
            Step::Folder(prefix) => (prefix, None),
        };
        after = key.clone().into_bytes();
        match file {
            Some(file) => {
                let Some(object) = describe(&key, &file)? else {
                    continue;
                };
                page.contents.push(object);
            }
            None => {
                after.push(AFTER_ALL);
                walk.skip_to(after.clone());
                page.prefixes.push(key.clone());
            }
        }
        page.last = key;
    }
    Ok(page)
}

/// `None` when it was deleted meanwhile. A damaged object is listed, so that it can be found.
fn describe(key: &str, file: &Path) -> Result<Option<Object>, Fault> {
    let listed = Object {
        key: Some(key.to_owned()),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        ..Object::default()
    };
    match object_file::open(file, key) {
        Ok(object) => Ok(Some(Object {
            size: Some(signed(object.body_len)),
            last_modified: Some(timestamp(object.meta.modified_at_ms)),
            e_tag: Some(ETag::Strong(object.meta.etag)),
            ..listed
        })),
        Err(Fault::NoSuchKey) => Ok(None),
        Err(Fault::Damaged) => Ok(Some(Object {
            size: Some(0),
            last_modified: Some(timestamp(0)),
            ..listed
        })),
        Err(fault) => Err(fault),
    }
}

/// How names are written in the answer: some characters cannot stand in XML, so clients may ask for
/// percent-encoding.
fn encoder(encoding: Option<&EncodingType>) -> Result<fn(String) -> String, Fault> {
    match encoding.map(EncodingType::as_str) {
        None => Ok(|name| name),
        Some(EncodingType::URL) => Ok(|name| url_encode(&name)),
        Some(_) => Err(Fault::InvalidArgument("The encoding type must be url.")),
    }
}

fn encode_keys(objects: Vec<Object>, encode: fn(String) -> String) -> Vec<Object> {
    let one = |object: Object| Object {
        key: object.key.map(encode),
        ..object
    };
    objects.into_iter().map(one).collect()
}

fn common_prefixes(prefixes: Vec<String>, encode: fn(String) -> String) -> Vec<CommonPrefix> {
    prefixes
        .into_iter()
        .map(|prefix| CommonPrefix {
            prefix: Some(encode(prefix)),
        })
        .collect()
}
