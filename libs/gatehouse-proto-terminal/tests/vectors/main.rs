//! The vectors in `vectors/`: one file per message and direction, one JSON object per line, each
//! naming its source. Uplinks: a frame and what is read from it (only what stands under `expect` is
//! compared). Downlinks: what is to be sent, the exact frame, and the document's sample, whose
//! members must all be in ours except where `differs` says what the document prints.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod downlink;
mod uplink;

use serde_json::Value;
use std::path::Path;

/// Every line of every file of a direction, with its file's name.
fn vectors(direction: &str) -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(direction);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let vector: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                vector["source"]
                    .as_str()
                    .is_some_and(|source| !source.is_empty()),
                "{name}: no source"
            );
            found.push((name.clone(), vector));
        }
    }
    found
}
