//! The relay: carries rows of one service's outbox to the broker, through outages of either side.

use crate::backoff::Backoff;
use crate::bus::{Bus, BusError, Outgoing, Publisher};
use crate::db::{Database, DbError, sql};
use chrono::{DateTime, Utc};
use gatehouse_contracts::{EVENTS_EXCHANGE, RawEnvelope};
use gatehouse_domain::{MessageId, TenantId};
use sea_orm::{ConnectionTrait, DbErr, RuntimeErr};
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// Rows per transaction, all in flight to the broker together.
const BATCH: usize = 200;
/// How long a batch may take. One that hangs on a dead connection is carried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the outbox is looked at where no NOTIFY came.
const TICK: Duration = Duration::from_secs(1);
/// How long the last rows may take when the process stops. What stays is carried by the next process.
const FLUSH: Duration = Duration::from_secs(5);
const OBSERVE_EVERY: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Broker(#[from] BusError),
    #[error("a batch was not carried within {PATIENCE:?}")]
    Late,
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Carries rows until `cancel`, then once more until none is left.
pub(crate) async fn relay(bus: Bus, db: Database, cancel: CancellationToken) {
    let woken = Arc::new(Notify::new());
    let _listening = AbortOnDropHandle::new(tokio::spawn(listen(db.clone(), woken.clone())));
    let mut relay = Relay {
        bus,
        db,
        publisher: None,
    };
    let schema = relay.db.roles().schema;
    let mut backoff = Backoff::new();
    // What waits for the broker ends with `cancel`; a batch under way does not.
    while let Some(ready) = cancel.run_until_cancelled(relay.publisher()).await {
        let carried = match ready {
            Ok(publisher) => relay.carry(publisher).await,
            Err(error) => Err(error),
        };
        let rest = async {
            match carried {
                Ok(BATCH) => backoff.reset(),
                Ok(_) => {
                    backoff.reset();
                    // Elapsed is the tick.
                    tokio::time::timeout(TICK, woken.notified()).await.ok();
                }
                Err(error) => {
                    if backoff.is_first() {
                        tracing::warn!(schema, %error, "the outbox is not carried at the moment");
                    }
                    backoff.pause().await;
                }
            }
        };
        cancel.run_until_cancelled(rest).await;
    }
    if tokio::time::timeout(FLUSH, relay.flush()).await.is_err() {
        tracing::warn!(
            schema,
            "the outbox may not be empty; the next process carries it"
        );
    }
}

struct Relay {
    bus: Bus,
    db: Database,
    /// Of the last batch, if that went well.
    publisher: Option<Publisher>,
}

impl Relay {
    /// A publisher that works, as far as is known. Fetched before a transaction begins, so that none
    /// stays open while the broker is away.
    async fn publisher(&mut self) -> Result<Publisher, RelayError> {
        match self.publisher.take() {
            Some(publisher) if publisher.is_usable() => Ok(publisher),
            Some(_) | None => Ok(Publisher::open(&*self.bus.outward().await?).await?),
        }
    }

    /// Carries one batch; how many rows it had.
    async fn carry(&mut self, publisher: Publisher) -> Result<usize, RelayError> {
        let batch = tokio::time::timeout(PATIENCE, carry_batch(&self.db, &publisher));
        let carried = batch.await.map_err(|_| RelayError::Late)??;
        // Kept after success alone: after an error, whatever is in flight is unknown.
        self.publisher = Some(publisher);
        Ok(carried)
    }

    /// Carries what is there, as far as that works.
    async fn flush(&mut self) {
        while let Ok(publisher) = self.publisher().await {
            match self.carry(publisher).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }
}

async fn carry_batch(db: &Database, publisher: &Publisher) -> Result<usize, RelayError> {
    let schema = db.roles().schema;
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            &format!(
                "select tenant_id, id, kind, occurred_at, data::text from {schema}.outbox \
                 order by id limit {BATCH} for update skip locked"
            ),
            [],
        ))
        .await
        .map_err(DbError::from)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut tenants = Vec::with_capacity(rows.len());
    let mut ids = Vec::with_capacity(rows.len());
    let mut messages = Vec::with_capacity(rows.len());
    for row in &rows {
        let (tenant, id, kind, occurred_at, data) = row
            .try_get_many_by_index::<(Uuid, Uuid, String, DateTime<Utc>, String)>()
            .map_err(DbError::from)?;
        tenants.push(tenant);
        ids.push(id);
        messages.push(message(RawEnvelope {
            id: MessageId::from_uuid(id),
            kind,
            tenant_id: TenantId::from_uuid(tenant),
            occurred_at,
            data: RawValue::from_string(data)?,
        })?);
    }
    publisher.events(EVENTS_EXCHANGE, &messages).await?;
    tx.conn()
        .execute_raw(sql(
            &format!(
                "delete from {schema}.outbox o using unnest($1::uuid[], $2::uuid[]) as done (tenant_id, id) \
                 where o.tenant_id = done.tenant_id and o.id = done.id"
            ),
            [tenants.into(), ids.into()],
        ))
        .await
        .map_err(DbError::from)?;
    // A crash that takes this commit back repeats messages, which readers recognise.
    tx.commit_soon().await?;
    metrics::counter!("gatehouse_outbox_published_total", "schema" => schema)
        .increment(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    Ok(rows.len())
}

fn message(envelope: RawEnvelope) -> Result<Outgoing, serde_json::Error> {
    let body = serde_json::to_vec(&envelope)?;
    Ok(Outgoing::new(envelope.id.to_string(), envelope.kind, body))
}

/// Hears NOTIFY for ever.
async fn listen(db: Database, woken: Arc<Notify>) {
    let mut backoff = Backoff::new();
    loop {
        let Err(error) = hear(&db, &woken, &mut backoff).await;
        tracing::debug!(schema = db.roles().schema, %error, "not hearing of new outbox rows; the tick remains");
        backoff.pause().await;
    }
}

async fn hear(db: &Database, woken: &Notify, backoff: &mut Backoff) -> Result<Infallible, DbError> {
    let failed = |e: sqlx::Error| DbError::from(DbErr::Conn(RuntimeErr::SqlxError(e.into())));
    let mut listener = db.listener().await?;
    let channel = format!("gatehouse_outbox_{}", db.roles().schema);
    listener.listen(&channel).await.map_err(failed)?;
    backoff.reset();
    loop {
        listener.recv().await.map_err(failed)?;
        woken.notify_one();
    }
}

/// Keeps the gauges of the outbox: its rows (up to 10 000) and the age of its oldest.
pub(crate) async fn watch_depth(db: Database) {
    let schema = db.roles().schema;
    loop {
        match depth(&db).await {
            Ok((rows, age_s)) => {
                metrics::gauge!("gatehouse_outbox_rows", "schema" => schema).set(rows);
                metrics::gauge!("gatehouse_outbox_oldest_seconds", "schema" => schema).set(age_s);
            }
            // An absent database is reported by readiness.
            Err(error) if error.is_transient() => {}
            Err(error) => tracing::warn!(schema, %error, "the outbox cannot be measured"),
        }
        tokio::time::sleep(OBSERVE_EVERY).await;
    }
}

async fn depth(db: &Database) -> Result<(f64, f64), DbError> {
    let schema = db.roles().schema;
    let tx = db.system().await?;
    let row = tx
        .conn()
        .query_one_raw(sql(
            &format!(
                "select (select count(*) from (select from {schema}.outbox limit 10000) as few)::float8, \
                 coalesce(extract(epoch from now() - (select occurred_at from {schema}.outbox order by id limit 1)), 0)::float8"
            ),
            [],
        ))
        .await?;
    tx.commit().await?;
    match row {
        Some(row) => Ok(row.try_get_many_by_index::<(f64, f64)>()?),
        None => Ok((0.0, 0.0)),
    }
}
