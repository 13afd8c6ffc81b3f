//! Redis: leases, allowances, and what happens without it.

use crate::kit::{cache_at, env};
use std::time::{Duration, Instant};
use uuid::Uuid;

fn key(name: &str) -> String {
    format!("test:{}:{name}", Uuid::now_v7().simple())
}

#[tokio::test]
async fn a_lease_is_seen_until_it_is_released() {
    let cache = cache_at(env("GATEHOUSE_REDIS_URL"));
    let keys = [key("a"), key("b"), key("c")];
    let leases = [
        (keys[0].clone(), "node 1".to_owned()),
        (keys[1].clone(), "node 2".to_owned()),
    ];
    let ttl = Duration::from_secs(60);
    cache.hold(&leases, ttl).await.unwrap();
    let held = cache.held(&keys).await.unwrap();
    assert_eq!(
        held,
        [Some("node 1".to_owned()), Some("node 2".to_owned()), None]
    );
    // Who does not hold it does not end it.
    cache
        .release(&[(keys[0].clone(), "node 2".to_owned())])
        .await;
    let held = cache.held(&keys[..1]).await.unwrap();
    assert_eq!(held, [Some("node 1".to_owned())]);
    cache.release(&leases[..1]).await;
    assert_eq!(cache.held(&keys[..1]).await.unwrap(), [None]);
    let taken = [(keys[0].clone(), "node 3".to_owned())];
    cache.hold(&taken, ttl).await.unwrap();
    // A lease that somebody else took over outlives its former holder.
    cache.release(&leases[..1]).await;
    let held = cache.held(&keys[..1]).await.unwrap();
    assert_eq!(held, [Some("node 3".to_owned())]);
    cache.release(&taken).await;
    cache.release(&leases).await;
}

#[tokio::test]
async fn a_lease_ends_by_itself() {
    let cache = cache_at(env("GATEHOUSE_REDIS_URL"));
    let leases = [(key("short"), "node 1".to_owned())];
    cache
        .hold(&leases, Duration::from_millis(50))
        .await
        .unwrap();
    crate::kit::eventually("the lease ends", || async {
        let held = cache.held(&[leases[0].0.clone()]).await;
        matches!(held.as_deref(), Ok([None]))
    })
    .await;
}

#[tokio::test]
async fn an_allowance_is_shared_and_comes_back_with_its_window() {
    let one = cache_at(env("GATEHOUSE_REDIS_URL"));
    let other = cache_at(env("GATEHOUSE_REDIS_URL"));
    let key = key("allowance");
    let window = Duration::from_millis(1500);
    let first = one.take(&key, 2, window).await.unwrap();
    assert!(first.allowed && first.remaining == 1, "{first:?}");
    assert!(first.reset_after <= window && !first.reset_after.is_zero());
    assert!(other.take(&key, 2, window).await.unwrap().allowed);
    let third = one.take(&key, 2, window).await.unwrap();
    assert!(!third.allowed && third.remaining == 0, "{third:?}");
    crate::kit::eventually("a new window", || async {
        one.take(&key, 2, window).await.is_ok_and(|a| a.allowed)
    })
    .await;
}

#[tokio::test]
async fn without_redis_a_caller_waits_no_longer_than_a_moment() {
    // Bound and never accepting, beside a port where nothing is bound.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for port in [1, port] {
        let cache = cache_at(format!("redis://127.0.0.1:{port}/0"));
        for _ in 0..3 {
            let began = Instant::now();
            cache
                .take("k", 1, Duration::from_secs(1))
                .await
                .unwrap_err();
            let took = began.elapsed();
            assert!(took < Duration::from_millis(300), "port {port}: {took:?}");
        }
    }
}

#[tokio::test]
async fn redis_is_found_again() {
    use crate::kit::{Proxy, target_of, through};
    let url = env("GATEHOUSE_REDIS_URL");
    let proxy = Proxy::to(target_of(&url)).await;
    let cache = cache_at(through(&url, &proxy));
    cache.ping().await.unwrap();
    proxy.cut();
    crate::kit::eventually("Redis is away", || async { cache.ping().await.is_err() }).await;
    proxy.mend();
    crate::kit::eventually("Redis is back", || async { cache.ping().await.is_ok() }).await;
}
