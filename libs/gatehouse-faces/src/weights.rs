//! The model files: which ones, and that they are those.
//!
//! The files are not in the repository. They come by name, version and checksum from the packages
//! that their makers publish (`deploy/local/models.sh`), and are checked again here, because the
//! reader of the models trusts them.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Models that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[error(
        "The face model {path} cannot be read ({reason}). Run deploy/local/models.sh, which fetches the models, or set GATEHOUSE_FACE_MODELS to the folder in which they are."
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A file is another one than this program was written for.
    #[error(
        "The face model {path} is not the file that this version needs. Delete it and run deploy/local/models.sh, which fetches it anew."
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The right file, and yet it cannot be used: a fault of this program.
    #[error(
        "The face models cannot be used ({0}). This is a fault of the program, not of the files."
    )]
    Unusable(String),
}

/// A file by name and SHA-256. The same stand in `deploy/local/models.sh`.
pub(crate) struct Pinned {
    pub(crate) name: &'static str,
    pub(crate) sha256: &'static str,
}

/// Finds faces: BlazeFace, full range, 192 x 192.
pub(crate) const DETECTOR: Pinned = Pinned {
    name: "face_detection_full_range.tflite",
    sha256: "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
};
/// 468 points of a face, 192 x 192.
pub(crate) const MESH: Pinned = Pinned {
    name: "face_landmark.tflite",
    sha256: "c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1",
};
/// The same 468 points on a face that looks straight ahead.
pub(crate) const GEOMETRY: Pinned = Pinned {
    name: "geometry.binarypb",
    sha256: "bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4",
};

/// Reads a pinned file.
pub(crate) fn read(dir: &Path, file: &Pinned) -> Result<Vec<u8>, ModelError> {
    let path = dir.join(file.name);
    match std::fs::read(&path) {
        Err(reason) => Err(ModelError::Missing { path, reason }),
        Ok(bytes) if hex(&Sha256::digest(&bytes)) == file.sha256 => Ok(bytes),
        Ok(_) => Err(ModelError::Changed { path }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
pub(crate) mod tests {
    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    /// Where the models are.
    pub(crate) fn models() -> PathBuf {
        let dir = std::env::var_os("GATEHOUSE_FACE_MODELS")
            .map_or_else(|| Path::new(ROOT).join(".run/models"), PathBuf::from);
        read(&dir, &DETECTOR).unwrap_or_else(|error| panic!("run deploy/local/models.sh: {error}"));
        dir
    }

    #[test]
    fn the_script_fetches_these_files() {
        let script = std::fs::read_to_string(Path::new(ROOT).join("deploy/local/models.sh"));
        let script = script.unwrap();
        for file in [DETECTOR, MESH, GEOMETRY] {
            let line = format!("{}  {}", file.sha256, file.name);
            assert!(script.contains(&line), "{line}");
        }
    }

    #[test]
    fn a_missing_and_a_changed_file_say_what_to_do() {
        let missing = read(Path::new("/nowhere"), &MESH).unwrap_err();
        assert!(matches!(missing, ModelError::Missing { .. }));
        assert!(missing.to_string().contains("deploy/local/models.sh"));
        let other = Pinned {
            name: MESH.name,
            sha256: DETECTOR.sha256,
        };
        let changed = read(&models(), &other).unwrap_err();
        assert!(matches!(changed, ModelError::Changed { .. }));
        assert!(changed.to_string().contains("deploy/local/models.sh"));
    }
}
