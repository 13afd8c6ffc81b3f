//! House rules that a compiler does not know, each with its reason in the failure.
//!
//! Deliberately absent: what rustc and clippy refuse by themselves, and who may depend on whom
//! (`architecture.rs`).

use crate::repository::{members, refuse, sources};

/// Files above 600 lines, with the reason. Above 400 they are only listed.
const LONG_FILES: &[(&str, &str)] = &[];

/// Module names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "common",
    "helper",
    "helpers",
    "macros",
    "manager",
    "managers",
    "misc",
    "models",
    "processor",
    "util",
    "utils",
];

#[test]
fn no_test_is_ignored() {
    // Spelled in two parts, since this file is searched as well.
    let attribute = concat!("#[", "ignore");
    let offences: Vec<String> = sources()
        .iter()
        .flat_map(|(path, source)| {
            source
                .lines()
                .enumerate()
                .filter(|(_, line)| line.trim_start().starts_with(attribute))
                .map(|(index, _)| format!("{path}:{}", index + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "a test that is skipped proves nothing and says so to nobody; mend it or delete it:",
        &offences,
    );
}

#[test]
fn every_file_begins_by_saying_what_it_holds() {
    let offences: Vec<String> = sources()
        .into_iter()
        .filter(|(_, source)| !source.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    refuse(
        "the first lines of a module say what lives there and what is deliberately absent (`//!`):",
        &offences,
    );
}

#[test]
fn files_stay_short_enough_to_be_read() {
    let mut offences = Vec::new();
    let sources = sources();
    for (path, source) in &sources {
        let lines = source.lines().count();
        let excused = LONG_FILES.iter().any(|(file, _)| file == path);
        if lines > 600 && !excused {
            offences.push(format!("{path}: {lines} lines"));
        } else if lines > 400 {
            eprintln!("{path}: {lines} lines; 400 is where a file begins to hold two things");
        } else if excused {
            offences.push(format!(
                "{path} is short now: take it out of the exceptions"
            ));
        }
    }
    for (path, reason) in LONG_FILES {
        assert!(
            sources.contains_key(*path) && !reason.is_empty(),
            "the exception {path} needs a file and a reason"
        );
    }
    refuse(
        "a file of more than 600 lines holds more than one thing; split it by what it holds:",
        &offences,
    );
}

#[test]
fn modules_are_named_after_what_is_inside() {
    let mut offences = Vec::new();
    for path in sources().keys() {
        for part in path.trim_end_matches(".rs").split('/') {
            if EMPTY_NAMES.contains(&part)
                || ["_manager", "_helper", "_util", "_utils"]
                    .iter()
                    .any(|end| part.ends_with(end))
            {
                offences.push(path.clone());
            }
        }
    }
    refuse(
        "a name that fits everything collects everything; name the module after the noun or the verb in it:",
        &offences,
    );
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let offences: Vec<String> = members()
        .iter()
        // Its tests panic to fail, which the workspace's lints forbid.
        .filter(|m| m.name != "gatehouse-tests")
        .filter(|m| {
            !std::fs::read_to_string(m.folder.join("Cargo.toml"))
                .unwrap()
                .contains("[lints]\nworkspace = true")
        })
        .map(|m| m.name.clone())
        .collect();
    refuse(
        "without `[lints] workspace = true` a crate may unwrap, panic and go undocumented:",
        &offences,
    );
}

#[test]
fn tests_wait_for_conditions_and_not_for_time() {
    let word = concat!("time::", "sleep");
    let offences: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| path.starts_with("tests/it/"))
        .flat_map(|(path, source)| {
            let lines = source.lines().enumerate();
            lines
                .filter(|(_, line)| line.contains(word))
                .map(|(index, _)| format!("{path}:{}", index + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    refuse(
        "a pause is too short on a slow machine and too long on a fast one; wait with kit::until:",
        &offences,
    );
}
