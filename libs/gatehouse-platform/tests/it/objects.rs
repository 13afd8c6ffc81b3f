//! The object store.

use crate::kit::env;
use bytes::Bytes;
use gatehouse_platform::objects::{ObjectError, ObjectSettings, Objects};
use std::time::{Duration, Instant};
use uuid::Uuid;

fn settings() -> ObjectSettings {
    ObjectSettings {
        endpoint: env("GATEHOUSE_S3_ENDPOINT"),
        region: env("GATEHOUSE_S3_REGION"),
        access_key: env("GATEHOUSE_S3_ACCESS_KEY"),
        secret_key: env("GATEHOUSE_S3_SECRET_KEY"),
        bucket: env("GATEHOUSE_S3_BUCKET"),
    }
}

fn key() -> String {
    format!("test/{}", Uuid::now_v7().simple())
}

#[tokio::test]
async fn an_object_is_read_as_it_was_stored_until_it_is_deleted() {
    let objects = Objects::open(&settings());
    objects.ensure_bucket().await.unwrap();
    objects.ensure_bucket().await.unwrap();
    objects.ping().await.unwrap();
    let key = key();
    let body = Bytes::from(vec![7; 100_000]);
    objects.put(&key, "image/jpeg", body.clone()).await.unwrap();
    let found = objects.get(&key).await.unwrap();
    assert_eq!(found.content_type, "image/jpeg");
    assert_eq!(found.body, body);
    let other = Bytes::from_static(b"other");
    objects.put(&key, "image/png", other.clone()).await.unwrap();
    assert_eq!(objects.get(&key).await.unwrap().body, other);
    objects.delete(&key).await.unwrap();
    objects.delete(&key).await.unwrap();
    let gone = objects.get(&key).await.unwrap_err();
    assert!(matches!(gone, ObjectError::NotFound), "{gone}");
}

#[tokio::test]
async fn many_puts_at_once_are_all_kept() {
    let objects = Objects::open(&settings());
    objects.ensure_bucket().await.unwrap();
    let keys: Vec<String> = (0..64).map(|_| key()).collect();
    let puts = keys.iter().map(|key| {
        let body = Bytes::from(key.clone().into_bytes());
        objects.put(key, "text/plain", body)
    });
    for put in futures_util::future::join_all(puts).await {
        put.unwrap();
    }
    for key in &keys {
        assert_eq!(objects.get(key).await.unwrap().body, key.as_bytes());
        objects.delete(key).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_an_absent_store_is_not() {
    let mut wrong = settings();
    wrong.secret_key = "wrong".to_owned();
    let error = Objects::open(&wrong).ping().await.unwrap_err();
    assert!(matches!(error, ObjectError::Refused(_)), "{error}");
    let mut away = settings();
    away.endpoint = "http://127.0.0.1:1".to_owned();
    let began = Instant::now();
    let error = Objects::open(&away).ping().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(9));
    // A store that accepts and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    away.endpoint = format!("http://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    let objects = Objects::open(&away);
    let body = Bytes::from_static(b"x");
    let error = objects.put("k", "text/plain", body).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(9));
}
