//! Things that go away under traffic: each store for a while, the process in the middle of its work.
//! Afterwards every record that was acknowledged is there once, none is doubled, and attendance has
//! heard of each once.
//!
//! Deliberately absent: input that is bad (`bad_input`); the machine room by itself, which the tests of
//! gatehouse-platform take apart store by store.

mod process;
mod push;
mod stores;
mod traffic;

/// How long a store and whoever waits for it may take to come back.
const BACK: std::time::Duration = std::time::Duration::from_secs(30);

/// A store that was stopped. It comes back when this is dropped at the latest, so that a failing test
/// takes it away from nobody else.
struct Away(&'static str);

impl Away {
    /// Stops a store, without holding up the traffic.
    async fn take(store: &'static str) -> Self {
        let stop = move || kit::services(&["stop", store]);
        tokio::task::spawn_blocking(stop).await.expect("it stops");
        Self(store)
    }

    /// Starts it again.
    async fn bring_back(self) {
        tokio::task::spawn_blocking(move || drop(self))
            .await
            .expect("it starts");
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        kit::services(&["start", self.0]);
    }
}
