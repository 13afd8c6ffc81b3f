//! Making names survive a crash: a file's name is safe once its folder is synced, and the folder's
//! own name once the folder above is.
//!
//! Syncs of one folder are shared: who arrives while one runs waits for the next, and that one
//! serves all who wait. Folders whose whole chain of names is safe are remembered, so that the
//! usual PUT syncs one folder only.

use crate::fault::{Fault, blocking};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Forgotten all at once when there are more: only costs a few syncs again.
const MAX_REMEMBERED: usize = 65_536;

/// Which folders are known to be safe, and the syncs that run.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    queues: Mutex<HashMap<PathBuf, Arc<Queue>>>,
    remembered: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    folders: HashSet<PathBuf>,
    /// Counts removed folders: what was learnt before a removal may no longer hold after it.
    removals: u64,
}

/// The callers of one folder. Tickets count them; `running` is held by the one who syncs.
#[derive(Debug, Default)]
struct Queue {
    tickets: AtomicU64,
    running: tokio::sync::Mutex<Done>,
}

/// Up to which ticket the outcome is known.
#[derive(Debug, Default)]
struct Done {
    synced_up_to: u64,
    failed_up_to: u64,
    #[cfg(test)]
    rounds: u64,
}

/// What has to be synced before a name in `folder` is safe.
#[derive(Debug)]
pub(crate) struct Unsynced {
    folder: PathBuf,
    /// Folders whose own names are not known to be safe.
    unsafe_names: Vec<PathBuf>,
    removals: u64,
}

impl Unsynced {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Durable {
    /// To be called right after a name was made in `folder`, while nobody can remove folders.
    /// `base` is a folder above that is known to be safe.
    pub(crate) fn plan(&self, base: &Path, folder: &Path) -> Unsynced {
        let remembered = lock(&self.remembered);
        let mut unsafe_names = Vec::new();
        let mut at = folder;
        while at != base && !remembered.folders.contains(at) {
            unsafe_names.push(at.to_owned());
            match at.parent() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        Unsynced {
            folder: folder.to_owned(),
            unsafe_names,
            removals: remembered.removals,
        }
    }

    /// Returns when the name is safe.
    pub(crate) async fn settle(&self, unsynced: Unsynced) -> Result<(), Fault> {
        self.sync(&unsynced.folder).await?;
        for folder in &unsynced.unsafe_names {
            if let Some(parent) = folder.parent() {
                self.sync(parent).await?;
            }
        }
        if !unsynced.unsafe_names.is_empty() {
            let mut remembered = lock(&self.remembered);
            if remembered.folders.len() > MAX_REMEMBERED {
                remembered.folders.clear();
            }
            if remembered.removals == unsynced.removals {
                remembered.folders.extend(unsynced.unsafe_names);
            }
        }
        Ok(())
    }

    /// To be called with each folder that was removed empty, before anyone can make it again.
    pub(crate) fn forget(&self, folder: &Path) {
        let mut remembered = lock(&self.remembered);
        remembered.removals = remembered.removals.wrapping_add(1);
        remembered.folders.remove(folder);
    }

    /// [`Self::forget`] for a folder that was removed with all below it.
    pub(crate) fn forget_tree(&self, folder: &Path) {
        let mut remembered = lock(&self.remembered);
        remembered.removals = remembered.removals.wrapping_add(1);
        remembered
            .folders
            .retain(|known| !known.starts_with(folder));
    }

    /// Syncs a folder's names, together with everyone else who wants that now.
    pub(crate) async fn sync(&self, folder: &Path) -> Result<(), Fault> {
        let queue = Arc::clone(lock(&self.queues).entry(folder.to_owned()).or_default());
        let outcome = queue.sync(folder).await;
        let mut queues = lock(&self.queues);
        // The map's and ours: nobody else waits.
        if Arc::strong_count(&queue) == 2 {
            queues.remove(folder);
        }
        outcome
    }
}

impl Queue {
    async fn sync(&self, folder: &Path) -> Result<(), Fault> {
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
        let mut done = self.running.lock().await;
        if ticket <= done.synced_up_to {
            return Ok(());
        }
        if ticket <= done.failed_up_to {
            return Err(Fault::Io(io::Error::other(
                "the shared sync of the folder failed",
            )));
        }
        let serves = self.tickets.load(Ordering::SeqCst);
        #[cfg(test)]
        {
            done.rounds += 1;
        }
        let path = folder.to_owned();
        let outcome = blocking(move || sync_folder(&path)).await;
        if outcome.is_ok() {
            done.synced_up_to = serves;
        } else {
            done.failed_up_to = serves;
        }
        outcome
    }
}

/// Syncs a folder's names. A folder that is gone has none left to keep.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Fault> {
    match File::open(path) {
        Ok(folder) => Ok(folder.sync_all()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chain_is_synced_once_and_again_after_a_removal() {
        let base = std::env::temp_dir().join(format!("durable-{}", uuid::Uuid::new_v4()));
        let folder = base.join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        let durable = Durable::default();
        let first = durable.plan(&base, &folder);
        assert_eq!(first.unsafe_names, [folder.clone(), base.join("a")]);
        durable.settle(first).await.unwrap();
        assert!(durable.plan(&base, &folder).unsafe_names.is_empty());
        assert_eq!(
            durable.plan(&base, &base.join("a/c")).unsafe_names,
            [base.join("a/c")]
        );

        durable.forget(&folder);
        let again = durable.plan(&base, &folder);
        assert_eq!(again.unsafe_names, std::slice::from_ref(&folder));
        // A removal between plan and settle: nothing may be remembered.
        durable.forget(&base.join("a/x"));
        durable.settle(again).await.unwrap();
        assert_eq!(durable.plan(&base, &folder).unsafe_names, [folder]);
        assert!(lock(&durable.queues).is_empty());
        std::fs::remove_dir_all(base).unwrap();
    }

    #[tokio::test]
    async fn many_callers_share_two_syncs() {
        let durable = Durable::default();
        let folder = std::env::temp_dir();
        let queue = Arc::clone(lock(&durable.queues).entry(folder.clone()).or_default());
        let calls = futures_util::future::join_all((0..64).map(|_| durable.sync(&folder)));
        for outcome in calls.await {
            outcome.unwrap();
        }
        // The first one's own, and one for all who came while it ran.
        assert_eq!(queue.running.lock().await.rounds, 2);
        drop(queue);
        durable.sync(&folder).await.unwrap();
        assert!(lock(&durable.queues).is_empty());
    }
}
