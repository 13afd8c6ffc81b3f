//! How often somebody may try: by e-mail address and by network address. All processes count together
//! in Redis; while it is away, each counts for itself.

use gatehouse_platform::cache::Cache;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::secrets::hash_token;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);
/// Attempts a minute for one e-mail address, from wherever.
const PER_EMAIL: u32 = 10;
/// Attempts a minute from one network address, for whomever. A whole office may share one.
const PER_ADDRESS: u32 = 60;
/// Beyond so many counted keys, those that are full again are forgotten.
const MOST_COUNTED: usize = 10_000;

/// Counts attempts.
pub(crate) struct Throttle {
    by_email: Counter,
    by_address: Counter,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

struct Counter {
    prefix: &'static str,
    per_minute: u32,
    alone: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            by_email: Counter::new("login:email", PER_EMAIL),
            by_address: Counter::new("login:address", PER_ADDRESS),
        }
    }

    /// One attempt to sign in as this e-mail address. Whether it is known makes no difference.
    ///
    /// # Errors
    /// 429 with Retry-After.
    pub(crate) async fn sign_in(
        &self,
        cache: &Cache,
        email: &str,
        address: Option<IpAddr>,
    ) -> Answer<()> {
        self.call(cache, address).await?;
        // Redis need not know who signs in.
        let email: String = hash_token(email)
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.by_email.take(cache, &email).await
    }

    /// One attempt from this network address.
    ///
    /// # Errors
    /// 429 with Retry-After.
    pub(crate) async fn call(&self, cache: &Cache, address: Option<IpAddr>) -> Answer<()> {
        let Some(address) = address else {
            return Ok(());
        };
        self.by_address.take(cache, &network_of(address)).await
    }
}

/// Somebody with an IPv6 line has a whole /64 to call from.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let network = u128::from(v6) >> 64;
            format!("{network:016x}/64")
        }
    }
}

impl Counter {
    fn new(prefix: &'static str, per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let alone = RateLimiter::new(quota, HashMapStateStore::default(), DefaultClock::default());
        Self {
            prefix,
            per_minute,
            alone,
        }
    }

    async fn take(&self, cache: &Cache, who: &str) -> Answer<()> {
        match cache
            .take(&format!("{}:{who}", self.prefix), self.per_minute, WINDOW)
            .await
        {
            Ok(allowance) if allowance.allowed => Ok(()),
            Ok(allowance) => Err(refusal(allowance.reset_after)),
            Err(_) => self.take_alone(who),
        }
    }

    fn take_alone(&self, who: &str) -> Answer<()> {
        if self.alone.len() > MOST_COUNTED {
            self.alone.retain_recent();
        }
        let taken = self.alone.check_key(&who.to_owned());
        taken.map_err(|not_until| refusal(not_until.wait_time_from(DefaultClock::default().now())))
    }
}

fn refusal(wait: Duration) -> Problem {
    let seconds = wait.as_secs().saturating_add(1);
    Problem::new(
        ProblemCode::RateLimited,
        format!("Too many attempts to sign in; wait {seconds} s."),
    )
    .with_retry_after(seconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_process_alone_refuses_after_the_limit() {
        let counter = Counter::new("t", 3);
        for _ in 0..3 {
            assert!(counter.take_alone("a").is_ok());
        }
        assert_eq!(
            counter.take_alone("a").unwrap_err().code(),
            ProblemCode::RateLimited
        );
        assert!(counter.take_alone("b").is_ok(), "others are not concerned");
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let net = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff:2"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
        assert_eq!(net("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
