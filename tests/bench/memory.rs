//! Figure 1: resident memory of the server per connected terminal, beside a bare echo session.
//!
//! Both processes are warmed up first: a hundred sessions come, speak and go. Then memory is read,
//! all connect, each has one heartbeat (the echo session one message), and memory is read again once
//! it stands still.

use crate::crowd::{self, Crowd, Habits};
use crate::echo::{self, EchoServer};
use crate::figure::{Figure, say};
use crate::machine;
use crate::server::Server;
use futures_util::future::try_join_all;
use serde_json::json;
use std::time::{Duration, Instant};

const GOAL: f64 = 1.3;
/// Sessions that come and go before.
const WARMING: usize = 100;
/// Files that a process opens besides sockets.
const OTHER_FILES: usize = 200;
/// About as long as a keep-alive.
const MESSAGE_BYTES: usize = 200;

/// What one process showed.
struct Seen {
    bytes_each: f64,
    before: u64,
    after: u64,
    cpu_us_each: f64,
    per_second: f64,
}

impl Seen {
    fn note(&self, whose: &str) -> String {
        format!(
            "{whose}: {:.1} MB before, {:.1} MB after; connected {:.0} per second at {:.0} us of its CPU each",
            self.before as f64 / 1e6,
            self.after as f64 / 1e6,
            self.per_second,
            self.cpu_us_each
        )
    }
}

/// Measures it.
pub(crate) async fn measure(terminals: usize, heartbeat_s: u64) -> anyhow::Result<Figure> {
    println!("memory: {terminals} terminals, a heartbeat every {heartbeat_s} s");
    machine::need_files(terminals + OTHER_FILES)?;
    let bound = bare(terminals).await?;
    say(format_args!(
        "bare echo sessions: {:.2} KB each",
        bound.bytes_each / 1e3
    ));
    let (ours, dropped) = ours(terminals, Duration::from_secs(heartbeat_s)).await?;
    let ratio = ours.bytes_each / bound.bytes_each;
    let mut notes = vec![ours.note("server"), bound.note("echo server")];
    if heartbeat_s != 30 {
        notes.push(format!(
            "heartbeats every {heartbeat_s} s instead of 30 s, for a faster run"
        ));
    }
    Ok(Figure {
        name: format!("Memory per terminal, {terminals} connected"),
        value: format!("{:.2} KB", ours.bytes_each / 1e3),
        bound: format!("{:.2} KB (actix-ws echo)", bound.bytes_each / 1e3),
        ratio,
        goal: format!("<= {GOAL} x"),
        met: ratio <= GOAL,
        lost: (dropped > 0).then(|| format!("{dropped} connections were dropped")),
        notes,
        numbers: json!({
            "terminals": terminals, "heartbeat_s": heartbeat_s,
            "bytes_per_terminal": ours.bytes_each, "bytes_per_echo_session": bound.bytes_each,
            "connect_cpu_us": ours.cpu_us_each, "echo_connect_cpu_us": bound.cpu_us_each,
            "connects_per_s": ours.per_second, "echo_connects_per_s": bound.per_second,
        }),
    })
}

async fn bare(count: usize) -> anyhow::Result<Seen> {
    let server = EchoServer::start().await?;
    let message = "x".repeat(MESSAGE_BYTES);
    let mut warm = server.connect_many(WARMING).await?;
    try_join_all(
        warm.iter_mut()
            .map(|socket| echo::round_trip(socket, &message)),
    )
    .await?;
    drop(warm);
    let before = machine::settled(server.pid()).await?;
    let (cpu, begun) = (machine::cpu(server.pid())?, Instant::now());
    let mut sockets = server.connect_many(count).await?;
    let (cpu, took) = (machine::cpu(server.pid())? - cpu, begun.elapsed());
    try_join_all(
        sockets
            .iter_mut()
            .map(|socket| echo::round_trip(socket, &message)),
    )
    .await?;
    let after = machine::settled(server.pid()).await?;
    Ok(seen(count, before, after, cpu, took))
}

async fn ours(count: usize, heartbeat: Duration) -> anyhow::Result<(Seen, usize)> {
    let server = Server::start().await;
    let crowd = Crowd::claim(&server, count).await?;
    let quick = Habits {
        heartbeat: Duration::from_secs(1),
        events: 8,
    };
    let warm = crowd.connect(WARMING.min(count), quick).await?;
    crowd::heartbeats(&warm, Duration::from_secs(60)).await?;
    for terminal in warm {
        terminal.close().await;
    }
    let before = machine::settled(server.pid()).await?;
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let terminals = crowd
        .connect(
            count,
            Habits {
                heartbeat,
                events: 8,
            },
        )
        .await?;
    let (cpu, took) = (server.cpu()? - cpu, begun.elapsed());
    say("waiting for a heartbeat of each");
    crowd::heartbeats(&terminals, heartbeat * 2 + Duration::from_secs(60)).await?;
    let after = machine::settled(server.pid()).await?;
    let dropped = crowd::dropped(&terminals);
    Ok((seen(count, before, after, cpu, took), dropped))
}

fn seen(count: usize, before: u64, after: u64, cpu: Duration, took: Duration) -> Seen {
    let count = count as f64;
    Seen {
        bytes_each: after.saturating_sub(before) as f64 / count,
        before,
        after,
        cpu_us_each: cpu.as_secs_f64() * 1e6 / count,
        per_second: count / took.as_secs_f64(),
    }
}
