//! Chapter 9: the device fetches persons from the platform and tells it what it sees. There is no
//! authentication in it at all, and one verb per address: `{base}/syface/{deviceid}`.
//!
//! Reading is as lenient as devices are careless: bodies flat or wrapped, any case of names, scalars
//! of any type. Writing is exactly as documented, texts beyond ASCII as they are.

mod answer;
mod feed;
mod heartbeat;
mod instant;
mod pass;
mod results;
mod verb;

pub use answer::{Verdict, encode_door, encode_plain, encode_with_time};
pub use feed::{Change, Operation, Sex, encode_feed, read_last_query_time};
pub use heartbeat::{Heartbeat, read_heartbeat};
pub use pass::{Base64Text, IdCard, Sight, read_sight};
pub use results::{ResultLine, read_results};
pub use verb::Verb;

use gatehouse_wire::{Object, ReadError, read_object};

/// Largest body that is read (4 MiB): a pass with two pictures of 700 K each has room.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Reads a body within the limits of this chapter.
fn body(bytes: &[u8]) -> Result<Object<'_>, ReadError> {
    let limits = gatehouse_wire::Limits {
        max_bytes: MAX_BODY_BYTES,
        max_depth: 8,
        max_values: 4096,
    };
    read_object(bytes, &limits)
}

/// What stands in a wrapper, or the object itself where there is none; and what stands beside the
/// wrapper.
fn unwrapped<'a>(mut object: Object<'a>, wrapper: &str) -> (Object<'a>, Option<Object<'a>>) {
    if object.object(wrapper).is_some()
        && let Some(gatehouse_wire::Value::Object(inner)) = object.take(wrapper)
    {
        return (inner, Some(object));
    }
    (object, None)
}

/// A text that is there and not empty, trimmed.
fn words(object: &Object<'_>, name: &str) -> Option<String> {
    object.word(name).map(str::to_owned)
}
