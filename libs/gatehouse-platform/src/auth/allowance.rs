//! Rate limits per key and per tenant, counted in Redis over all processes; while Redis is away,
//! each process counts for itself.

use crate::cache::Cache;
use crate::http::{Answer, Problem, ProblemCode};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

/// What is left to a caller, for the `RateLimit` headers.
#[derive(Debug, Clone)]
pub struct SpentAllowance {
    limit: u32,
    remaining: u32,
    reset_after: Duration,
}

impl SpentAllowance {
    /// Writes the headers `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds).
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let reset = self.reset_after.as_secs().saturating_add(1);
        for (name, value) in [
            ("ratelimit-limit", self.limit.to_string()),
            ("ratelimit-remaining", self.remaining.to_string()),
            ("ratelimit-reset", reset.to_string()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Counts requests of one kind of caller.
pub(crate) struct Limiter {
    kind: &'static str,
    per_minute: u32,
    alone: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Limiter({} {}/min)", self.kind, self.per_minute)
    }
}

impl Limiter {
    pub(crate) fn new(kind: &'static str, per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            kind,
            per_minute,
            alone: RateLimiter::new(quota, HashMapStateStore::default(), DefaultClock::default()),
        }
    }

    /// Takes one request from the allowance of `id`.
    ///
    /// # Errors
    /// 429 with Retry-After where nothing is left.
    pub(crate) async fn spend(&self, cache: &Cache, id: &str) -> Answer<SpentAllowance> {
        match cache
            .take(&format!("rate:{}:{id}", self.kind), self.per_minute, WINDOW)
            .await
        {
            Ok(allowance) if allowance.allowed => Ok(SpentAllowance {
                limit: self.per_minute,
                remaining: allowance.remaining,
                reset_after: allowance.reset_after,
            }),
            Ok(allowance) => Err(self.refusal(allowance.reset_after)),
            Err(_) => self.spend_alone(id),
        }
    }

    fn spend_alone(&self, id: &str) -> Answer<SpentAllowance> {
        if self.alone.len() > 10_000 {
            self.alone.retain_recent();
        }
        match self.alone.check_key(&id.to_owned()) {
            Ok(()) => Ok(SpentAllowance {
                limit: self.per_minute,
                remaining: 0,
                reset_after: WINDOW,
            }),
            Err(not_until) => {
                Err(self.refusal(not_until.wait_time_from(DefaultClock::default().now())))
            }
        }
    }

    fn refusal(&self, reset_after: Duration) -> Problem {
        let seconds = reset_after.as_secs().saturating_add(1);
        Problem::new(
            ProblemCode::RateLimited,
            format!(
                "This {} may send {} requests a minute; wait {seconds} s.",
                self.kind, self.per_minute
            ),
        )
        .with_retry_after(seconds)
    }
}
