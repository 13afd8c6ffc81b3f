//! People passing at ten terminals all the while, and the reckoning at the end.

use gatehouse_simulator::{Event, Pass, Terminal, TerminalProfile, photo};
use kit::until;
use kit::world::{Tenant, fresh_sn};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// Half of them send pictures.
const TERMINALS: usize = 10;
/// Between two passes of one terminal.
const EVERY: Duration = Duration::from_millis(60);

/// What all terminals together have seen acknowledged.
#[derive(Default)]
struct Ledger {
    /// (serial number, message id) of every acknowledged record.
    acknowledged: Mutex<BTreeSet<(String, String)>>,
    with_photo: AtomicUsize,
    without_photo: AtomicUsize,
    stop: AtomicBool,
}

/// Terminals with people passing.
pub(super) struct Traffic {
    tenant: Tenant,
    ledger: Arc<Ledger>,
    /// Serial number to device.
    devices: BTreeMap<String, uuid::Uuid>,
    tasks: Vec<JoinHandle<Terminal>>,
}

/// How many records are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) with_photo: usize,
    pub(super) without_photo: usize,
}

impl Traffic {
    pub(super) async fn of(tenant: &Tenant) -> Self {
        let ledger = Arc::new(Ledger::default());
        let (mut devices, mut tasks) = (BTreeMap::new(), Vec::new());
        for n in 0..TERMINALS {
            let sn = fresh_sn();
            let device = tenant.device(&sn).await;
            devices.insert(sn.clone(), kit::uuid_of(device["id"].as_str().unwrap()));
            let profile = TerminalProfile {
                resend_after: Duration::from_millis(700),
                reconnect: (Duration::from_millis(50), Duration::from_millis(400)),
                keep_alive_every: Duration::from_secs(5),
                ..TerminalProfile::new(&tenant.terminal_url, &sn)
            };
            let terminal = Terminal::spawn_reconnecting(profile);
            terminal.wait_online(Duration::from_secs(20)).await.unwrap();
            tasks.push(tokio::spawn(walk(terminal, sn, n % 2 == 0, ledger.clone())));
        }
        Self {
            tenant: tenant.clone(),
            ledger,
            devices,
            tasks,
        }
    }

    pub(super) fn acknowledged(&self) -> Acknowledged {
        Acknowledged {
            with_photo: self.ledger.with_photo.load(Ordering::Relaxed),
            without_photo: self.ledger.without_photo.load(Ordering::Relaxed),
        }
    }

    /// Waits until some more records of both kinds are acknowledged.
    pub(super) async fn flows(&self) {
        let from = self.acknowledged();
        until(
            "records of both kinds to be acknowledged",
            Duration::from_secs(30),
            || async {
                let now = self.acknowledged();
                (now.with_photo >= from.with_photo + 10
                    && now.without_photo >= from.without_photo + 10)
                    .then_some(())
            },
        )
        .await;
    }

    /// Ends the passing, waits until nothing is owed, and reckons: each acknowledged record is stored
    /// once, nothing else is stored, attendance has heard of each once. Gives the terminals back.
    pub(super) async fn reckon(self) -> Vec<Terminal> {
        self.ledger.stop.store(true, Ordering::Relaxed);
        let mut terminals = Vec::new();
        for task in self.tasks {
            let ended = tokio::time::timeout(Duration::from_secs(40), task).await;
            terminals.push(
                ended
                    .expect("what is owed is acknowledged in time")
                    .expect("a terminal's task"),
            );
        }
        let acknowledged = self.ledger.acknowledged.lock().unwrap().clone();
        let pool = self.tenant.rows().await;
        let stored: Vec<(uuid::Uuid, uuid::Uuid, String)> =
            sqlx::query_as("select id, device_id, message_id from hub.records")
                .fetch_all(&pool)
                .await
                .unwrap();
        let by_device: BTreeMap<uuid::Uuid, &String> = self
            .devices
            .iter()
            .map(|(sn, device)| (*device, sn))
            .collect();
        let names: BTreeSet<(String, String)> = stored
            .iter()
            .map(|(_, device, message)| (by_device[device].clone(), message.clone()))
            .collect();
        assert_eq!(names.len(), stored.len(), "a record is doubled");
        assert_eq!(
            names, acknowledged,
            "what is stored is not what was acknowledged"
        );

        let records: BTreeSet<uuid::Uuid> = stored.iter().map(|(id, _, _)| *id).collect();
        let punches = until(
            "attendance to hear of everything",
            Duration::from_secs(40),
            || async {
                let found: Vec<uuid::Uuid> =
                    sqlx::query_scalar("select record_id from attendance.punches")
                        .fetch_all(&pool)
                        .await
                        .unwrap();
                (found.len() >= records.len()).then_some(found)
            },
        )
        .await;
        assert_eq!(punches.len(), records.len());
        assert_eq!(punches.into_iter().collect::<BTreeSet<_>>(), records);
        let listed = self.tenant.api.list("/v1/records").await;
        assert_eq!(listed.len(), stored.len(), "the API tells of all");
        let pictures = listed
            .iter()
            .filter(|record| record["snapshot_url"].is_string())
            .count();
        assert_eq!(
            pictures,
            self.ledger.with_photo.load(Ordering::Relaxed),
            "every picture is kept"
        );
        fetch_some(&self.tenant, &listed).await;
        terminals
    }
}

async fn walk(terminal: Terminal, sn: String, with_photo: bool, ledger: Arc<Ledger>) -> Terminal {
    let terminal = Arc::new(terminal);
    let mut passes = JoinSet::new();
    let mut tick = tokio::time::interval(EVERY);
    let mut n = 0_u64;
    while !ledger.stop.load(Ordering::Relaxed) {
        tick.tick().await;
        // So many may be owed; a real terminal keeps more.
        if terminal.unacknowledged() > 40 {
            continue;
        }
        n += 1;
        let id = format!("{sn}-{n}");
        let mut pass = Pass::staff(&(20_000 + n).to_string(), "张三").with_message_id(&id);
        if with_photo {
            pass = pass.with_photo(photo::jpeg(8, n));
        }
        let (terminal, ledger, sn) = (terminal.clone(), ledger.clone(), sn.clone());
        passes.spawn(async move {
            let ack = terminal
                .pass_until_accepted(pass)
                .await
                .expect("the terminal comes back");
            assert!(ack.is_accepted());
            ledger.acknowledged.lock().unwrap().insert((sn, id));
            let kind = if with_photo {
                &ledger.with_photo
            } else {
                &ledger.without_photo
            };
            kind.fetch_add(1, Ordering::Relaxed);
        });
    }
    while let Some(passed) = passes.join_next().await {
        passed.expect("a pass is acknowledged");
    }
    Arc::into_inner(terminal).expect("nobody else holds it")
}

/// Some pictures, by their links.
async fn fetch_some(tenant: &Tenant, records: &[Value]) {
    let anonymous = kit::Api::new(&tenant.api.base_url, None);
    let urls = records
        .iter()
        .filter_map(|record| record["snapshot_url"].as_str());
    for url in urls.step_by(records.len() / 10 + 1) {
        let path = url
            .strip_prefix(&tenant.api.base_url)
            .expect("the public address");
        assert_eq!(anonymous.get(path).await.status, 200);
    }
}

/// How often a terminal's connection ended, with which codes and why.
pub(super) fn closes(terminal: &Terminal) -> Vec<(Option<u16>, String)> {
    let closes = terminal
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Closed { code, reason } => Some((code, reason)),
            _ => None,
        });
    closes.collect()
}
