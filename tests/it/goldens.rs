//! Texts that are checked in, so that a change of them is seen in review. `GATEHOUSE_BLESS=1` writes
//! them anew instead of comparing.

use kit::environment::root;
use std::collections::BTreeSet;

/// Compares a text with `tests/it/goldens/<name>.txt`.
///
/// # Panics
/// Where they differ, with the lines that do.
pub fn check(name: &str, actual: &str) {
    let path = root().join(format!("tests/it/goldens/{name}.txt"));
    // Help ends its empty lines in blanks, which editors and reviews stumble over.
    let lines: Vec<&str> = actual.trim_end().lines().map(str::trim_end).collect();
    let actual = lines.join("\n") + "\n";
    if std::env::var_os("GATEHOUSE_BLESS").is_some() {
        std::fs::write(&path, actual).expect("the golden file can be written");
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == actual,
        "{} is no longer what stands there:\n{}\nif this is meant: GATEHOUSE_BLESS=1 cargo test -p gatehouse-tests --test it, and commit the file",
        path.display(),
        difference(&stored, &actual)
    );
}

/// The lines that are gone and the lines that are new.
pub fn difference(stored: &str, actual: &str) -> String {
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) =
        (stored.lines().collect(), actual.lines().collect());
    let gone = stored
        .lines()
        .filter(|l| !after.contains(l))
        .map(|l| format!("  - {l}"));
    let new = actual
        .lines()
        .filter(|l| !before.contains(l))
        .map(|l| format!("  + {l}"));
    gone.chain(new).collect::<Vec<_>>().join("\n")
}
