//! Redis: leases and allowances, nothing that matters when it is lost.
//!
//! Every call answers within a quarter of a second. While Redis is away it answers an error, and the
//! caller falls back: a lease counts as absent, an allowance is judged by the process alone.
//!
//! Deliberately absent: cached rows. What the database knows is read from the database.

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Cmd, IntoConnectionInfo, Pipeline, Script, SetExpiry, SetOptions};
use std::sync::LazyLock;
use std::time::Duration;

/// The longest a caller waits.
const PATIENCE: Duration = Duration::from_millis(250);

/// Settings of Redis.
#[derive(Debug, Clone, clap::Args)]
pub struct CacheSettings {
    /// Address of Redis.
    #[arg(
        long = "redis-url",
        env = "GATEHOUSE_REDIS_URL",
        hide_env_values = true
    )]
    pub redis_url: String,
}

/// Why Redis gave no answer. All of it may pass by itself, except for an address that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It did not answer in time, which is also how an unreachable one shows.
    #[error("Redis did not answer within {} ms", PATIENCE.as_millis())]
    Late,
    /// The connection broke, or Redis refused.
    #[error("Redis: {0}")]
    Broken(#[from] redis::RedisError),
    /// The address in the settings cannot be read.
    #[error("the address of Redis cannot be read; check GATEHOUSE_REDIS_URL")]
    Address,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Whether this call is within the limit.
    pub allowed: bool,
    /// How many more would be allowed in this window.
    pub remaining: u32,
    /// When the window ends and the full limit is there again.
    pub reset_after: Duration,
}

/// Redis. Cloning is cheap; one connection carries everything.
#[derive(Clone)]
pub struct Cache {
    connection: Option<ConnectionManager>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Cache {
    /// Opens without connecting. Must be called within a tokio runtime.
    #[must_use]
    pub fn open(settings: &CacheSettings) -> Self {
        let config = ConnectionManagerConfig::new()
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(3)
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(PATIENCE));
        let connection = settings
            .redis_url
            .as_str()
            .into_connection_info()
            .and_then(|info| redis::Client::open(info.set_tcp_settings(tcp_settings())))
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, config));
        if connection.is_err() {
            tracing::error!("the address of Redis cannot be read; check GATEHOUSE_REDIS_URL");
        }
        Self {
            connection: connection.ok(),
        }
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn ping(&self) -> Result<(), CacheError> {
        let mut connection = self.connection()?;
        in_time(redis::cmd("PING").query_async::<()>(&mut connection)).await
    }

    /// Writes or renews leases, in one round trip: key and holder. They end after `ttl`.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn hold(&self, leases: &[(String, String)], ttl: Duration) -> Result<(), CacheError> {
        if leases.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection()?;
        let options = SetOptions::default().with_expiration(SetExpiry::PX(millis(ttl)));
        let mut pipeline = Pipeline::with_capacity(leases.len());
        for (key, holder) in leases {
            pipeline.set_options(key, holder, options.clone()).ignore();
        }
        in_time(pipeline.query_async::<()>(&mut connection)).await
    }

    /// Ends leases early, where this holder still has them: another process may have taken one over.
    /// Best effort: an error is only counted, the lease ends by itself.
    pub async fn release(&self, leases: &[(String, String)]) {
        static RELEASE: LazyLock<Script> = LazyLock::new(|| {
            Script::new(
                r"for i, key in ipairs(KEYS) do
                    if redis.call('GET', key) == ARGV[i] then redis.call('DEL', key) end
                  end",
            )
        });
        if leases.is_empty() {
            return;
        }
        let Ok(mut connection) = self.connection() else {
            return;
        };
        let mut call = RELEASE.prepare_invoke();
        for (key, holder) in leases {
            call.key(key).arg(holder);
        }
        let released = in_time(call.invoke_async::<()>(&mut connection)).await;
        if released.is_err() {
            metrics::counter!("gatehouse_cache_releases_failed_total").increment(1);
        }
    }

    /// Who holds these leases, in the order of the keys; `None` where nobody does.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn held(&self, keys: &[String]) -> Result<Vec<Option<String>>, CacheError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection()?;
        in_time(Cmd::mget(keys).query_async(&mut connection)).await
    }

    /// Takes one of `limit` per `window` (a fixed one, beginning with its first call). All processes
    /// count together.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn take(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Allowance, CacheError> {
        // One round trip; the expiry is set again where a crash between the two left none.
        static TAKE: LazyLock<Script> = LazyLock::new(|| {
            Script::new(
                r"local taken = redis.call('INCR', KEYS[1])
                  local left = redis.call('PTTL', KEYS[1])
                  if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]); left = tonumber(ARGV[1]) end
                  return {taken, left}",
            )
        });
        let mut connection = self.connection()?;
        let mut call = TAKE.key(key);
        call.arg(millis(window));
        let (taken, left_ms): (u64, u64) = in_time(call.invoke_async(&mut connection)).await?;
        Ok(allowance(taken, left_ms, limit))
    }

    fn connection(&self) -> Result<ConnectionManager, CacheError> {
        self.connection.clone().ok_or(CacheError::Address)
    }
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    // A peer that vanished without a word is given up, and the next call connects again.
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    settings
}

fn allowance(taken: u64, left_ms: u64, limit: u32) -> Allowance {
    let limit = u64::from(limit);
    Allowance {
        allowed: taken <= limit,
        remaining: u32::try_from(limit.saturating_sub(taken)).unwrap_or(u32::MAX),
        reset_after: Duration::from_millis(left_ms),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

async fn in_time<T>(
    call: impl Future<Output = Result<T, redis::RedisError>>,
) -> Result<T, CacheError> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(CacheError::Late),
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, allowance};
    use std::time::Duration;

    #[test]
    fn an_allowance_runs_out_at_its_limit() {
        let expected = |allowed, remaining| Allowance {
            allowed,
            remaining,
            reset_after: Duration::from_millis(900),
        };
        assert_eq!(allowance(1, 900, 2), expected(true, 1));
        assert_eq!(allowance(2, 900, 2), expected(true, 0));
        assert_eq!(allowance(3, 900, 2), expected(false, 0));
    }
}
