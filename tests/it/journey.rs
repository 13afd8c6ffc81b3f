//! What a newcomer does: `make run`, reads what it prints, tries the curl lines, and presses Ctrl-C.
//!
//! The script runs as it is, in a folder and on ports of its own, so that it neither finds nor
//! disturbs the services of the other tests. It builds nothing: the binary stands already.

use chrono::{DateTime, Utc};
use kit::environment::root;
use kit::process::free_port;
use kit::{Api, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The script at work. Whatever happens to the test, nothing of it stays behind.
struct Run {
    script: Child,
    folder: PathBuf,
    /// Its standard output so far, line by line.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn start(port: u16) -> Self {
        let folder = std::env::temp_dir().join(format!(
            "gatehouse-journey-{}",
            uuid::Uuid::new_v4().simple()
        ));
        let mut command = script("run.sh", &folder);
        let mut script = command
            .env("GATEHOUSE_LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run.sh starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (said, complained) = (script.stdout.take().unwrap(), script.stderr.take().unwrap());
        collect(said, Arc::clone(&lines));
        // Seen only where the test fails.
        std::thread::spawn(move || {
            BufReader::new(complained)
                .lines()
                .map_while(Result::ok)
                .for_each(|line| eprintln!("{line}"))
        });
        Self {
            script,
            folder,
            lines,
        }
    }

    /// Waits for a line that begins so.
    async fn line(&mut self, begin: &str, within: Duration) -> String {
        let lines = Arc::clone(&self.lines);
        let script = &mut self.script;
        let mut find = || {
            let found = lines
                .lock()
                .unwrap()
                .iter()
                .find(|line| line.trim_start().starts_with(begin))
                .cloned();
            if found.is_none() {
                let ended = script.try_wait().unwrap();
                assert!(
                    ended.is_none(),
                    "run.sh ended with {ended:?}; it said:\n{}",
                    lines.lock().unwrap().join("\n")
                );
            }
            found
        };
        until(
            &format!("the line that begins with {begin:?}"),
            within,
            || std::future::ready(find()),
        )
        .await
    }

    /// The word behind a title in the table that it prints.
    fn told(&self, title: &str) -> String {
        let lines = self.lines.lock().unwrap();
        let line = lines
            .iter()
            .find_map(|line| line.trim_start().strip_prefix(title));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        word.unwrap_or_else(|| panic!("no {title:?} in:\n{}", lines.join("\n")))
            .to_owned()
    }

    /// The curl lines that it prints.
    fn curl_lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines
            .iter()
            .map(|line| line.trim().to_owned())
            .filter(|line| line.starts_with("curl "))
            .collect()
    }

    /// Ctrl-C, and the end.
    async fn interrupt(&mut self) -> ExitStatus {
        let pid = self.script.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let script = &mut self.script;
        until(
            "run.sh to end after Ctrl-C",
            Duration::from_secs(40),
            || std::future::ready(script.try_wait().unwrap()),
        )
        .await
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if matches!(self.script.try_wait(), Ok(None)) {
            let _ = Command::new("kill")
                .args(["-TERM", &self.script.id().to_string()])
                .status();
            let _ = self.script.wait();
        }
        let _ = script("services.sh", &self.folder)
            .arg("clean")
            .stderr(Stdio::null())
            .status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A script of deploy/local as a newcomer's shell starts it: without any setting of ours.
fn script(name: &str, folder: &Path) -> Command {
    // A test that runs in the background of a shell ignores Ctrl-C, and so would all that it starts.
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT")
        .arg(root().join("deploy/local").join(name));
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("GATEHOUSE_"))
    {
        command.env_remove(variable);
    }
    command.env("RUN_DIR", folder).current_dir(root());
    command
}

fn collect(output: impl std::io::Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

/// Every process whose command line, environment or folder names this one.
fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        if !entry
            .file_name()
            .to_string_lossy()
            .chars()
            .all(|c| c.is_ascii_digit())
        {
            continue;
        }
        // What ended while we look, or is not ours to read, is not one of them.
        let text = |file: &str| {
            String::from_utf8_lossy(&std::fs::read(path.join(file)).unwrap_or_default())
                .replace('\0', " ")
        };
        let folder_of = std::fs::read_link(path.join("cwd")).unwrap_or_default();
        if text("cmdline").contains(name)
            || text("environ").contains(name)
            || folder_of.starts_with(folder)
        {
            found.push(format!(
                "{} {}",
                entry.file_name().to_string_lossy(),
                text("cmdline")
            ));
        }
    }
    found
}

async fn newest_record_at(api: &Api) -> Option<DateTime<Utc>> {
    let page = api.get("/v1/records?limit=5").await.expect(200);
    let record = page["items"].as_array()?.first()?.clone();
    assert!(
        record["device_id"].is_string() && record["result"].is_string(),
        "{record}"
    );
    serde_json::from_value(record["received_at"].clone()).ok()
}

/// Runs a printed line as it is printed; its answer.
fn curl(line: &str) -> Value {
    let output = Command::new("bash")
        .args(["-c", line])
        .stderr(Stdio::null())
        .output()
        .expect("bash runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{line}: {e}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// The same request without curl, which a bare machine does not have: the address and the body
/// between single quotes.
async fn request(api: &Api, line: &str) -> Value {
    let quoted: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
    let path = quoted
        .last()
        .and_then(|url| url.strip_prefix(&api.base_url))
        .unwrap_or_else(|| panic!("{line} asks elsewhere"));
    let body = quoted.iter().find(|text| text.starts_with('{'));
    let key = format!("Authorization: Bearer {}", api.bearer.as_deref().unwrap());
    assert!(
        quoted.contains(&key.as_str()),
        "{line} does not carry the printed key"
    );
    match body {
        Some(body) => api
            .post(
                path,
                serde_json::from_str(body).expect("a printed body is JSON"),
            )
            .await
            .expect(201),
        None => api.get(path).await.expect(200),
    }
}

#[tokio::test]
async fn a_newcomers_first_minutes() {
    let port = free_port();
    let mut run = Run::start(port);
    let ready = run.line("Ready:", Duration::from_secs(120)).await;
    assert!(ready.contains(&format!("127.0.0.1:{port}")), "{ready}");

    // What it printed is true.
    let base_url = format!("http://127.0.0.1:{port}");
    assert_eq!(run.told("API"), format!("{base_url}/v1"));
    assert!(
        run.told("Terminals")
            .starts_with(&format!("ws://127.0.0.1:{port}/terminal/"))
    );
    let api = Api::new(&base_url, Some(&run.told("API key")));
    assert_eq!(
        Api::new(&base_url, None)
            .get(run.told("Documentation").strip_prefix(&base_url).unwrap())
            .await
            .status,
        200
    );
    let settings =
        std::fs::read_to_string(run.told("Settings")).expect("the settings are where it says");
    assert!(settings.contains("export GATEHOUSE_BIN="), "{settings}");

    // The terminals are there, and people pass.
    until(
        "the five terminals to be online",
        Duration::from_secs(20),
        || async {
            let devices = api.list("/v1/devices").await;
            let online = devices
                .iter()
                .filter(|device| device["online"] == json!(true))
                .count();
            (online == 5 && devices.len() == 5).then_some(())
        },
    )
    .await;
    let first = until("a first record", Duration::from_secs(30), || {
        newest_record_at(&api)
    })
    .await;
    until(
        "people to go on passing",
        Duration::from_secs(30),
        || async { newest_record_at(&api).await.filter(|at| *at > first) },
    )
    .await;

    // The three lines worth trying; the last one opens a door.
    let lines = run.curl_lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let has_curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    let mut answers = Vec::new();
    for line in &lines {
        answers.push(request(&api, line).await);
        if has_curl {
            answers.push(curl(line));
        }
    }
    let opened = answers.last().unwrap();
    assert_eq!(
        (opened["state"].as_str(), opened["error"].is_null()),
        (Some("succeeded"), true),
        "{opened}"
    );

    // Ctrl-C stops all of it, and says so.
    let status = run.interrupt().await;
    assert_eq!(status.code(), Some(0), "{:?}", run.lines.lock().unwrap());
    let folder = run.folder.clone();
    until(
        "the last process to be gone",
        Duration::from_secs(5),
        || async { processes_of(&folder).is_empty().then_some(()) },
    )
    .await;
    assert!(
        run.lines
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.starts_with("Stopped."))
    );
    assert!(folder.join("demo.json").is_file(), "the data stays");
}
