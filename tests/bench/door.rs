//! Figure 4: from a request to open a door to the answer that it is open, at a fixed arrival rate,
//! beside two durable commits and an echo over a WebSocket.

use crate::crowd::{Crowd, Habits};
use crate::echo::{self, EchoServer, Socket};
use crate::figure::{Figure, say};
use crate::floor::Floor;
use crate::machine;
use crate::pace;
use crate::records::drops;
use crate::rounds::{ROUNDS, ms, quantile};
use crate::server::Server;
use anyhow::Context;
use gatehouse_simulator::Terminal;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use uuid::Uuid;

const GOAL: Duration = Duration::from_millis(15);
const PER_SECOND: f64 = 20.0;
/// Rounds before those that count open connections and prepare statements.
const WARMING_S: f64 = 2.0;
const SOCKETS: usize = 16;
const OTHER_FILES: usize = 200;

/// Measures it.
pub(crate) async fn measure(
    terminals: usize,
    seconds: f64,
    heartbeat_s: u64,
) -> anyhow::Result<Figure> {
    println!(
        "door: {terminals} terminals, {PER_SECOND} requests per second, {seconds} s on each side"
    );
    machine::need_files(terminals + OTHER_FILES)?;
    let server = Server::start().await;
    let crowd = Arc::new(Crowd::claim(&server, terminals).await?);
    let habits = Habits {
        heartbeat: Duration::from_secs(heartbeat_s),
        events: 0,
    };
    let connected = crowd.connect(terminals, habits).await?;
    let floor = Floor::copy(&["hub.commands"]).await?;
    let echo = EchoServer::start().await?;
    let bare = Arc::new(Bare::new(&floor, &echo).await?);
    let mut doors = Doors { crowd, next: 0 };

    say("warming up");
    let warming = (WARMING_S * PER_SECOND) as u32;
    let mut failures = doors.open(warming).await?.1;
    bare.repeat(warming).await?;
    let count = (seconds * PER_SECOND / f64::from(ROUNDS)).ceil() as u32;
    let (mut ours, mut bound) = (Vec::new(), Vec::new());
    let cpu = server.cpu()?;
    for round in 1..=ROUNDS {
        let (mut opened, failed) = doors.open(count).await?;
        let mut repeated = bare.repeat(count).await?;
        failures.extend(failed);
        say(format_args!(
            "round {round}: p50 {:.2} ms; bare {:.2} ms",
            ms(quantile(&mut opened, 0.5)),
            ms(quantile(&mut repeated, 0.5))
        ));
        ours.extend(opened);
        bound.extend(repeated);
    }
    let cpu_us = (server.cpu()? - cpu).as_secs_f64() * 1e6 / ours.len() as f64;
    floor.drop().await?;
    let lost = failures
        .first()
        .map(|first| format!("{} commands failed, the first: {first}", failures.len()));
    let lost = lost
        .or_else(|| doors.lost(&connected))
        .or_else(|| drops(&connected));
    Ok(figure(terminals, ours, bound, cpu_us, lost))
}

fn figure(
    terminals: usize,
    mut ours: Vec<Duration>,
    mut bound: Vec<Duration>,
    cpu_us: f64,
    lost: Option<String>,
) -> Figure {
    let (p50, p99) = (quantile(&mut ours, 0.5), quantile(&mut ours, 0.99));
    let (bare_p50, bare_p99) = (quantile(&mut bound, 0.5), quantile(&mut bound, 0.99));
    let most = quantile(&mut ours, 1.0);
    Figure {
        name: format!("Open-door round trip p99, {terminals} connected"),
        value: format!("{:.1} ms", ms(p99)),
        bound: format!("{:.1} ms (2 commits + echo)", ms(bare_p99)),
        ratio: ms(p99) / ms(bare_p99),
        goal: format!("< {} ms", GOAL.as_millis()),
        met: p99 < GOAL,
        lost,
        notes: vec![
            format!(
                "p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms; bare: p50 {:.2} ms, p99 {:.2} ms",
                ms(p50),
                ms(p99),
                ms(most),
                ms(bare_p50),
                ms(bare_p99)
            ),
            format!(
                "{} requests at {PER_SECOND} per second, each counted from its scheduled instant; {cpu_us:.0} us of the \
                 server's CPU each, idle sessions included",
                ours.len()
            ),
        ],
        numbers: json!({
            "terminals": terminals, "per_s": PER_SECOND, "requests": ours.len(), "p50_ms": ms(p50), "p99_ms": ms(p99),
            "longest_ms": ms(most), "bound_p50_ms": ms(bare_p50), "bound_p99_ms": ms(bare_p99), "server_cpu_us": cpu_us,
        }),
    }
}

/// Every door in turn.
struct Doors {
    crowd: Arc<Crowd>,
    next: usize,
}

impl Doors {
    /// Opens some; latencies, and what went wrong.
    async fn open(&mut self, count: u32) -> anyhow::Result<(Vec<Duration>, Vec<String>)> {
        let mut arriving = pace::arrivals(PER_SECOND, count);
        let mut opening = JoinSet::new();
        while let Some(at) = arriving.recv().await {
            let (crowd, place) = (self.crowd.clone(), self.next % self.crowd.devices.len());
            self.next += 1;
            opening.spawn(async move {
                let path = format!("/v1/devices/{}/commands?wait=10s", crowd.devices[place].1);
                let reply = crowd
                    .tenant
                    .api
                    .post(&path, json!({"type": "open_door", "message": "Welcome"}))
                    .await;
                let took = at.elapsed();
                let done = reply.json["state"] == "succeeded";
                (
                    took,
                    (!done).then(|| format!("{} {}", reply.status, reply.json)),
                )
            });
        }
        let (mut latencies, mut failures) = (Vec::new(), Vec::new());
        while let Some(joined) = opening.join_next().await {
            let (took, failure) = joined?;
            latencies.push(took);
            failures.extend(failure);
        }
        Ok((latencies, failures))
    }

    /// Each request opened exactly one door.
    fn lost(&self, terminals: &[Terminal]) -> Option<String> {
        let opened: usize = terminals.iter().map(Terminal::door_openings).sum();
        (opened != self.next)
            .then(|| format!("{} requests succeeded and {opened} doors opened", self.next))
    }
}

/// The least that such a round trip costs: a row before, the terminal's answer, the row after.
struct Bare {
    pool: PgPool,
    insert: String,
    update: String,
    sockets: Vec<Mutex<Socket>>,
}

impl Bare {
    async fn new(floor: &Floor, echo: &EchoServer) -> anyhow::Result<Self> {
        let table = format!("{}.commands", floor.schema());
        Ok(Self {
            pool: floor.pool().clone(),
            insert: format!(
                "insert into {table} (tenant_id, id, device_id, type, parameters, urgency, origin, expires_at) \
                 values ($1, $2, $3, 'open_door', '{{\"message\": \"Welcome\"}}', 0, 'api', now() + interval '5 s')"
            ),
            update: format!(
                "update {table} set state = 'succeeded', sent_at = now(), heard_at = now(), finished_at = now() \
                 where tenant_id = $1 and id = $2"
            ),
            sockets: echo
                .connect_many(SOCKETS)
                .await?
                .into_iter()
                .map(Mutex::new)
                .collect(),
        })
    }

    /// Does it at the same rate; latencies.
    async fn repeat(self: &Arc<Self>, count: u32) -> anyhow::Result<Vec<Duration>> {
        let mut arriving = pace::arrivals(PER_SECOND, count);
        let mut running = JoinSet::new();
        let mut place = 0;
        while let Some(at) = arriving.recv().await {
            let bare = self.clone();
            place += 1;
            running.spawn(async move { bare.once(place, at).await });
        }
        let mut latencies = Vec::new();
        while let Some(joined) = running.join_next().await {
            latencies.push(joined??);
        }
        Ok(latencies)
    }

    async fn once(&self, place: usize, at: Instant) -> anyhow::Result<Duration> {
        const COMMAND: &str = r#"{"msgType":"onlineOpen","msgID":"0197c4a7b1e87d3c9a54b0c1d2e3f405","deviceNo":"168380000106","token":"0123456789abcdef0123456789abcdef","msg":"Welcome"}"#;
        let (tenant, id) = (Uuid::nil(), Uuid::now_v7());
        let insert = sqlx::query(AssertSqlSafe(self.insert.as_str()))
            .bind(tenant)
            .bind(id)
            .bind(Uuid::nil());
        insert.execute(&self.pool).await?;
        let socket = self.sockets.get(place % SOCKETS).context("a socket")?;
        echo::round_trip(&mut *socket.lock().await, COMMAND).await?;
        let update = sqlx::query(AssertSqlSafe(self.update.as_str()))
            .bind(tenant)
            .bind(id);
        update.execute(&self.pool).await?;
        Ok(at.elapsed())
    }
}
