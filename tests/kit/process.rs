//! The real binary as a child process, which ends with the test run whatever happens.

use crate::environment::Environment;
use crate::until;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

/// A running `gatehouse` role.
#[derive(Debug)]
pub struct Gatehouse {
    child: Mutex<Child>,
    /// `http://127.0.0.1:PORT`.
    pub base_url: String,
    port: u16,
    role: String,
    extra: Vec<(String, String)>,
}

impl Gatehouse {
    /// Starts a role on a free port and waits until it is ready.
    pub async fn start(role: &str, extra: &[(&str, &str)]) -> Self {
        let process = Self::start_unready(role, free_port(), extra);
        process.wait_ready().await;
        process
    }

    /// Starts a role and does not wait.
    #[must_use]
    pub fn start_unready(role: &str, port: u16, extra: &[(&str, &str)]) -> Self {
        let extra: Vec<(String, String)> = extra
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let child = spawn(role, port, &extra);
        Self {
            child: Mutex::new(child),
            base_url: format!("http://127.0.0.1:{port}"),
            port,
            role: role.to_owned(),
            extra,
        }
    }

    /// Waits for `/readyz`.
    pub async fn wait_ready(&self) {
        let url = format!("{}/readyz", self.base_url);
        let http = crate::api::client();
        until(
            &format!("{} ready on {}", self.role, self.base_url),
            Duration::from_secs(60),
            || async {
                let status = self.child.lock().unwrap().try_wait().unwrap();
                assert!(
                    status.is_none(),
                    "gatehouse {} ended: {status:?}",
                    self.role
                );
                http.get(&url)
                    .send()
                    .await
                    .ok()
                    .filter(|r| r.status().is_success())
                    .map(|_| ())
            },
        )
        .await;
    }

    /// Ends it without any warning, as a power cut would.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to stop and waits; the exit status.
    pub async fn terminate(&self) -> std::process::ExitStatus {
        let pid = self.child.lock().unwrap().id();
        assert!(
            Command::new("kill")
                .arg(pid.to_string())
                .status()
                .unwrap()
                .success()
        );
        until(
            "the process to end after SIGTERM",
            Duration::from_secs(40),
            || async { self.child.lock().unwrap().try_wait().unwrap() },
        )
        .await
    }

    /// Starts it again on the same port and waits until it is ready.
    pub async fn restart(&self) {
        *self.child.lock().unwrap() = spawn(&self.role, self.port, &self.extra);
        self.wait_ready().await;
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }
}

impl Drop for Gatehouse {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Runs a command of the binary to its end; its standard output.
///
/// # Panics
/// Where it fails.
#[must_use]
pub fn run(words: &[&str], extra: &[(&str, &str)]) -> String {
    let environment = Environment::get();
    let output = Command::new(environment.binary())
        .args(words)
        .envs(environment.all())
        .envs(extra.iter().copied())
        .output()
        .expect("the binary runs");
    assert!(
        output.status.success(),
        "gatehouse {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("its output is text")
}

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn command(role: &str, port: u16, extra: &[(String, String)]) -> Command {
    let environment = Environment::get();
    // The kernel sends the signal when the thread that made the child ends, hence `spawn`.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(environment.binary())
        .arg(role)
        .envs(environment.all())
        .env("GATEHOUSE_LISTEN", format!("127.0.0.1:{port}"))
        .env_remove("GATEHOUSE_PUBLIC_URL")
        .env(
            "GATEHOUSE_LOG",
            std::env::var("GATEHOUSE_TEST_LOG").unwrap_or_else(|_| "warn".to_owned()),
        )
        .envs(extra.iter().cloned())
        .stdin(Stdio::null());
    command
}

/// Makes children in one thread that lives as long as the test run.
fn spawn(role: &str, port: u16, extra: &[(String, String)]) -> Child {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, child) = mpsc::channel();
    spawner
        .lock()
        .unwrap()
        .send((command(role, port, extra), answer))
        .unwrap();
    child
        .recv()
        .unwrap()
        .expect("the binary starts (setpriv is part of util-linux)")
}
