//! The image and the compose file: what they say to the binary is what the binary understands.

use crate::help::{help_of, roles};
use crate::manifests::documents;
use kit::environment::root;
use serde_json::Value;
use std::collections::BTreeSet;

fn dockerfile() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("deploy/Dockerfile"))
        .unwrap()
        .replace("\\\n", " ");
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines
        .filter_map(|line| {
            line.split_once(' ')
                .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        })
        .collect()
}

fn instruction(name: &str) -> String {
    let found = dockerfile().into_iter().rfind(|(word, _)| word == name);
    found
        .unwrap_or_else(|| panic!("the Dockerfile has no {name}"))
        .1
}

#[test]
fn the_image_runs_every_role_and_not_as_root() {
    assert_eq!(instruction("ENTRYPOINT"), r#"["/usr/local/bin/gatehouse"]"#);
    assert_eq!(instruction("CMD"), r#"["all"]"#);
    assert!(roles().contains("all"));
    let user = instruction("USER");
    assert!(
        user.split(':')
            .all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)),
        "Kubernetes can only judge numbers: {user}"
    );
    let known = help_of(&["all"]).variables;
    let mut listens = Vec::new();
    for (_, assignments) in dockerfile().iter().filter(|(word, _)| word == "ENV") {
        for (name, value) in assignments
            .split_whitespace()
            .filter_map(|a| a.split_once('='))
        {
            assert!(
                known.contains(name),
                "the image sets {name}, which `gatehouse all --help` does not know"
            );
            if name.ends_with("_LISTEN") {
                listens.extend(value.rsplit(':').next().map(str::to_owned));
            }
        }
    }
    assert_eq!(listens.join(" "), instruction("EXPOSE"));
}

/// A service's environment: mapping, with what `<<` merges into it.
fn environment(service: &Value) -> BTreeSet<String> {
    service["environment"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn the_compose_file_gives_each_command_what_it_reads() {
    let [compose] = documents("deploy/compose.yaml")
        .try_into()
        .expect("one document");
    let services = compose["services"].as_object().unwrap();
    let mut commands = BTreeSet::new();
    for (name, service) in services {
        if !service["image"].as_str().unwrap().starts_with("gatehouse:") {
            continue;
        }
        let command: Vec<&str> = service["command"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w.as_str().unwrap())
            .collect();
        let help = help_of(&command[..1]);
        for option in command.iter().filter(|word| word.starts_with("--")) {
            assert!(
                help.text.contains(&format!("{option} ")),
                "{name}: {} has no {option}",
                command[0]
            );
        }
        let given = environment(service);
        let missing: Vec<_> = help.required.difference(&given).collect();
        assert!(
            !given.is_empty() && missing.is_empty(),
            "{name} is not given {missing:?}"
        );
        let unknown: Vec<_> = given.difference(&help.variables).collect();
        // The migration shares the settings of the server, which are more than it reads.
        assert!(
            unknown.is_empty() || command[0] == "migrate",
            "{name} is given what {} does not know: {unknown:?}",
            command[0]
        );
        for needed in service["depends_on"].as_object().into_iter().flatten() {
            assert!(
                services.contains_key(needed.0),
                "{name} waits for {}, which does not exist",
                needed.0
            );
        }
        commands.insert(command[0].to_owned());
    }
    assert_eq!(
        commands,
        ["all", "migrate", "objectstore"].map(str::to_owned).into()
    );
}

#[test]
fn the_example_of_secrets_names_every_one_that_compose_asks_for() {
    let text = std::fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let asked: BTreeSet<&str> = text
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split(['}', ':']).next())
        .collect();
    let example =
        std::fs::read_to_string(root().join("deploy/compose/secrets.env.example")).unwrap();
    let named: BTreeSet<&str> = example
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split('=').next())
        .collect();
    assert_eq!(asked, named);
}
