//! Listening, connections and the orderly end. What is asked on a connection is `service`'s.

use crate::service::Gateway;
use crate::stalled::StallLimited;
use crate::store::Store;
use crate::{Error, Settings};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// A request's head must arrive within this, and a kept-alive connection bring its next request.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// Open requests may take this long after the shutdown began.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Further connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// An earlier process may hold the folder while it drains.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(6);
/// A listener that fails for a minute on end will not recover: better to end and be started anew.
const MAX_ACCEPT_FAILURES: u32 = 600;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const TAKE_OVER_STEP: Duration = Duration::from_millis(50);

/// A server that has its folder and its port, and does not serve yet.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    service: S3Service,
}

impl Server {
    /// Takes the folder (waiting up to 6 s for an earlier process to let go of it), removes what a
    /// crash left unfinished, creates the bucket of the settings if it is not there, and listens.
    ///
    /// # Errors
    /// Everything that [`Error`] names.
    pub async fn bind(settings: Settings) -> Result<Self, Error> {
        let Settings {
            root,
            listen,
            access_key,
            secret_key,
            bucket,
        } = settings;
        if access_key.is_empty() || secret_key.is_empty() {
            return Err(Error::NoKeys);
        }
        if let Some(name) = bucket
            .as_deref()
            .filter(|name| !s3s::path::check_bucket_name(name))
        {
            return Err(Error::BucketName {
                name: name.to_owned(),
            });
        }
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|source| Error::Listen {
            addr: listen,
            source,
        })?;
        let local_addr = listener.local_addr();
        let local_addr = local_addr.map_err(|source| Error::Listen {
            addr: listen,
            source,
        })?;
        let store = take_over(root, bucket).await?;
        let mut builder = S3ServiceBuilder::new(Gateway::new(store));
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
        Ok(Self {
            listener,
            local_addr,
            service: builder.build(),
        })
    }

    /// The address it listens on; tells the port when the settings said 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` ends; then accepts nothing new, gives open requests up to 5 s, and
    /// lets go of the folder.
    ///
    /// # Errors
    /// [`Error::Accept`] when no connection could be accepted for a minute; open requests are
    /// drained first.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let (stop, stopping) = watch::channel(());
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut failures: u32 = 0;
        let outcome = loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break Ok(()),
                accepted = accept(&self.listener, &slots) => accepted,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, slot)) => {
                    failures = 0;
                    let (service, stopping) = (self.service.clone(), stopping.clone());
                    connections.spawn(serve_connection(stream, slot, service, stopping));
                }
                Err(error) => {
                    tracing::warn!(%error, "object store: a connection could not be accepted");
                    failures = failures.saturating_add(1);
                    if failures >= MAX_ACCEPT_FAILURES {
                        break Err(Error::Accept { source: error });
                    }
                    // Out of file descriptors: trying again at once would only spin.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        drop(self.listener);
        drop(stop); // every connection sees its `stopping` end
        let all_closed = async { while connections.join_next().await.is_some() {} };
        let drained = tokio::time::timeout(DRAIN_LIMIT, all_closed).await;
        if drained.is_err() {
            let open = connections.len();
            tracing::warn!(open, "object store: requests were cut off at shutdown");
            connections.shutdown().await;
        }
        outcome
    }
}

/// Opens the store once no other process has it.
async fn take_over(root: std::path::PathBuf, bucket: Option<String>) -> Result<Arc<Store>, Error> {
    let deadline = tokio::time::Instant::now() + TAKE_OVER_LIMIT;
    loop {
        let (root, bucket) = (root.clone(), bucket.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&root)?;
            if let Some(bucket) = bucket
                && store.require_bucket(&bucket).is_err()
            {
                let created = store.create_bucket(&bucket).map_err(io::Error::other);
                created.map_err(|source| Error::Folder { path: root, source })?;
            }
            Ok(Arc::new(store))
        });
        match opened.await {
            Ok(Err(Error::InUse { .. })) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(TAKE_OVER_STEP).await;
            }
            Ok(outcome) => return outcome,
            Err(_) => return Err(Error::Stopped),
        }
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Without this an answer in two writes waits 40 ms for the peer's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "object store: TCP_NODELAY could not be set");
    }
    Ok((stream, slot))
}

async fn serve_connection(
    stream: TcpStream,
    slot: OwnedSemaphorePermit,
    service: S3Service,
    mut stopping: watch::Receiver<()>,
) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(StallLimited::new(stream)), service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "object store: a connection ended early");
    }
    drop(slot);
}
