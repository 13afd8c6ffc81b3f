//! The services' addresses: from the environment, or from `.run/env` as `make services` wrote it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The variables that name the services, and the binary.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
        .to_owned()
}

impl Environment {
    /// Reads it once.
    ///
    /// # Panics
    /// Where nothing is set up, with a hint.
    #[must_use]
    pub fn get() -> &'static Self {
        static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
        ENVIRONMENT.get_or_init(|| {
            let mut variables: BTreeMap<String, String> = std::env::vars()
                .filter(|(name, _)| name.starts_with("GATEHOUSE_"))
                .collect();
            if !variables.contains_key("GATEHOUSE_DATABASE_URL") {
                let file = std::fs::read_to_string(root().join(".run/env"))
                    .expect("the tests need real services: run `make services` first");
                for line in file.lines() {
                    if let Some((name, value)) =
                        line.strip_prefix("export ").and_then(|l| l.split_once('='))
                    {
                        variables.insert(name.to_owned(), value.trim_matches('\'').to_owned());
                    }
                }
            }
            Self { variables }
        })
    }

    /// A variable's value.
    ///
    /// # Panics
    /// Where it is not set.
    #[must_use]
    pub fn var(&self, name: &str) -> &str {
        self.variables
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not set: run `make services` first"))
    }

    /// All variables, for a child process.
    #[must_use]
    pub const fn all(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The binary under test: `GATEHOUSE_BIN`, or the one beside this test in the target folder.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        let beside = std::env::current_exe().ok().and_then(|exe| {
            let folder = exe.parent()?;
            let folder = if folder.ends_with("deps") {
                folder.parent()?
            } else {
                folder
            };
            Some(folder.join("gatehouse"))
        });
        let named = self.variables.get("GATEHOUSE_BIN").map(PathBuf::from);
        [beside, named]
            .into_iter()
            .flatten()
            .find(|path| path.is_file())
            .expect("no gatehouse binary: run `cargo build --bin gatehouse` first")
    }
}

/// Runs `deploy/local/services.sh` with these words, for example `["stop", "redis"]`.
///
/// # Panics
/// Where it fails.
pub fn services(words: &[&str]) {
    let output = Command::new(root().join("deploy/local/services.sh"))
        .args(words)
        .env("GATEHOUSE_BIN", Environment::get().binary())
        .output()
        .expect("services.sh runs");
    assert!(
        output.status.success(),
        "services.sh {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
