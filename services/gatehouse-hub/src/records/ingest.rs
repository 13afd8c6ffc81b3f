//! Group commit: what arrives while one transaction is under way is stored by the next. Cost per
//! record falls under load, and whoever is told "stored" can rely on it.
//!
//! When the database is away, or two transactions collide, nobody of the batch is told anything but
//! that it is not stored: terminals upload again. When the database refuses a batch for good, it is
//! halved until the row that cannot be stored stands alone, so that it harms no other.

use super::photos;
use super::row::RecordRow;
use super::store::{self, Found};
use crate::hub::Hub;
use gatehouse_platform::db::{Database, DbError};
use gatehouse_platform::tenant::TenantScope;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Most records of one transaction.
const BATCH: usize = 500;
/// Records that may wait for a transaction.
const WAITING: usize = 4 * BATCH;
/// After a failure, so that an absent database is not asked a thousand times a second.
const PAUSE: Duration = Duration::from_millis(250);

/// A record is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Since now.
    New,
    /// It was there before.
    Repeat,
    /// It is an erased person's: as much of it as may stay is there, and its pictures may not.
    Nobodys,
}

/// A record is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotStored {
    /// The database is away, or busy with something else; try again.
    #[error("the record could not be stored now")]
    Now,
    /// It can never be stored; it was put among the rejected uploads.
    #[error("the record can never be stored: {0}")]
    Ever(String),
}

/// Stores a record; comes back after the commit. The pictures of an erased person are gone by then; where
/// they cannot be deleted now, the record comes again.
pub(crate) async fn store(
    hub: &Hub,
    scope: &TenantScope,
    row: RecordRow,
) -> Result<Stored, NotStored> {
    let pictures = row.photos.clone();
    let stored = hub.ingest.store(scope, row).await?;
    if stored == Stored::Nobodys
        && let Err(error) = photos::delete(&hub.kit.objects, &pictures).await
    {
        tracing::warn!(%error, "the pictures of an erased person could not be deleted now");
        return Err(NotStored::Now);
    }
    Ok(stored)
}

/// One record that waits for its transaction.
#[derive(Debug)]
struct Waiting {
    scope: TenantScope,
    row: RecordRow,
    told: oneshot::Sender<Result<Stored, NotStored>>,
}

/// The way into the table.
#[derive(Debug)]
pub(crate) struct Ingest {
    waiting: mpsc::Sender<Waiting>,
    queue: Mutex<Option<mpsc::Receiver<Waiting>>>,
}

impl Ingest {
    /// Nothing is stored until [`Ingest::run`] runs.
    pub(crate) fn new() -> Self {
        let (waiting, queue) = mpsc::channel(WAITING);
        Self {
            waiting,
            queue: Mutex::new(Some(queue)),
        }
    }

    /// Stores a record; comes back after the commit.
    async fn store(&self, scope: &TenantScope, row: RecordRow) -> Result<Stored, NotStored> {
        let (told, answer) = oneshot::channel();
        let waiting = Waiting {
            scope: scope.clone(),
            row,
            told,
        };
        self.waiting
            .send(waiting)
            .await
            .map_err(|_| NotStored::Now)?;
        answer.await.unwrap_or(Err(NotStored::Now))
    }

    /// The task that stores. Ends when cancelled; what then still waits is not stored.
    pub(crate) async fn run(&self, db: Database, cancel: CancellationToken) {
        let taken = self.queue.lock().ok().and_then(|mut queue| queue.take());
        let Some(mut queue) = taken else {
            return;
        };
        let mut batch = Vec::with_capacity(BATCH);
        while cancel
            .run_until_cancelled(queue.recv_many(&mut batch, BATCH))
            .await
            .is_some_and(|count| count > 0)
        {
            metrics::histogram!("gatehouse_record_batch_size")
                .record(u32::try_from(batch.len()).map_or(f64::MAX, f64::from));
            if store_halving(&db, std::mem::take(&mut batch)).await == Went::Badly {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// How a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Well,
    Badly,
}

/// Stores a batch, in halves where the database refuses the whole.
async fn store_halving(db: &Database, batch: Vec<Waiting>) -> Went {
    let mut went = Went::Well;
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        match store_part(db, &part).await {
            Ok(found) => tell_stored(part, &found),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, records = part.len(), "records could not be stored now");
                went = Went::Badly;
                tell_all(part, &NotStored::Now);
            }
            Err(error) if part.len() <= 1 => {
                for rejected in part {
                    reject(db, rejected, &error).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, records = part.len(), "a batch was refused; it is halved");
                let second = part.split_off(part.len() / 2);
                parts.push(second);
                parts.push(part);
            }
        }
    }
    went
}

/// The transaction: rows and events, together.
async fn store_part(db: &Database, part: &[Waiting]) -> Result<HashMap<Uuid, Found>, DbError> {
    let rows: Vec<&RecordRow> = part.iter().map(|waiting| &waiting.row).collect();
    let tx = db.system().await?;
    let found = store::insert(&tx, &rows).await?;
    store::publish(&tx, &rows, &found).await?;
    tx.commit().await?;
    Ok(found)
}

fn tell_stored(part: Vec<Waiting>, found: &HashMap<Uuid, Found>) {
    for waiting in part {
        let found = found.get(&waiting.row.id.uuid());
        let stored = found.map_or(Stored::Repeat, |found| found.stored());
        // Whoever asked may have gone with its socket; the record is stored all the same.
        let _: Result<(), _> = waiting.told.send(Ok(stored));
    }
}

fn tell_all(part: Vec<Waiting>, answer: &NotStored) {
    for waiting in part {
        let _: Result<(), _> = waiting.told.send(Err(answer.clone()));
    }
}

/// Keeps what can never be stored where an operator finds it.
async fn reject(db: &Database, rejected: Waiting, why: &DbError) {
    tracing::error!(
        error = %why, tenant = %rejected.row.tenant, device = %rejected.row.device,
        "an upload can never be stored; it is kept among the rejected ones"
    );
    metrics::counter!("gatehouse_records_rejected_total").increment(1);
    let kept = store::reject(db, &rejected.scope, &rejected.row, &why.to_string()).await;
    let answer = match kept {
        Err(error) if error.is_transient() => NotStored::Now,
        Ok(()) | Err(_) => NotStored::Ever(why.to_string()),
    };
    let _: Result<(), _> = rejected.told.send(Err(answer));
}
