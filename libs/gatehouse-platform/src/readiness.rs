//! Whether this process can do its work, for `/readyz`: the stores are asked in the background, so
//! that the answer comes from memory, at once, also when a store hangs.

use crate::service::Kit;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(2);

/// One question to a store.
type Question = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What is known of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Not asked yet.
    Unknown,
    /// It answered.
    Up,
    /// It did not. Why stands in the log, once.
    Down,
}

/// The answer of `/readyz`: 200 where `ready`, 503 otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ReadyReport {
    /// Whether every store answers and the process is not stopping.
    pub ready: bool,
    /// Each store.
    pub checks: BTreeMap<String, Health>,
}

/// The checks of this process. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Readiness {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    health: Mutex<BTreeMap<&'static str, Health>>,
    stopping: AtomicBool,
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Readiness").field(&self.report()).finish()
    }
}

impl Readiness {
    /// Watches the four stores of a kit until `cancel`.
    #[must_use]
    pub fn of(kit: &Kit, cancel: &CancellationToken) -> Self {
        let readiness = Self::default();
        let (db, bus, cache, objects) = (
            kit.db.clone(),
            kit.bus.clone(),
            kit.cache.clone(),
            kit.objects.clone(),
        );
        readiness.watch("postgres", cancel, move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|e| e.to_string()) }
        });
        readiness.watch("rabbitmq", cancel, move || {
            let bus = bus.clone();
            async move { bus.ping().await.map_err(|e| e.to_string()) }
        });
        readiness.watch("redis", cancel, move || {
            let cache = cache.clone();
            async move { cache.ping().await.map_err(|e| e.to_string()) }
        });
        readiness.watch("s3", cancel, move || {
            let objects = objects.clone();
            async move { objects.ping().await.map_err(|e| e.to_string()) }
        });
        readiness
    }

    /// Asks this question every two seconds until `cancel`. Must be called within a tokio runtime.
    pub fn watch<F, R>(&self, name: &'static str, cancel: &CancellationToken, ask: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.set(name, Health::Unknown);
        let question: Question = Arc::new(move || Box::pin(ask()));
        let readiness = self.clone();
        let cancel = cancel.clone();
        tokio::spawn(cancel.run_until_cancelled_owned(readiness.keep_asking(name, question)));
    }

    async fn keep_asking(self, name: &'static str, question: Question) {
        let mut last = Health::Unknown;
        loop {
            let answer = tokio::time::timeout(PATIENCE, question()).await;
            let (health, why) = match answer {
                Ok(Ok(())) => (Health::Up, String::new()),
                Ok(Err(why)) => (Health::Down, why),
                Err(_) => (Health::Down, format!("no answer within {PATIENCE:?}")),
            };
            if health != last {
                match health {
                    Health::Down => tracing::warn!(store = name, %why, "a store is away"),
                    Health::Up => tracing::info!(store = name, "a store answers"),
                    Health::Unknown => {}
                }
            }
            last = health;
            self.set(name, health);
            metrics::gauge!("gatehouse_store_up", "store" => name).set(if health == Health::Up {
                1.0
            } else {
                0.0
            });
            tokio::time::sleep(EVERY).await;
        }
    }

    fn set(&self, name: &'static str, health: Health) {
        self.shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, health);
    }

    /// From now on the process is not ready: it is stopping.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// What is known now.
    #[must_use]
    pub fn report(&self) -> ReadyReport {
        let checks: BTreeMap<String, Health> = self
            .shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(name, health)| ((*name).to_owned(), *health))
            .collect();
        let up = checks.values().all(|h| *h == Health::Up);
        ReadyReport {
            ready: up && !self.shared.stopping.load(Ordering::Relaxed),
            checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Readiness};

    #[test]
    fn one_store_away_or_unasked_is_not_ready_and_neither_is_stopping() {
        let readiness = Readiness::default();
        readiness.set("a", Health::Up);
        readiness.set("b", Health::Unknown);
        assert!(!readiness.report().ready);
        readiness.set("b", Health::Down);
        assert!(!readiness.report().ready);
        readiness.set("b", Health::Up);
        assert!(readiness.report().ready);
        readiness.stop();
        assert!(!readiness.report().ready);
    }
}
