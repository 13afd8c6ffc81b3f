//! Signatures, presigned links, and clients that misbehave.

use crate::support::*;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::PresigningConfig;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presigned_links_work_for_any_http_client() {
    let (_folder, running, _) = start().await;
    let http = reqwest::Client::new();
    for checksums in [
        RequestChecksumCalculation::WhenSupported,
        RequestChecksumCalculation::WhenRequired,
    ] {
        let client = running.client_with(ACCESS_KEY, SECRET_KEY, checksums);
        let minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let key = "a b/ü+1%.bin";
        let put = client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .content_type("image/png");
        let put = put.presigned(minute.clone()).await.unwrap();
        let mut request = http.put(put.uri()).body(vec![7; 1000]);
        for (name, value) in put.headers() {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        let get = client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .response_content_type("text/x-own");
        let get = get.presigned(minute).await.unwrap();
        let answer = http.get(get.uri()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/x-own");
        assert_eq!(answer.bytes().await.unwrap(), vec![7; 1000]);
        assert!(
            get.uri().contains("X-Amz-Signature=")
                && !get.uri().rsplit_once("Signature=").unwrap().1.contains('&')
        );
        for altered in [
            other_last_digit(get.uri()),
            get.uri().replace("%2B1", "%2B2"),
            get.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        ] {
            assert_ne!(altered, get.uri());
            assert_eq!(
                http.get(&altered).send().await.unwrap().status(),
                403,
                "{altered}"
            );
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_the_secret_gets_nothing() {
    let (_folder, running, client) = start().await;
    put(&client, "k", "secret").await;
    let checksums = RequestChecksumCalculation::WhenSupported;
    let wrong = running.client_with(ACCESS_KEY, "guess", checksums);
    assert_eq!(
        code(wrong.get_object().bucket(BUCKET).key("k").send().await),
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        code(wrong.put_object().bucket(BUCKET).key("k").send().await),
        "SignatureDoesNotMatch"
    );
    let unknown = running.client_with("nobody", SECRET_KEY, checksums);
    assert_eq!(code(unknown.list_buckets().send().await), "NotSignedUp");
    let http = reqwest::Client::new();
    for path in [
        "/",
        "/gatehouse",
        "/gatehouse/k",
        "/gatehouse/..%2F..%2Flayout",
    ] {
        assert_eq!(
            http.get(running.url(path)).send().await.unwrap().status(),
            403,
            "{path}"
        );
    }
    assert_eq!(
        http.delete(running.url("/gatehouse/k"))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
    assert_eq!(get(&client, "k").await, b"secret");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_body_leaves_nothing_and_does_not_hold_the_shutdown() {
    let (folder, running, client) = start().await;
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let link = client
        .put_object()
        .bucket(BUCKET)
        .key("half")
        .presigned(minute)
        .await
        .unwrap();
    let path = link.uri().strip_prefix(&running.url("")).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 3000000\r\n\r\n",
        running.addr
    );
    let tmp = folder.0.join("tmp");

    // One client goes away in the middle of a body of which a part is on disk already.
    let mut gone = TcpStream::connect(running.addr).await.unwrap();
    gone.write_all(head.as_bytes()).await.unwrap();
    gone.write_all(&vec![1; 2_500_000]).await.unwrap();
    until("the body is staged", || files_below(&tmp).len() == 1).await;
    drop(gone);
    until("the staged file is removed", || {
        files_below(&tmp).is_empty()
    })
    .await;

    // One is slow, one is idle, and one has said nothing yet while the server stops.
    let mut slow = TcpStream::connect(running.addr).await.unwrap();
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&vec![1; 1_500_000]).await.unwrap();
    let mut silent = TcpStream::connect(running.addr).await.unwrap();
    until("the slow body is staged", || files_below(&tmp).len() == 1).await;
    assert_eq!(
        code(client.get_object().bucket(BUCKET).key("half").send().await),
        "NoSuchKey"
    );
    let before = Instant::now();
    running.stop().await;
    assert!(
        before.elapsed() < Duration::from_secs(9),
        "took {:?}",
        before.elapsed()
    );
    assert_eq!(silent.read(&mut [0; 10]).await.unwrap_or(0), 0, "closed");
}

/// The link with a signature of the right form that is not the right one.
fn other_last_digit(link: &str) -> String {
    let (head, last) = link.split_at(link.len() - 1);
    format!("{head}{}", if last == "0" { "1" } else { "0" })
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
