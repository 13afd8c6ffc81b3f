//! Helpers of the integration tests and the benchmark: the private services, the real binary as a
//! process, fresh tenants, an API client, and waiting for a condition with a deadline.
//!
//! Deliberately absent: mocks. Where the services are missing, a test fails and says what to run.

pub mod api;
pub mod environment;
pub mod process;
pub mod raw;
pub mod rows;
pub mod world;

pub use api::{Api, Reply};
pub use environment::{Environment, services};
pub use process::Gatehouse;
pub use raw::RawSocket;
pub use rows::uuid_of;
pub use world::{Tenant, World, alone, shared};

use std::time::{Duration, Instant};

/// Repeats a question until it has an answer; fails the test after the deadline, saying what was
/// waited for.
///
/// # Panics
/// After the deadline.
pub async fn until<T, F, R>(what: &str, deadline: Duration, mut ask: F) -> T
where
    F: FnMut() -> R,
    R: Future<Output = Option<T>>,
{
    let end = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "waited {deadline:?} in vain for: {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
