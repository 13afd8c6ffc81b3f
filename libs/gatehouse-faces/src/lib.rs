//! Photos of persons: bytes in, findings out.
//!
//! A photo that arrives is decoded under limits, turned upright, stripped of everything but its
//! pixels, searched for faces and measured against a tenant's thresholds ([`Faces::examine`]). What
//! comes out says in words and in both vendors' codes why a photo is refused, and carries the
//! photo re-encoded, with the variants that terminals take.
//!
//! The models are MediaPipe's full-range BlazeFace and Face Mesh, read from pinned files once
//! ([`Faces::load`]) and run by the kernels in this crate.
//!
//! Deliberately absent: any I/O beyond that load, async, a clock, and face embeddings. Nothing here
//! says who somebody is, only whether the photo shows one face well.

mod covering;
mod criteria;
mod decode;
mod detector;
mod examined;
mod faces;
mod faults;
mod findings;
mod jpeg;
mod limits;
mod measures;
mod mesh;
mod network;
mod pixels;
mod pose;
mod sentences;
mod unreadable;
mod weights;

pub use criteria::{Criteria, HongtuCustom};
pub use examined::Examined;
pub use faces::Faces;
pub use faults::{Fault, FaultCode, Severity};
pub use findings::{Area, FaceFound, Findings};
pub use jpeg::{Jpeg, NoVariant, Variant};
pub use limits::Limits;
pub use unreadable::Unreadable;
pub use weights::ModelError;
