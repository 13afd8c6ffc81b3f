//! The outcome of an examination: findings, faults, and the photo made clean.

use crate::jpeg;
use crate::pixels::Rgb;
use crate::{Fault, Findings, Jpeg, NoVariant, Severity, Variant};

/// A photo that was read and judged.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What was measured.
    pub findings: Findings,
    /// What is wrong with it, most fundamental first.
    pub faults: Vec<Fault>,
    pub(crate) upright: Rgb,
    pub(crate) original: Jpeg,
}

impl Examined {
    /// Whether the photo may be used: nothing refuses it. Warnings do not count.
    #[must_use]
    pub fn accepted(&self) -> bool {
        !self
            .faults
            .iter()
            .any(|fault| fault.severity == Severity::Refuses)
    }

    /// The photo to keep: re-encoded, upright, without metadata, and at most 2048 pixels on the
    /// longest side.
    #[must_use]
    pub fn original(&self) -> &Jpeg {
        &self.original
    }

    /// The photo as a kind of device takes it: the whole picture, resized.
    ///
    /// # Errors
    /// When the encoder fails, which is a fault of this program.
    pub fn variant(&self, variant: Variant) -> Result<Jpeg, NoVariant> {
        jpeg::variant(&self.upright, variant)
    }
}
