//! The command line as `--help` tells it, which is the reference of all settings: checked in, so
//! that a changed name or default is seen in review. Beside it two more tables that others rely on:
//! what each role of a user may do, and the codes of problems.

use crate::goldens;
use gatehouse_domain::access::{Permission, Role};
use gatehouse_platform::http::ProblemCode;
use kit::Environment;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What `--help` says of a command.
#[derive(Debug)]
pub struct Help {
    /// The whole text.
    pub text: String,
    /// Commands below it.
    pub commands: Vec<String>,
    /// The variables it reads.
    pub variables: BTreeSet<String>,
    /// Those that must be set, since they have no default.
    pub required: BTreeSet<String>,
}

/// Asks the binary, without any setting in the environment, since help shows those.
///
/// # Panics
/// Where the binary fails, or an option that must be given has no variable.
pub fn help_of(words: &[&str]) -> Help {
    let mut command = Command::new(Environment::get().binary());
    command.args(words).arg("--help").env_clear();
    let output = command.output().expect("the binary runs");
    assert!(
        output.status.success(),
        "{words:?} --help: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("help is text");
    let commands = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    let mut option = String::new();
    let mut variable_of = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .split_whitespace()
            .find(|word| word.starts_with("--"))
            .filter(|_| line.starts_with('-'))
        {
            option = name.to_owned();
        }
        if let Some((_, rest)) = line.split_once("[env: ") {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            variable_of.insert(option.clone(), name);
        }
    }
    let usage = text
        .lines()
        .find(|line| line.starts_with("Usage: "))
        .expect("help has a usage line");
    let required = usage
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .filter_map(|option| variable_of.get(option).cloned())
        .collect();
    Help {
        commands,
        variables: variable_of.into_values().collect(),
        required,
        text,
    }
}

/// The commands that serve, each a role of a process or all of them: those that listen for the API.
pub fn roles() -> BTreeSet<String> {
    let serving = help_of(&[])
        .commands
        .into_iter()
        .filter(|c| help_of(&[c]).variables.contains("GATEHOUSE_LISTEN"));
    serving.collect()
}

/// Every command, those below others included.
fn every_command() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        for name in help_of(&borrowed).commands {
            let mut below = words.clone();
            below.push(name);
            open.push(below);
        }
        found.push(words);
    }
    found
}

#[test]
fn help_is_the_reviewed_one() {
    let commands = every_command();
    assert!(commands.len() > 10, "{commands:?}");
    let mut files = BTreeSet::new();
    for words in commands {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        let name = std::iter::once("help")
            .chain(borrowed.iter().copied())
            .collect::<Vec<_>>()
            .join("_");
        goldens::check(&name, &help_of(&borrowed).text);
        files.insert(format!("{name}.txt"));
    }
    for file in std::fs::read_dir(kit::environment::root().join("tests/it/goldens")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.starts_with("help") || files.contains(&name),
            "{name} tells of a command that is gone: delete it"
        );
    }
}

#[test]
fn help_explains_every_option_and_shows_no_secret() {
    for words in every_command() {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = help_of(&borrowed);
        let lines: Vec<&str> = help.text.lines().collect();
        for (index, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with('-'))
        {
            // Short help has the sentence on the same line, long help on the next one.
            let same = line
                .trim_start()
                .split_once("  ")
                .is_some_and(|(_, said)| !said.trim().is_empty());
            let next = lines.get(index + 1).is_some_and(|next| {
                next.starts_with("          ") && !next.trim().starts_with('[')
            });
            assert!(
                same || next,
                "gatehouse {}: {} has no explanation",
                words.join(" "),
                line.trim()
            );
        }
        // An address with a password in it is as secret as a key. `NAME=` means that the value is shown.
        for variable in &help.variables {
            let secret = [
                "_KEY",
                "_SECRET",
                "DATABASE_URL",
                "OWNER_URL",
                "AMQP_URL",
                "REDIS_URL",
            ];
            if secret.iter().any(|end| variable.ends_with(end)) && !variable.contains("_PER_") {
                assert!(
                    !help.text.contains(&format!("[env: {variable}=")),
                    "gatehouse {}: help shows the value of {variable}",
                    words.join(" ")
                );
            }
        }
    }
}

#[test]
fn what_each_role_may_do_is_the_reviewed_table() {
    let mut table = format!("{:<18}", "");
    for role in Role::ALL {
        table += &format!("{:<10}", role.as_str());
    }
    for permission in Permission::ALL {
        table += &format!("\n{:<18}", permission.as_str());
        for role in Role::ALL {
            table += &format!(
                "{:<10}",
                if role.permits(*permission) {
                    "yes"
                } else {
                    "-"
                }
            );
        }
    }
    let trimmed: Vec<&str> = table.lines().map(str::trim_end).collect();
    goldens::check("roles", &trimmed.join("\n"));
}

#[test]
fn problem_codes_only_grow() {
    let table: Vec<String> = ProblemCode::ALL
        .iter()
        .map(|code| {
            format!(
                "{:<22}{}  {}",
                code.as_str(),
                code.status().as_u16(),
                code.title()
            )
        })
        .collect();
    goldens::check("problems", &table.join("\n"));
}
