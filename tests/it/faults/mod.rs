//! Things that go away under traffic: each store for a while, the process in the middle of its work.
//! Afterwards every record that was acknowledged is there once, none is doubled, and attendance has
//! heard of each once.
//!
//! Deliberately absent: input that is bad (`bad_input`); the machine room by itself, which the tests of
//! gatehouse-platform take apart store by store.

mod process;
mod stores;
mod traffic;

/// Stops or starts a store without holding up the traffic.
async fn services(words: &'static [&'static str]) {
    tokio::task::spawn_blocking(|| kit::services(words))
        .await
        .expect("services.sh did what it was told");
}
