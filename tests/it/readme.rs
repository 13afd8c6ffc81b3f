//! The README's page "People and doors", run as it stands: its shell blocks in one shell, against a
//! tenant with a simulated terminal.

use gatehouse_simulator::{Terminal, TerminalProfile};
use kit::environment::root;
use kit::shared;
use kit::world::fresh_sn;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// The text of a section, from its heading to the next of the same level.
fn section(readme: &str, heading: &str) -> String {
    let begin = readme
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("README.md has no section {heading:?}"));
    let rest = &readme[begin + 1..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |end| end + 3);
    rest[..end].to_owned()
}

/// The shell blocks of a section, without their indentation.
fn blocks(section: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```sh" {
            let body: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .collect();
            blocks.push(
                body.iter()
                    .map(|line| line.trim_start())
                    .collect::<Vec<_>>()
                    .join("\n"),
            );
        }
    }
    blocks
}

/// Runs the script from the repository's root, writing what it writes elsewhere.
fn run(script: &str, folder: &Path) -> String {
    let linked = folder.join("tests");
    std::os::unix::fs::symlink(root().join("tests"), linked).expect("a link is made");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "the page's commands fail: {}\n{told}",
        String::from_utf8_lossy(&output.stderr)
    );
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_doors_works_as_it_is_written() {
    let world = shared().await;
    let tenant = world.tenant().await;
    let (sn, api) = (fresh_sn(), tenant.api.clone());
    tenant.device(&sn).await;
    let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
        .await
        .expect("it registers");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let first = blocks(&section(&readme, "A first hour"));
    let helpers: Vec<&str> = first[0]
        .lines()
        .filter(|line| line.contains("()"))
        .collect();
    assert_eq!(helpers.len(), 2, "the first hour defines get and post");
    let mut script = vec![
        format!(
            "KEY='{}'; API='{}/v1'",
            api.bearer.as_deref().unwrap(),
            world.base_url
        ),
        helpers.join("\n"),
    ];
    let page = blocks(&section(&readme, "People and doors"));
    assert!(page.len() >= 9, "{} blocks", page.len());
    for (number, block) in page.iter().enumerate() {
        script.push(format!("printf '\\n#%s\\n' {number}\n{block}"));
    }
    let folder = std::env::temp_dir().join(format!(
        "gatehouse-readme-{}",
        uuid::Uuid::new_v4().simple()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let told = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || run(&script.join("\n"), &folder)
    })
    .await
    .unwrap();
    let code = std::fs::read(folder.join("visit.png")).unwrap();
    let _ = std::fs::remove_dir_all(&folder);

    assert!(
        !told.contains("request_id"),
        "a command of the page is refused:\n{told}"
    );
    assert!(
        code.starts_with(b"\x89PNG"),
        "the visit's code is no picture"
    );
    let parts: Vec<&str> = told.split("\n#").collect();
    let answer = |number: usize| -> Vec<Value> {
        let of = parts
            .iter()
            .find_map(|part| part.strip_prefix(&format!("{number}\n")));
        let text = of.unwrap_or_else(|| panic!("no answer {number} in:\n{told}"));
        serde_json::Deserializer::from_str(text)
            .into_iter()
            .map(|value| value.expect("JSON"))
            .collect()
    };
    // The person is found by the initials of the name.
    assert_eq!(
        answer(1).last().unwrap()["items"].as_array().unwrap().len(),
        1,
        "{told}"
    );
    // The preview and what came of it.
    assert!(answer(3)[0]["sentence"].is_string(), "{told}");
    let held = &answer(4)[0]["items"][0];
    assert_eq!(held["state"], "applied", "{told}");
    assert!(
        answer(5)[0]["sentence"]
            .as_str()
            .unwrap()
            .contains("holiday"),
        "{told}"
    );
    assert_eq!(answer(6)[0]["state"], "succeeded", "{told}");
    assert!(
        answer(8)[0]["completed_at"].is_string(),
        "the erasure is not complete:\n{told}"
    );
    assert!(
        terminal.persons().is_empty(),
        "the terminal still holds somebody"
    );
}
