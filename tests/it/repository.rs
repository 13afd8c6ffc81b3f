//! The repository as tests read it: its crates and what they depend on, and its sources.

use kit::environment::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate of ours.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// (crate, kind): kind is `normal`, `dev` or `build`.
    pub dependencies: Vec<(String, String)>,
}

/// What cargo prints.
pub fn cargo(words: &[&str]) -> String {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(words)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes text")
}

/// Every crate of the workspace.
pub fn members() -> Vec<Member> {
    let metadata: Value = serde_json::from_str(&cargo(&[
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]))
    .unwrap();
    let members: Vec<Member> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| Member {
            name: text(&package["name"]),
            folder: Path::new(package["manifest_path"].as_str().unwrap())
                .parent()
                .unwrap()
                .to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|d| {
                    (
                        text(&d["name"]),
                        d["kind"].as_str().unwrap_or("normal").to_owned(),
                    )
                })
                .collect(),
        })
        .collect();
    assert!(
        members.len() >= 14,
        "cargo lists only {} members",
        members.len()
    );
    members
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The crate of this name.
pub fn member(name: &str) -> Member {
    members()
        .into_iter()
        .find(|m| m.name == name)
        .unwrap_or_else(|| panic!("there is no crate {name}"))
}

/// Every Rust file of ours, by its path from the root.
pub fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in ["libs", "services", "tests"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files found", found.len());
    found
}

fn collect(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The code without its comments and without its tests, line by line with the line's number.
pub fn code_of(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests_begin = source.find("\nmod tests {").unwrap_or(source.len());
    source[..tests_begin]
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let code = line.split("//").next().unwrap_or_default();
            (!code.trim().is_empty()).then_some((index + 1, code))
        })
}

/// Fails with the rule's reason and everything that breaks it.
///
/// # Panics
/// Where there is an offence.
pub fn refuse(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}\n  {}", offences.join("\n  "));
}
