//! The loaded models, and the examination of one photo from bytes to findings.

use crate::decode::{Decoded, decode};
use crate::detector::Detector;
use crate::faults::judge;
use crate::jpeg::VARIANT_MAX_PX;
use crate::measures::measure;
use crate::mesh::{Mesh, Points};
use crate::network::ModelFault;
use crate::pixels::{Pyramid, Rgb};
use crate::pose::Geometry;
use crate::weights::{self, DETECTOR, GEOMETRY, MESH};
use crate::{Criteria, Examined, FaceFound, Findings, Limits, ModelError, Unreadable, jpeg};
use std::path::Path;

/// The loaded models. Immutable: share one in an `Arc`.
pub struct Faces {
    detector: Detector,
    mesh: Mesh,
    geometry: Geometry,
}

impl std::fmt::Debug for Faces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faces").finish_non_exhaustive()
    }
}

impl Faces {
    /// Reads the models from a folder, checks that they are those that this version needs, and tries
    /// them. The only I/O of this crate; 100 ms or so.
    ///
    /// # Errors
    /// When a file is missing or another one, with what to do about it.
    pub fn load(dir: &Path) -> Result<Faces, ModelError> {
        let faces = Faces {
            detector: Detector::read(&weights::read(dir, &DETECTOR)?)?,
            mesh: Mesh::read(&weights::read(dir, &MESH)?)?,
            geometry: Geometry::read(&weights::read(dir, &GEOMETRY)?)?,
        };
        faces.try_out()?;
        Ok(faces)
    }

    /// What does not fit together shows at the first run, and it shows here rather than at somebody's
    /// photo.
    fn try_out(&self) -> Result<(), ModelFault> {
        let grey = Rgb::new(SMALL, SMALL, vec![128; SMALL * SMALL * 3])
            .ok_or_else(|| ModelFault::new("there is no grey picture"))?;
        let picture = Pyramid::new(grey);
        self.detector.detect(&picture)?;
        let points = self.mesh.anywhere(&picture)?;
        measure(&picture, &self.mesh, &self.geometry, &points, 1.0)?;
        Ok(())
    }

    /// Decodes a photo under limits, looks for faces and judges what it finds. Some 25 ms of one core
    /// for 500 x 500 pixels, 7 more for each further face, 0.4 s for the largest picture; and at most
    /// about `limits.max_alloc_bytes` and a quarter more of memory. Call it where blocking is allowed,
    /// and bound how many run at a time.
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
        let (faces, face) = self
            .look(&decoded, criteria)
            .map_err(|fault| Unreadable::NotJudged(fault.to_string()))?;
        let findings = Findings {
            width: decoded.width,
            height: decoded.height,
            faces,
            face,
        };
        Ok(Examined {
            faults: judge(&findings, criteria),
            findings,
            upright: decoded.picture,
            original,
        })
    }

    /// How many faces there are, and what was measured on the largest.
    fn look(
        &self,
        decoded: &Decoded,
        criteria: &Criteria,
    ) -> Result<(u32, Option<FaceFound>), ModelFault> {
        // In the size in which terminals get it, so that it is judged as they see it.
        let seen = decoded.picture.fitted(VARIANT_MAX_PX);
        let seen = seen.unwrap_or_else(|| decoded.picture.clone());
        let scale = f64::from(decoded.width) / f64::from(seen.width());
        let picture = Pyramid::new(seen);
        let mut largest: Option<Points> = None;
        let mut faces = 0;
        for detection in self.detector.detect(&picture)? {
            let points = self.mesh.first(&picture, &detection)?;
            if f64::from(points.presence) >= criteria.counted_presence_min {
                faces += 1;
                largest.get_or_insert(points);
            }
        }
        let face = largest
            .map(|points| measure(&picture, &self.mesh, &self.geometry, &points, scale))
            .transpose()?;
        Ok((faces, face))
    }
}

/// Pixels on a side of the picture that the models are tried with.
const SMALL: usize = 64;

impl From<ModelFault> for ModelError {
    fn from(fault: ModelFault) -> Self {
        ModelError::Unusable(fault.to_string())
    }
}
