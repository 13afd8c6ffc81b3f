//! Figure 3: records with a photo that are acknowledged per second, beside bare puts of the same
//! bytes into the same object store with the same concurrency.

use crate::crowd::{Crowd, Habits};
use crate::figure::{Figure, say};
use crate::floor::{self, Floor};
use crate::records::{Ledger, drops, upload};
use crate::rounds::{ROUNDS, Rounds};
use crate::server::{Server, object_settings};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use gatehouse_platform::objects::Objects;
use gatehouse_simulator::{Pass, photo};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const GOAL: f64 = 0.7;
const PHOTO_KB: usize = 30;
/// Behind the start of the picture and the header of its first comment.
const COMMENT_AT: usize = 6;
const DELETES_AT_ONCE: usize = 64;

/// Pictures that differ in eight bytes of a comment, and cost no more than copying.
struct Album {
    pattern: Vec<u8>,
}

impl Album {
    fn new() -> Self {
        Self {
            pattern: photo::jpeg(PHOTO_KB, 1),
        }
    }

    fn photo(&self, place: usize, number: u64) -> Bytes {
        let mut bytes = self.pattern.clone();
        let mark = ((place as u64) << 40) + number;
        bytes[COMMENT_AT..COMMENT_AT + 8].copy_from_slice(&mark.to_le_bytes());
        bytes.into()
    }
}

/// Measures it.
pub(crate) async fn measure(terminals: usize, seconds: f64) -> anyhow::Result<Figure> {
    println!(
        "photos: {terminals} terminals, one record of {PHOTO_KB} KB in flight each, {seconds} s on each side"
    );
    let window = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    let album = Arc::new(Album::new());
    let server = Server::start().await;
    let floor = Floor::copy(&[]).await?;
    let crowd = Crowd::claim(&server, terminals).await?;
    let habits = Habits {
        heartbeat: Duration::from_secs(30),
        events: 0,
    };
    let connected = crowd.connect(terminals, habits).await?;
    let bare = Bare {
        objects: Objects::open(&object_settings()),
        folder: format!("bench/{}", Uuid::new_v4().simple()),
        album: album.clone(),
    };
    let with_photo = |place, number| Pass::stranger().with_photo(album.photo(place, number));
    let (mut ledger, mut keys, mut rounds) = (Ledger::default(), Vec::new(), Rounds::default());
    say("warming up");
    ledger.add(upload(&connected, 0, Duration::from_secs(1), with_photo).await?);
    bare.put(terminals, 0, Duration::from_millis(500), &mut keys)
        .await?;
    for round in 1..=u64::from(ROUNDS) {
        let cpu = server.cpu()?;
        let uploaded = upload(&connected, round, window, with_photo).await?;
        let cpu = server.cpu()? - cpu;
        let put = bare.put(terminals, round, window, &mut keys).await?;
        rounds.add(&uploaded, cpu, put);
        ledger.add(uploaded);
    }
    let lost = lost(&ledger, &floor, &crowd, &bare)
        .await?
        .or_else(|| drops(&connected));
    clean(&floor, &crowd, &bare, keys).await?;
    floor.drop().await?;
    Ok(figure(terminals, rounds, ledger.len(), lost))
}

fn figure(
    terminals: usize,
    mut rounds: Rounds,
    acknowledged: usize,
    lost: Option<String>,
) -> Figure {
    let ratio = rounds.ours() / rounds.bound();
    let mut notes = rounds.notes();
    notes.push(format!(
        "{acknowledged} acknowledged records looked up: each is in the database exactly once, with its photo"
    ));
    let mut numbers = rounds.numbers();
    numbers["terminals"] = json!(terminals);
    numbers["photo_bytes"] = json!(PHOTO_KB * 1024);
    numbers["acknowledged"] = json!(acknowledged);
    Figure {
        name: format!("Records with a {PHOTO_KB} KB photo, {terminals} terminals"),
        value: format!("{:.0}/s", rounds.ours()),
        bound: format!("{:.0}/s (bare S3 puts)", rounds.bound()),
        ratio,
        goal: format!(">= {GOAL} x"),
        met: ratio >= GOAL,
        lost,
        notes,
        numbers,
    }
}

/// Puts without anything around them.
#[derive(Clone)]
struct Bare {
    objects: Objects,
    folder: String,
    album: Arc<Album>,
}

impl Bare {
    /// Puts, as many at once as there are terminals, until the time is over; puts per second, counted
    /// like uploads.
    async fn put(
        &self,
        at_once: usize,
        round: u64,
        window: Duration,
        keys: &mut Vec<String>,
    ) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut putting = JoinSet::new();
        for place in 0..at_once {
            let bare = self.clone();
            putting.spawn(async move {
                let mut done = Vec::new();
                while begun.elapsed() < window {
                    let number = (round << 32) + done.len() as u64;
                    let key = format!("{}/{round}/{place}-{number}.jpg", bare.folder);
                    bare.objects
                        .put(&key, "image/jpeg", bare.album.photo(place, number))
                        .await?;
                    done.push(key);
                }
                anyhow::Ok(done)
            });
        }
        let before = keys.len();
        while let Some(joined) = putting.join_next().await {
            keys.extend(joined??);
        }
        Ok((keys.len() - before) as f64 / begun.elapsed().as_secs_f64())
    }
}

async fn snapshot_keys(floor: &Floor, crowd: &Crowd) -> anyhow::Result<Vec<Option<String>>> {
    let tenant = crowd.tenant_uuid()?;
    let mut tx = floor::as_tenant(floor.pool(), tenant).await?;
    Ok(
        sqlx::query_scalar("select snapshot_key from hub.records where tenant_id = $1")
            .bind(tenant)
            .fetch_all(&mut *tx)
            .await?,
    )
}

/// Rows, and that each has its picture: a sample of those is read back.
async fn lost(
    ledger: &Ledger,
    floor: &Floor,
    crowd: &Crowd,
    bare: &Bare,
) -> anyhow::Result<Option<String>> {
    say("looking everything up");
    if let Some(lost) = ledger.verify(floor, crowd).await? {
        return Ok(Some(lost));
    }
    let keys = snapshot_keys(floor, crowd).await?;
    let without = keys.iter().filter(|key| key.is_none()).count();
    if without > 0 {
        return Ok(Some(format!(
            "{without} records of {} have no photo",
            keys.len()
        )));
    }
    for key in keys.iter().flatten().step_by((keys.len() / 100).max(1)) {
        let object = bare.objects.get(key).await?;
        if object.body.len() != PHOTO_KB * 1024 {
            return Ok(Some(format!(
                "the photo {key} has {} bytes",
                object.body.len()
            )));
        }
    }
    Ok(None)
}

/// Some hundred megabytes that nobody needs any more.
async fn clean(
    floor: &Floor,
    crowd: &Crowd,
    bare: &Bare,
    mut keys: Vec<String>,
) -> anyhow::Result<()> {
    keys.extend(snapshot_keys(floor, crowd).await?.into_iter().flatten());
    say(format_args!("deleting {} photos", keys.len()));
    stream::iter(keys.iter().map(|key| bare.objects.delete(key)))
        .buffer_unordered(DELETES_AT_ONCE)
        .try_collect::<()>()
        .await?;
    Ok(())
}
