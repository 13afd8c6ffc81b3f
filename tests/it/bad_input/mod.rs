//! Bad input: each kind has a stated answer, costs bounded memory, and disturbs nobody else.
//!
//! Deliberately absent: what is merely unusual (`terminal_day::frames`), and the decoder by itself
//! (gatehouse-proto-terminal, with properties and a fuzz target).

mod bodies;
mod floods;
mod frames;
mod pictures;
mod queries;

use gatehouse_simulator::{Event, Pass, Terminal, TerminalProfile};
use kit::world::{Tenant, fresh_sn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What a decision of the server may take.
const SOON: Duration = Duration::from_secs(15);

/// A terminal of the same process where people pass all the time: whatever goes on beside it, each
/// record is acknowledged at its first try and the connection stays.
struct Neighbour {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    task: JoinHandle<Terminal>,
}

impl Neighbour {
    async fn of(tenant: &Tenant) -> Self {
        let sn = fresh_sn();
        tenant.device(&sn).await;
        let terminal = Terminal::connect(TerminalProfile::new(&tenant.terminal_url, &sn))
            .await
            .unwrap();
        let (stop, acknowledged) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (stops, acknowledges) = (stop.clone(), acknowledged.clone());
        let task = tokio::spawn(async move {
            // Several of them run at once, on a machine that others need, too.
            let mut people = tokio::time::interval(Duration::from_millis(50));
            while !stops.load(Ordering::Relaxed) {
                people.tick().await;
                let ack = terminal
                    .pass(Pass::stranger())
                    .await
                    .expect("the neighbour's connection stays");
                assert!(ack.is_accepted(), "{ack:?}");
                acknowledges.fetch_add(1, Ordering::Relaxed);
            }
            terminal
        });
        Self {
            stop,
            acknowledged,
            task,
        }
    }

    /// Some more acknowledgements, from now on.
    async fn goes_on(&self) {
        let from = self.acknowledged.load(Ordering::Relaxed);
        kit::until(
            "the neighbour's records to be acknowledged",
            SOON,
            || async {
                assert!(!self.task.is_finished(), "the neighbour was disturbed");
                (self.acknowledged.load(Ordering::Relaxed) >= from + 5).then_some(())
            },
        )
        .await;
    }

    /// Ends it, and says whether anything happened to it.
    async fn was_undisturbed(self) {
        self.goes_on().await;
        self.stop.store(true, Ordering::Relaxed);
        let terminal = self.task.await.expect("the neighbour was disturbed");
        let events = terminal.events();
        assert!(!events.iter().any(|event| matches!(
            event,
            Event::Closed { .. } | Event::RecordSent { again: true, .. }
        )));
    }
}

/// What a process holds in memory, in bytes.
fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("a resident size");
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}
