//! Figure 2: records without photo that are acknowledged per second, each terminal with one in
//! flight, beside a bare UNNEST insert of the same rows by one connection in batches of the same size.

use crate::crowd::{self, Crowd, Habits};
use crate::figure::{Figure, say};
use crate::floor::{self, Floor};
use crate::rounds::{ROUNDS, Rounds, median};
use crate::server::Server;
use anyhow::Context;
use futures_util::future::try_join_all;
use gatehouse_simulator::{Pass, Terminal};
use serde_json::json;
use sqlx::Row as _;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const GOAL: f64 = 0.5;
/// Message ids of a round begin here times its number.
const ROUND_IDS: u64 = 1_000_000;
const BATCH_SIZES: &str = "gatehouse_record_batch_size";
/// Where the server does not tell its batches.
const USUAL_BATCH: f64 = 200.0;

/// Measures it.
pub(crate) async fn measure(terminals: usize, seconds: f64) -> anyhow::Result<Figure> {
    println!("records: {terminals} terminals, one record in flight each, {seconds} s on each side");
    let window = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    let server = Server::start().await;
    let floor = Floor::copy(&["hub.records"]).await?;
    let crowd = Crowd::claim(&server, terminals).await?;
    let habits = Habits {
        heartbeat: Duration::from_secs(30),
        events: 0,
    };
    let connected = crowd.connect(terminals, habits).await?;
    let mut ledger = Ledger::default();
    say("warming up");
    ledger.add(upload(&connected, 0, Duration::from_secs(1), |_, _| plain()).await?);
    let patterns = floor::patterns(floor.pool(), crowd.tenant_uuid()?).await?;
    floor
        .insert_records(&patterns, terminals, Duration::from_millis(500))
        .await?;

    let (mut rounds, mut batches) = (Rounds::default(), Vec::new());
    for round in 1..=u64::from(ROUNDS) {
        let (cpu, sizes) = (server.cpu()?, server.histogram(BATCH_SIZES).await?);
        let uploaded = upload(&connected, round, window, |_, _| plain()).await?;
        let cpu = server.cpu()? - cpu;
        let batch = mean_between(sizes, server.histogram(BATCH_SIZES).await?);
        let bare = floor
            .insert_records(&patterns, batch.round().max(1.0) as usize, window)
            .await?;
        rounds.add(&uploaded, cpu, bare);
        batches.push(batch);
        ledger.add(uploaded);
    }
    let lost = ledger
        .verify(&floor, &crowd)
        .await?
        .or_else(|| drops(&connected));
    floor.drop().await?;
    Ok(figure(
        terminals,
        rounds,
        median(&batches),
        ledger.len(),
        lost,
    ))
}

fn figure(
    terminals: usize,
    mut rounds: Rounds,
    batch: f64,
    acknowledged: usize,
    lost: Option<String>,
) -> Figure {
    let ratio = rounds.ours() / rounds.bound();
    let mut notes = rounds.notes();
    notes.push(format!("batches of {batch:.0} records, on both sides"));
    notes.push(format!(
        "{acknowledged} acknowledged records looked up in the database: each is there exactly once"
    ));
    let mut numbers = rounds.numbers();
    numbers["terminals"] = json!(terminals);
    numbers["batch"] = json!(batch);
    numbers["acknowledged"] = json!(acknowledged);
    Figure {
        name: format!("Records without photo, {terminals} terminals"),
        value: format!("{:.0}/s", rounds.ours()),
        bound: format!("{:.0}/s (bare insert)", rounds.bound()),
        ratio,
        goal: format!(">= {GOAL} x"),
        met: ratio >= GOAL,
        lost,
        notes,
        numbers,
    }
}

fn plain() -> Pass {
    Pass::staff("20001", "张三").with_temperature("36.5")
}

/// The mean between two looks at a histogram.
fn mean_between((sum, count): (f64, f64), (later_sum, later_count): (f64, f64)) -> f64 {
    if later_count > count {
        (later_sum - sum) / (later_count - count)
    } else {
        USUAL_BATCH
    }
}

/// What connections were lost, if any.
pub(crate) fn drops(terminals: &[Terminal]) -> Option<String> {
    let dropped = crowd::dropped(terminals);
    (dropped > 0).then(|| format!("{dropped} connections were dropped"))
}

/// What one round uploaded: for each terminal, message ids and how long their answers took.
#[derive(Debug)]
pub(crate) struct Uploaded {
    acknowledged: Vec<Vec<(u64, Duration)>>,
    took: Duration,
}

impl Uploaded {
    /// How many were acknowledged.
    pub(crate) fn all(&self) -> usize {
        self.acknowledged.iter().map(Vec::len).sum()
    }

    /// How many that is per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.all() as f64 / self.took.as_secs_f64()
    }

    /// How long each answer took.
    pub(crate) fn waits(&self) -> impl Iterator<Item = Duration> {
        self.acknowledged.iter().flatten().map(|(_, wait)| *wait)
    }
}

/// Each terminal uploads, waits for the answer, uploads the next, until the time is over; what is
/// under way then is waited for and counts, time and all.
pub(crate) async fn upload(
    terminals: &[Terminal],
    round: u64,
    window: Duration,
    pass: impl Fn(usize, u64) -> Pass,
) -> anyhow::Result<Uploaded> {
    let begun = Instant::now();
    let pass = &pass;
    let uploading = terminals
        .iter()
        .enumerate()
        .map(|(place, terminal)| async move {
            let mut acknowledged = Vec::new();
            let mut message_id = round * ROUND_IDS;
            while begun.elapsed() < window {
                message_id += 1;
                let sent_at = Instant::now();
                let record = pass(place, message_id).with_message_id(&message_id.to_string());
                let answer = terminal.pass(record).await?;
                anyhow::ensure!(
                    answer.is_accepted(),
                    "a record was answered {}: {}",
                    answer.error_code,
                    answer.msg
                );
                acknowledged.push((message_id, sent_at.elapsed()));
            }
            anyhow::Ok(acknowledged)
        });
    let acknowledged = try_join_all(uploading).await?;
    Ok(Uploaded {
        acknowledged,
        took: begun.elapsed(),
    })
}

/// Every record that a terminal was told is stored.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rounds: Vec<Uploaded>,
}

impl Ledger {
    /// Takes the records of a round.
    pub(crate) fn add(&mut self, uploaded: Uploaded) {
        self.rounds.push(uploaded);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rounds.iter().map(Uploaded::all).sum()
    }

    /// Looks each of them up; says what is missing or there twice, if anything.
    pub(crate) async fn verify(
        &self,
        floor: &Floor,
        crowd: &Crowd,
    ) -> anyhow::Result<Option<String>> {
        let tenant = crowd.tenant_uuid()?;
        let mut tx = floor::as_tenant(floor.pool(), tenant).await?;
        let rows = sqlx::query("select device_id, message_id, count(*) from hub.records where tenant_id = $1 group by 1, 2")
            .bind(tenant)
            .fetch_all(&mut *tx)
            .await
            .context("the records are read")?;
        let mut stored: HashMap<(Uuid, String), i64> = HashMap::with_capacity(rows.len());
        for row in rows {
            stored.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
        let (mut missing, mut twice) = (0, 0);
        for round in &self.rounds {
            for ((_, device), acknowledged) in crowd.devices.iter().zip(&round.acknowledged) {
                for (message_id, _) in acknowledged {
                    match stored.get(&(device.uuid(), message_id.to_string())) {
                        None => missing += 1,
                        Some(1) => {}
                        Some(_) => twice += 1,
                    }
                }
            }
        }
        let fault = format!(
            "of {} acknowledged records {missing} are missing and {twice} are there twice",
            self.len()
        );
        Ok((missing + twice > 0).then_some(fault))
    }
}
