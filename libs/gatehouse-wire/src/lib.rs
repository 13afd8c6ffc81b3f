//! What the vendors' dialects share: a lenient reader for their JSON, a writer with a fixed order of
//! members, and their MD5 signatures.
//!
//! Deliberately absent: anything that belongs to one dialect, I/O, a clock.

mod object;
mod parse;
mod read;
mod sign;
mod write;

pub use object::{Object, Value};
pub use read::{Limits, ReadError, read_object};
pub use sign::{md5_hex_lower, md5_hex_upper, signatures_match};
pub use write::ObjectWriter;
