//! Settings that only the directory has.

use std::path::PathBuf;

/// Where the directory finds what it needs beside its stores.
#[derive(Debug, Clone, clap::Args)]
pub struct DirectorySettings {
    /// Folder of the face models (`deploy/local/models.sh` fetches them). Without them photos are
    /// refused with a sentence that says so; everything else works.
    #[arg(
        long = "face-models",
        env = "GATEHOUSE_FACE_MODELS",
        default_value = "/usr/share/gatehouse/models"
    )]
    pub face_models: PathBuf,
}
