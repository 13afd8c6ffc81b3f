//! A server on a folder of its own, and clients for it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use gatehouse_objectstore::{Error, Server, Settings};
use s3s::crypto::{Checksum as _, Md5};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const BUCKET: &str = "gatehouse";
pub(crate) const ACCESS_KEY: &str = "test-access";
pub(crate) const SECRET_KEY: &str = "test-secret";

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("gatehouse-objectstore-{}", uuid::Uuid::new_v4())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

pub(crate) fn settings(root: &Path) -> Settings {
    Settings {
        root: root.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        bucket: Some(BUCKET.to_owned()),
    }
}

impl Running {
    pub(crate) async fn start(root: &Path) -> Self {
        let server = Server::bind(settings(root)).await.unwrap();
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async move { drop(stopped.await) }));
        Self { addr, stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), self.task)
            .await
            .expect("the server stops")
            .unwrap()
            .unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(
            ACCESS_KEY,
            SECRET_KEY,
            RequestChecksumCalculation::WhenSupported,
        )
    }

    pub(crate) fn client_with(
        &self,
        access: &str,
        secret: &str,
        checksums: RequestChecksumCalculation,
    ) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.url(""))
            .credentials_provider(Credentials::new(access, secret, None, None, "static"))
            .request_checksum_calculation(checksums)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .force_path_style(true)
            .build();
        Client::from_conf(config)
    }
}

pub(crate) async fn start() -> (Folder, Running, Client) {
    let folder = Folder::new();
    let running = Running::start(&folder.0).await;
    let client = running.client();
    (folder, running, client)
}

pub(crate) async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    let body = ByteStream::from(body.into());
    let sent = client
        .put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body)
        .send()
        .await;
    sent.unwrap_or_else(|error| panic!("put {key:?}: {}", DisplayErrorContext(error)));
}

pub(crate) async fn get(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket(BUCKET).key(key).send().await;
    let got = got.unwrap_or_else(|error| panic!("get {key:?}: {}", DisplayErrorContext(error)));
    got.body.collect().await.unwrap().to_vec()
}

pub(crate) fn quoted_md5(body: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Md5::checksum(body)))
}

/// The S3 error code, or the status where there is none (answers to HEAD have no body).
pub(crate) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    outcome: Result<T, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> String {
    let error = outcome.expect_err("the request is refused");
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16().to_string());
    error
        .code()
        .map(str::to_owned)
        .or(status)
        .unwrap_or_else(|| format!("{error:?}"))
}

/// Bytes that do not compress or repeat soon.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|_| (random.next() >> 32) as u8).collect()
}

/// A small generator, so that a failure repeats.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 16) % limit as u64) as usize
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut unread = vec![folder.to_owned()];
    while let Some(folder) = unread.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                unread.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found
}
