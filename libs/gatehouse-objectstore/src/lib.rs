//! An S3 server for one machine: the protocol (by `s3s`) over a folder.
//!
//! It is what the product runs on where there is no S3. Several machines, replication, versions,
//! access lists, tags, encryption and life-cycle rules are deliberately absent, and requests that
//! ask for them are refused rather than half done. There is one pair of keys, and path-style
//! addressing only.
//!
//! # What is promised
//! * A PUT (or a completed upload, or a copy) is acknowledged after the object's file, its name and
//!   the names of all folders above it are synced. A DELETE likewise.
//! * An object is replaced by one rename: readers see the old one or the new one, whole. Of several
//!   PUTs to one key at once, one wins.
//! * A crash leaves no half object, and at most temporary files, which the next start removes.
//! * A file that was damaged is refused with a 500 (a large body: by a cut connection), and can be
//!   deleted or replaced.
//!
//! # On disk
//! ```text
//! root/
//!   layout                       "gatehouse-objectstore 1"; locked while a server runs
//!   tmp/                         files on their way in and folders on their way out
//!   buckets/<bucket>/
//!     created_at_ms              milliseconds since 1970, as text
//!     objects/                   one file per object, one folder per key component
//!       2026+/07+/photo.jpg=     the object 2026/07/photo.jpg
//!     uploads/<upload id>/       an unfinished multipart upload
//!       upload                   its key and attributes
//!       part-00001               one file per part
//! ```
//! How keys become names is told in `key`, what is in a file in `object_file`. The body comes first
//! and unchanged, so `head -c` gets it out by hand. The file system must be POSIX, must tell upper
//! from lower case, and must be one: `tmp` and `buckets` may not be mounted separately.
//!
//! Folders that become empty are removed with their last object; a PUT that is just arriving in one
//! is safe from that (see `store`). A list reads only the folders its prefix and page lead to.

mod durable;
mod fault;
mod intake;
mod key;
mod object_file;
mod outlet;
mod server;
mod service;
mod staged;
mod stalled;
mod store;
mod uploads;
mod walk;

pub use server::Server;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a server needs to know.
#[derive(Clone)]
pub struct Settings {
    /// The folder that holds everything; created if it is not there.
    pub root: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The access key that clients name.
    pub access_key: String,
    /// The secret key that clients sign with.
    pub secret_key: String,
    /// A bucket to create at the start if it is not there.
    pub bucket: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            root,
            listen,
            access_key,
            secret_key: _,
            bucket,
        } = self;
        f.debug_struct("Settings")
            .field("root", root)
            .field("listen", listen)
            .field("access_key", access_key)
            .field("bucket", bucket)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be created, read or written.
    #[error(
        "The object store cannot use its folder {path}: {source}. Check that it is a folder this user may write to."
    )]
    Folder {
        /// The root of the settings.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process serves this folder.
    #[error("Another object store runs on the folder {path}. Stop it, or choose another folder.")]
    InUse {
        /// The root of the settings.
        path: PathBuf,
    },
    /// The folder was written by a version with another layout.
    #[error(
        "The folder {path} has the layout {found:?}, which this version does not know. Use the version that wrote it."
    )]
    Layout {
        /// The root of the settings.
        path: PathBuf,
        /// What its `layout` file says.
        found: String,
    },
    /// The address cannot be listened on.
    #[error("The object store cannot listen on {addr}: {source}. Choose another address or port.")]
    Listen {
        /// The address of the settings.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No connection could be accepted for a minute.
    #[error(
        "The object store could accept no connection for a minute: {source}. Check the limit of open files."
    )]
    Accept {
        /// What the system said last.
        source: std::io::Error,
    },
    /// The bucket's name is not one S3 allows.
    #[error(
        "{name:?} is not a bucket name. Use 3 to 63 lower-case letters, digits, dots and hyphens."
    )]
    BucketName {
        /// The name of the settings.
        name: String,
    },
    /// A key is empty.
    #[error("The object store needs an access key and a secret key; one of them is empty.")]
    NoKeys,
    /// The runtime is shutting down.
    #[error("The object store was stopped while it started.")]
    Stopped,
}

/// Serves until `shutdown` ends: [`Server::bind`] and [`Server::run`] in one.
///
/// # Errors
/// When the server cannot start or go on; see [`Error`].
pub async fn serve(settings: Settings, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    Server::bind(settings).await?.run(shutdown).await
}
