//! Figure 6: persons with photos told to terminals per second, beside each thing that could bound it
//! alone: reading the photos, encoding them, and the sockets with the terminals at their other end.

use crate::crowd::{Crowd, Habits};
use crate::figure::{Figure, say};
use crate::floor::Floor;
use crate::people::People;
use crate::records::drops;
use crate::rounds::median;
use crate::server::{Server, object_settings};
use crate::teacher::Teacher;
use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use gatehouse_platform::objects::Objects;
use gatehouse_simulator::{Terminal, TerminalProfile, photo, serial_number};
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

const GOAL: f64 = 0.7;
const PHOTO_KB: usize = 60;
const ROUNDS: usize = 3;
const AT_ONCE: usize = 48;
const TOLD_WITHIN: Duration = Duration::from_secs(300);

/// Measures it.
pub(crate) async fn measure(terminals: usize, persons: usize) -> anyhow::Result<Figure> {
    println!(
        "distribution: {persons} persons with a photo of {PHOTO_KB} KB to {terminals} terminals, {ROUNDS} rounds"
    );
    let server = Server::start().await;
    let floor = Floor::copy(&[]).await?;
    let crowd = Crowd::claim(&server, terminals).await?;
    let album = Album::keep(&crowd, persons).await?;
    let people = People::write(&crowd, floor.pool(), persons, &album.hashes).await?;
    let habits = Habits {
        heartbeat: Duration::from_secs(30),
        events: 0,
    };
    let connected = crowd.connect(terminals, habits).await?;
    let (mut ours, mut bound, mut cpu_us, mut lost) = (Vec::new(), Vec::new(), Vec::new(), None);
    let reads = album.read(terminals * persons).await?;
    let encodings = album.encode();
    for round in 1..=ROUNDS {
        let cpu = server.cpu()?;
        let (authority, told) = tell(&crowd, &people, terminals * persons).await?;
        cpu_us.push((server.cpu()? - cpu).as_secs_f64() * 1e6 / (terminals * persons) as f64);
        lost = lost.or(missing(&connected, persons));
        withdraw(&crowd, &connected, &authority).await?;
        let bare = bare(terminals, persons).await?;
        say(format_args!(
            "round {round}: {told:.0} persons per second; bare sockets {bare:.0}"
        ));
        ours.push(told);
        bound.push(bare);
    }
    lost = lost.or_else(|| drops(&connected));
    album.clean().await?;
    floor.drop().await?;
    let alone = [
        ("image reads", reads),
        ("encoding", encodings),
        ("sockets", median(&bound)),
    ];
    Ok(figure(
        terminals,
        persons,
        &ours,
        alone,
        median(&cpu_us),
        lost,
    ))
}

fn figure(
    terminals: usize,
    persons: usize,
    ours: &[f64],
    alone: [(&'static str, f64); 3],
    cpu_us: f64,
    lost: Option<String>,
) -> Figure {
    let ours = median(ours);
    let (what, bound) = alone
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or(("nothing", f64::NAN));
    let ratio = ours / bound;
    let listed: Vec<String> = alone
        .iter()
        .map(|(what, rate)| format!("{what} {rate:.0}/s"))
        .collect();
    Figure {
        name: format!(
            "Distribution of {persons} persons to {terminals} terminals, photos of {PHOTO_KB} KB"
        ),
        value: format!("{ours:.0}/s"),
        bound: format!("{bound:.0}/s ({what})"),
        ratio,
        goal: format!(">= {GOAL} x"),
        met: ratio >= GOAL,
        lost,
        notes: vec![
            format!("each alone: {}; the least bounds it", listed.join(", ")),
            format!(
                "from the request that saves the authority until the last terminal's answer is settled; {cpu_us:.0} us of \
                 the server's CPU per person and terminal; the simulated terminals share the cores on both sides"
            ),
        ],
        numbers: json!({"per_s": ours, "bound_per_s": bound, "bound": what, "terminals": terminals, "persons": persons,
                        "photo_bytes": PHOTO_KB * 1024, "server_cpu_us": cpu_us}),
    }
}

/// Saves the authority and waits until every terminal has confirmed everybody; persons per second.
async fn tell(crowd: &Crowd, people: &People, count: usize) -> anyhow::Result<(String, f64)> {
    let begun = Instant::now();
    let (authority, distribution) = people.authorize(crowd).await?;
    let path = format!("/v1/distributions/{distribution}");
    loop {
        let seen = crowd.tenant.api.get(&path).await.expect(200);
        if seen["state"] == "done" {
            anyhow::ensure!(seen["failed"] == 0, "some failed: {seen}");
            return Ok((authority, count as f64 / begun.elapsed().as_secs_f64()));
        }
        anyhow::ensure!(
            begun.elapsed() < TOLD_WITHIN,
            "not told within {TOLD_WITHIN:?}: {seen}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn missing(terminals: &[Terminal], persons: usize) -> Option<String> {
    let held: Vec<usize> = terminals
        .iter()
        .map(|terminal| terminal.persons().len())
        .collect();
    let short = held.iter().filter(|held| **held != persons).count();
    (short > 0).then(|| format!("{short} terminals do not hold {persons} persons"))
}

async fn withdraw(crowd: &Crowd, terminals: &[Terminal], authority: &str) -> anyhow::Result<()> {
    let reply = crowd
        .tenant
        .api
        .delete(&format!("/v1/authorities/{authority}"))
        .await;
    anyhow::ensure!(
        reply.status < 300,
        "the authority is not removed: {}",
        reply.json
    );
    let begun = Instant::now();
    while terminals
        .iter()
        .any(|terminal| !terminal.persons().is_empty())
    {
        anyhow::ensure!(
            begun.elapsed() < TOLD_WITHIN,
            "persons stay after their authority"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The same to as many terminals of the same kind by a server that does nothing else.
async fn bare(terminals: usize, persons: usize) -> anyhow::Result<f64> {
    let teacher = Teacher::start(persons, PHOTO_KB * 1024).await?;
    let first = kit::world::fresh_sn();
    let begun = Instant::now();
    let connected: Vec<Terminal> = stream::iter((0_u64..).take(terminals))
        .map(|steps| {
            let profile = TerminalProfile {
                event_limit: 0,
                keep_person_photos: false,
                ..TerminalProfile::new(&teacher.url(), &serial_number(&first, steps))
            };
            Terminal::connect(profile)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
        .context("terminals reach the bare teacher")?;
    while missing(&connected, persons).is_some() {
        anyhow::ensure!(
            begun.elapsed() < TOLD_WITHIN,
            "the bare teacher does not end"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rate = (terminals * persons) as f64 / begun.elapsed().as_secs_f64();
    futures_util::future::join_all(connected.into_iter().map(Terminal::close)).await;
    Ok(rate)
}

/// Pictures in the object store, under the keys where the directory keeps them.
struct Album {
    objects: Objects,
    keys: Vec<String>,
    hashes: Vec<Vec<u8>>,
    picture: Bytes,
}

impl Album {
    async fn keep(crowd: &Crowd, count: usize) -> anyhow::Result<Self> {
        let picture = Bytes::from(photo::jpeg(PHOTO_KB, 1));
        let tenant = crowd.tenant_uuid()?.simple();
        let mut album = Self {
            objects: Objects::open(&object_settings()),
            keys: Vec::new(),
            hashes: Vec::new(),
            picture,
        };
        for _ in 0..count {
            let halves = [Uuid::new_v4(), Uuid::new_v4()];
            album
                .hashes
                .push(halves.iter().flat_map(|half| *half.as_bytes()).collect());
            let [a, b] = halves.map(|half| half.simple().to_string());
            album
                .keys
                .push(format!("photos/{tenant}/{a}{b}/terminal.jpg"));
        }
        stream::iter(album.keys.iter())
            .map(|key| album.objects.put(key, "image/jpeg", album.picture.clone()))
            .buffer_unordered(16)
            .try_collect::<()>()
            .await?;
        Ok(album)
    }

    /// Reads a photo for each person and terminal; per second.
    async fn read(&self, count: usize) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let count = count.min(5_000);
        stream::iter(self.keys.iter().cycle().take(count))
            .map(|key| self.objects.get(key))
            .buffer_unordered(16)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await?;
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }

    /// Encodes a photo again and again; per second.
    fn encode(&self) -> f64 {
        let begun = Instant::now();
        let mut count = 0_u32;
        while begun.elapsed() < Duration::from_millis(500) {
            std::hint::black_box(base64_simd::STANDARD.encode_to_string(&self.picture));
            count += 1;
        }
        f64::from(count) / begun.elapsed().as_secs_f64()
    }

    async fn clean(&self) -> anyhow::Result<()> {
        stream::iter(self.keys.iter())
            .map(|key| self.objects.delete(key))
            .buffer_unordered(16)
            .try_collect::<()>()
            .await?;
        Ok(())
    }
}
