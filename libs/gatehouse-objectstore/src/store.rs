//! The folder that holds everything: its layout, buckets, and the moves that make an object
//! visible or take it away.
//!
//! Two locks keep moves apart, both held only for a few system calls and never during a sync:
//! * `structure`: whoever makes a name holds it shared; whoever removes folders holds it alone. So
//!   a folder cannot vanish between being made and being used, and a bucket cannot be deleted
//!   around an object that is just arriving.
//! * one of `stripes`, chosen by the key: conditional writes look and move under it.

use crate::durable::{Durable, Unsynced, sync_folder};
use crate::fault::{Fault, blocking};
use crate::key::{self, KeyPath};
use crate::object_file::{self, OpenObject, now_ms};
use crate::staged::Staged;
use crate::{Error, walk};
use s3s::dto::{ETag, ETagCondition};
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const LAYOUT: &str = "gatehouse-objectstore 1\n";
const STRIPES: usize = 64;

/// One root folder, in use by this process alone.
#[derive(Debug)]
pub(crate) struct Store {
    buckets: PathBuf,
    tmp: PathBuf,
    /// Holds the lock that keeps a second process out.
    _layout: File,
    durable: Durable,
    structure: RwLock<()>,
    stripes: Vec<Mutex<()>>,
}

/// When a write may replace what is there.
#[derive(Debug, Default)]
pub(crate) struct WriteCondition {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl Store {
    /// Opens or creates the root, and removes what an earlier process left unfinished.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let folder = |source| Error::Folder {
            path: root.to_owned(),
            source,
        };
        let buckets = root.join("buckets");
        let tmp = root.join("tmp");
        fs::create_dir_all(root).map_err(folder)?;
        let layout = claim(root)?;
        fs::create_dir_all(&buckets).map_err(folder)?;
        if tmp.exists() {
            fs::remove_dir_all(&tmp).map_err(folder)?;
        }
        fs::create_dir(&tmp).map_err(folder)?;
        for path in [root.parent().unwrap_or(root), root, &buckets] {
            sync_folder(path).map_err(|fault| folder(io::Error::other(fault)))?;
        }
        Ok(Self {
            buckets,
            tmp,
            _layout: layout,
            durable: Durable::default(),
            structure: RwLock::new(()),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        })
    }

    /// Where temporary files go. On the same file system as everything else.
    pub(crate) fn tmp(&self) -> &Path {
        &self.tmp
    }

    pub(crate) const fn durable(&self) -> &Durable {
        &self.durable
    }

    fn bucket(&self, bucket: &str) -> PathBuf {
        // The protocol layer checks names too; this is what keeps a name from leaving the folder.
        let safe = if s3s::path::check_bucket_name(bucket) {
            bucket
        } else {
            "-"
        };
        self.buckets.join(safe)
    }

    pub(crate) fn objects(&self, bucket: &str) -> PathBuf {
        self.bucket(bucket).join("objects")
    }

    pub(crate) fn uploads(&self, bucket: &str) -> PathBuf {
        self.bucket(bucket).join("uploads")
    }

    pub(crate) fn require_bucket(&self, bucket: &str) -> Result<(), Fault> {
        if self.objects(bucket).try_exists()? {
            Ok(())
        } else {
            Err(Fault::NoSuchBucket)
        }
    }

    /// Creates a bucket; it is there whole or not at all.
    pub(crate) fn create_bucket(&self, bucket: &str) -> Result<(), Fault> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(Fault::InvalidBucketName);
        }
        let fresh = self.tmp.join(uuid::Uuid::new_v4().simple().to_string());
        fs::create_dir(&fresh)?;
        for inner in ["objects", "uploads"] {
            fs::create_dir(fresh.join(inner))?;
            sync_folder(&fresh.join(inner))?;
        }
        let mut created = File::create(fresh.join("created_at_ms"))?;
        created.write_all(now_ms().to_string().as_bytes())?;
        created.sync_all()?;
        sync_folder(&fresh)?;
        match fs::rename(&fresh, self.bucket(bucket)) {
            Ok(()) => sync_folder(&self.buckets),
            Err(error) => {
                let _ = fs::remove_dir_all(&fresh);
                let kind = error.kind();
                if kind == io::ErrorKind::DirectoryNotEmpty || kind == io::ErrorKind::AlreadyExists
                {
                    Err(Fault::BucketExists)
                } else {
                    Err(error.into())
                }
            }
        }
    }

    /// Deletes a bucket without objects. Unfinished uploads go with it.
    pub(crate) fn delete_bucket(&self, bucket: &str) -> Result<(), Fault> {
        self.require_bucket(bucket)?;
        let doomed = self.tmp.join(uuid::Uuid::new_v4().simple().to_string());
        {
            let _alone = self
                .structure
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            if walk::holds_objects(self.objects(bucket))? {
                return Err(Fault::BucketNotEmpty);
            }
            match fs::rename(self.bucket(bucket), &doomed) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Fault::NoSuchBucket);
                }
                outcome => outcome?,
            }
            self.durable.forget_tree(&self.bucket(bucket));
        }
        sync_folder(&self.buckets)?;
        fs::remove_dir_all(&doomed)?;
        Ok(())
    }

    /// Every bucket and when it was created (milliseconds since 1970), by name.
    pub(crate) fn list_buckets(&self) -> Result<Vec<(String, u64)>, Fault> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.buckets)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if s3s::path::check_bucket_name(&name) {
                let mut text = String::new();
                let read = File::open(entry.path().join("created_at_ms"))
                    .and_then(|mut file| file.read_to_string(&mut text));
                let created_at_ms = read.ok().and_then(|_| text.trim().parse().ok());
                found.push((name, created_at_ms.unwrap_or_default()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Opens an object's file and reads its facts.
    pub(crate) fn open_object(&self, bucket: &str, key: &str) -> Result<OpenObject, Fault> {
        let KeyPath { folder, file } = key::locate(key.as_bytes());
        let path = self.objects(bucket).join(folder).join(file);
        object_file::open(&path, key).map_err(|fault| {
            if matches!(fault, Fault::NoSuchKey) {
                self.require_bucket(bucket).err().unwrap_or(fault)
            } else {
                fault
            }
        })
    }

    /// Moves a sealed file to its key's place. It is visible at once, and safe once the returned
    /// work is settled: only then may the client hear of it.
    pub(crate) fn place(
        &self,
        mut staged: Staged,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
    ) -> Result<Unsynced, Fault> {
        let objects = self.objects(bucket);
        let place = key::locate(key.as_bytes());
        let folder = objects.join(&place.folder);
        let target = folder.join(&place.file);
        let _shared = self
            .structure
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let _stripe = self
            .stripe(bucket, key)
            .map(|stripe| stripe.lock().unwrap_or_else(PoisonError::into_inner));
        condition.check(|| self.open_object(bucket, key))?;
        match staged.move_to(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.require_bucket(bucket)?;
                fs::create_dir_all(&folder)?;
                staged.move_to(&target)?;
            }
            outcome => outcome?,
        }
        Ok(self.durable.plan(&objects, &folder))
    }

    /// Takes an object away. `None`: there was none. The removal is safe once the returned work is
    /// settled.
    pub(crate) fn remove(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<ETagCondition>,
    ) -> Result<Option<Unsynced>, Fault> {
        let objects = self.objects(bucket);
        let place = key::locate(key.as_bytes());
        let folder = objects.join(&place.folder);
        let condition = WriteCondition {
            if_match,
            if_none_match: None,
        };
        let _shared = self
            .structure
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let _stripe = self
            .stripe(bucket, key)
            .map(|stripe| stripe.lock().unwrap_or_else(PoisonError::into_inner));
        condition.check(|| self.open_object(bucket, key))?;
        match fs::remove_file(folder.join(&place.file)) {
            Ok(()) => Ok(Some(self.durable.plan(&objects, &folder))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.require_bucket(bucket)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the folder and those above it, up to the bucket's, as far as they are empty.
    pub(crate) fn prune(&self, bucket: &str, folder: &Path) {
        let objects = self.objects(bucket);
        let mut at = folder;
        while at != objects && at.starts_with(&objects) {
            let _alone = self
                .structure
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            if fs::remove_dir(at).is_err() {
                return; // not empty, or somebody else removed it and goes on upwards
            }
            self.durable.forget(at);
            match at.parent() {
                Some(parent) => at = parent,
                None => return,
            }
        }
    }

    fn stripe(&self, bucket: &str, key: &str) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        let low = usize::try_from(hasher.finish() & 0xFFFF).unwrap_or(0);
        self.stripes.get(low % STRIPES)
    }
}

/// [`Store::remove`] for many keys, made safe, and empty folders pruned. One outcome per key.
pub(crate) async fn remove_all(
    store: &Arc<Store>,
    bucket: &str,
    keys: Vec<(String, Option<ETagCondition>)>,
) -> Result<Vec<Result<(), Fault>>, Fault> {
    let (worker, name) = (Arc::clone(store), bucket.to_owned());
    let removed: Vec<Result<Option<Unsynced>, Fault>> = blocking(move || {
        let one = |(key, if_match): (String, _)| worker.remove(&name, &key, if_match);
        Ok(keys.into_iter().map(one).collect())
    })
    .await?;
    let mut outcomes = Vec::with_capacity(removed.len());
    let mut folders: std::collections::BTreeSet<PathBuf> = std::collections::BTreeSet::new();
    for outcome in removed {
        outcomes.push(
            outcome.map(|unsynced| {
                folders.extend(unsynced.map(|unsynced| unsynced.folder().to_owned()))
            }),
        );
    }
    for folder in &folders {
        store.durable.sync(folder).await?;
    }
    if !folders.is_empty() {
        let (worker, name) = (Arc::clone(store), bucket.to_owned());
        blocking(move || {
            folders
                .iter()
                .for_each(|folder| worker.prune(&name, folder));
            Ok(())
        })
        .await?;
    }
    Ok(outcomes)
}

impl WriteCondition {
    fn check(&self, current: impl FnOnce() -> Result<OpenObject, Fault>) -> Result<(), Fault> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return Ok(());
        }
        let current = match current() {
            Ok(object) => Some(ETag::Strong(object.meta.etag)),
            Err(Fault::NoSuchKey) if self.if_match.is_some() => return Err(Fault::NoSuchKey),
            Err(Fault::NoSuchKey) => None,
            Err(fault) => return Err(fault),
        };
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => current.is_some(),
            ETagCondition::ETag(etag) => current
                .as_ref()
                .is_some_and(|current| current.weak_cmp(etag)),
        };
        let wanted = self.if_match.as_ref().is_none_or(matches);
        let unwanted = self.if_none_match.as_ref().is_some_and(matches);
        if wanted && !unwanted {
            Ok(())
        } else {
            Err(Fault::PreconditionFailed)
        }
    }
}

/// Locks the root for this process and checks that its layout is one we know.
fn claim(root: &Path) -> Result<File, Error> {
    let folder = |source| Error::Folder {
        path: root.to_owned(),
        source,
    };
    let mut layout = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(root.join("layout"))
        .map_err(folder)?;
    match layout.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::InUse {
                path: root.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(folder(source)),
    }
    let mut found = String::new();
    layout.read_to_string(&mut found).map_err(folder)?;
    if found.is_empty() {
        layout.write_all(LAYOUT.as_bytes()).map_err(folder)?;
        layout.sync_all().map_err(folder)?;
    } else if found != LAYOUT {
        return Err(Error::Layout {
            path: root.to_owned(),
            found: found.trim().to_owned(),
        });
    }
    Ok(layout)
}
