//! Walking a bucket's keys in order (bytes of UTF-8), from a prefix, after a given key.
//!
//! Only folders that can hold wanted keys are read. Within a folder the entries are sorted by the
//! bytes all their keys begin with (see `key` for why those ranges do not overlap).

use crate::fault::Fault;
use crate::key::{self, EntryKind};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Comes after every key with a given prefix: no UTF-8 text holds this byte.
pub(crate) const AFTER_ALL: u8 = 0xFF;

/// One step of a walk.
#[derive(Debug)]
pub(crate) enum Step {
    /// An object: its key and its file.
    Object(String, PathBuf),
    /// Keys with this prefix (it ends in `/`) exist; they were stepped over.
    Folder(String),
}

/// A walk in progress.
#[derive(Debug)]
pub(crate) struct Walk {
    prefix: Vec<u8>,
    after: Vec<u8>,
    by_folder: bool,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    folder: PathBuf,
    /// In falling order: the next one is the last.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The object's key, or what all keys below begin with.
    key: Vec<u8>,
    kind: EntryKind,
    name: String,
}

impl Walk {
    /// Walks the keys of a bucket's `objects` folder that begin with `prefix` and come after
    /// `after`. With `by_folder`, keys that have a `/` behind the prefix are given as folders.
    pub(crate) fn new(
        objects: &Path,
        prefix: &[u8],
        after: Vec<u8>,
        by_folder: bool,
    ) -> Result<Self, Fault> {
        let (folder, led_by) = key::folder_of_prefix(prefix);
        let base = prefix.get(..led_by).unwrap_or_default();
        let mut walk = Self {
            prefix: prefix.to_owned(),
            after,
            by_folder,
            levels: Vec::new(),
        };
        walk.enter(objects.join(folder), base)?;
        Ok(walk)
    }

    /// Goes on behind this position; see [`AFTER_ALL`].
    pub(crate) fn skip_to(&mut self, after: Vec<u8>) {
        self.after = after;
    }

    /// The next object or folder, in order of keys.
    pub(crate) fn step(&mut self) -> Result<Option<Step>, Fault> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.entries.pop() else {
                self.levels.pop();
                continue;
            };
            if !wanted(&self.prefix, &self.after, &entry.key, entry.kind) {
                continue;
            }
            let path = level.folder.join(&entry.name);
            match entry.kind {
                EntryKind::Object => {
                    // Keys are UTF-8; a name that is not was not made by us.
                    if let Ok(key) = String::from_utf8(entry.key) {
                        return Ok(Some(Step::Object(key, path)));
                    }
                }
                EntryKind::Folder if self.by_folder && entry.key.len() > self.prefix.len() => {
                    if self.holds_wanted(&path, &entry.key)?
                        && let Ok(key) = String::from_utf8(entry.key)
                    {
                        return Ok(Some(Step::Folder(key)));
                    }
                }
                EntryKind::Folder | EntryKind::Continuation => self.enter(path, &entry.key)?,
            }
        }
        Ok(None)
    }

    /// Whether a folder holds any object that the walk would give.
    fn holds_wanted(&self, path: &Path, key: &[u8]) -> Result<bool, Fault> {
        if !self.after.starts_with(key) {
            return holds_objects(path.to_owned());
        }
        let mut below = Self {
            prefix: key.to_owned(),
            after: self.after.clone(),
            by_folder: false,
            levels: Vec::new(),
        };
        below.enter(path.to_owned(), key)?;
        Ok(below.step()?.is_some())
    }

    fn enter(&mut self, folder: PathBuf, base: &[u8]) -> Result<(), Fault> {
        let mut entries = Vec::new();
        for name in names_in(&folder)? {
            let Some((kind, bytes)) = key::decode(&name) else {
                continue;
            };
            let mut key = base.to_vec();
            key.extend_from_slice(&bytes);
            if kind == EntryKind::Folder {
                key.push(b'/');
            }
            if wanted(&self.prefix, &self.after, &key, kind) {
                entries.push(Entry { key, kind, name });
            }
        }
        entries.sort_unstable_by(|a, b| b.key.cmp(&a.key));
        self.levels.push(Level { folder, entries });
        Ok(())
    }
}

/// Whether an entry is, or can hold, a key with the prefix that comes after `after`.
fn wanted(prefix: &[u8], after: &[u8], key: &[u8], kind: EntryKind) -> bool {
    match kind {
        EntryKind::Object => key.starts_with(prefix) && (after.is_empty() || key > after),
        EntryKind::Folder | EntryKind::Continuation => {
            let can_hold_prefix = key.starts_with(prefix) || prefix.starts_with(key);
            let can_hold_later = match after.strip_prefix(key) {
                Some(rest) => rest.first() != Some(&AFTER_ALL),
                None => key > after,
            };
            can_hold_prefix && can_hold_later
        }
    }
}

/// Whether there is any object in the folder or below it. Stops at the first.
pub(crate) fn holds_objects(folder: PathBuf) -> Result<bool, Fault> {
    let mut unread = vec![folder];
    while let Some(folder) = unread.pop() {
        for name in names_in(&folder)? {
            match key::decode(&name) {
                Some((EntryKind::Object, _)) => return Ok(true),
                Some((EntryKind::Folder | EntryKind::Continuation, _)) => {
                    unread.push(folder.join(name))
                }
                None => {}
            }
        }
    }
    Ok(false)
}

/// The names in a folder; none when it is not there (any more).
fn names_in(folder: &Path) -> Result<Vec<String>, Fault> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
