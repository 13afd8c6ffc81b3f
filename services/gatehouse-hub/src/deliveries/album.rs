//! Photos as terminals take them: Base64 text, kept in memory within a bound, because the same person
//! goes to many terminals. Each is read from the object store once, however many sessions wait for it.

use super::offer::Photo;
use gatehouse_domain::TenantId;
use gatehouse_platform::objects::{ObjectError, Objects};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Most characters that the document allows for a photo (004, 2.2.1; protocols, L774).
const MOST_CHARS: usize = 400_000;

/// What an entry costs beside its text, also one whose photo could not be read.
const ENTRY_BYTES: usize = 256;

/// Whose photo, and which.
type Key = (Uuid, [u8; 32]);

/// A photo that is being read, or has been.
type Cell = Arc<OnceCell<Arc<str>>>;

/// The photos of one process.
#[derive(Debug)]
pub(crate) struct Album {
    inner: Mutex<Inner>,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    /// By when they were last asked for, the oldest first.
    order: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    cell: Cell,
    asked: u64,
    bytes: usize,
}

/// Why a photo is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPhoto {
    /// The object store's word.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The object store does not answer.
    #[error("the object store did not give the photo in time")]
    Late,
    /// It is longer than a terminal takes.
    #[error("the photo has {0} characters in Base64, more than a terminal takes")]
    TooLong(usize),
}

impl Album {
    /// Holds at most so many bytes.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            inner: Mutex::default(),
            most_bytes,
        }
    }

    /// The photos, where all of them are here.
    pub(crate) fn held(&self, tenant: TenantId, photos: &[Photo]) -> Option<Vec<Arc<str>>> {
        let mut inner = self.lock();
        photos
            .iter()
            .map(|photo| inner.held((tenant.uuid(), photo.sha256)))
            .collect()
    }

    /// The photos, read where they are not here.
    ///
    /// # Errors
    /// [`NoPhoto`] for the first that is not to be had.
    pub(crate) async fn read(
        &self,
        objects: &Objects,
        tenant: TenantId,
        photos: &[Photo],
    ) -> Result<Vec<Arc<str>>, NoPhoto> {
        let mut read = Vec::with_capacity(photos.len());
        for photo in photos {
            let key = (tenant.uuid(), photo.sha256);
            let cell = self.lock().ask(key);
            let fetch = || async {
                let text = fetch(objects, key).await?;
                self.keep(key, text.len());
                Ok::<_, NoPhoto>(text)
            };
            read.push(cell.get_or_try_init(fetch).await?.clone());
        }
        Ok(read)
    }

    /// A photo came in: counts it, and lets go of those that nobody asked for the longest.
    fn keep(&self, key: Key, text_bytes: usize) {
        let mut inner = self.lock();
        if let Some(entry) = inner.entries.get_mut(&key) {
            let bytes = text_bytes.saturating_add(ENTRY_BYTES);
            let before = std::mem::replace(&mut entry.bytes, bytes);
            inner.bytes = inner.bytes.saturating_sub(before).saturating_add(bytes);
        }
        while inner.bytes > self.most_bytes {
            let Some((_, oldest)) = inner.order.pop_first() else {
                break;
            };
            if let Some(entry) = inner.entries.remove(&oldest) {
                inner.bytes = inner.bytes.saturating_sub(entry.bytes);
            }
        }
        metrics::gauge!("gatehouse_delivery_photo_bytes")
            .set(u32::try_from(inner.bytes).map_or(f64::MAX, f64::from));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The cell of a photo; it counts as asked for now.
    fn ask(&mut self, key: Key) -> Cell {
        self.clock = self.clock.saturating_add(1);
        let now = self.clock;
        let entry = self.entries.entry(key).or_insert_with(|| {
            self.bytes = self.bytes.saturating_add(ENTRY_BYTES);
            Entry {
                cell: Cell::default(),
                asked: now,
                bytes: ENTRY_BYTES,
            }
        });
        self.order.remove(&entry.asked);
        entry.asked = now;
        self.order.insert(now, key);
        entry.cell.clone()
    }

    fn held(&mut self, key: Key) -> Option<Arc<str>> {
        self.entries
            .contains_key(&key)
            .then(|| self.ask(key))?
            .get()
            .cloned()
    }
}

/// Where the variant for terminals lies; the directory writes it there.
fn object_key((tenant, sha256): Key) -> String {
    format!(
        "photos/{}/{}/terminal.jpg",
        tenant.as_simple(),
        hex::encode(sha256)
    )
}

async fn fetch(objects: &Objects, key: Key) -> Result<Arc<str>, NoPhoto> {
    let object = objects.get(&object_key(key)).await?;
    let text = base64_simd::STANDARD.encode_to_string(&object.body);
    if text.len() > MOST_CHARS {
        return Err(NoPhoto::TooLong(text.len()));
    }
    Ok(text.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn photo(number: u8) -> Photo {
        Photo {
            number: format!("10000{number}"),
            sha256: [number; 32],
        }
    }

    /// As if it had been read.
    fn put(album: &Album, tenant: TenantId, number: u8, chars: usize) {
        let key = (tenant.uuid(), photo(number).sha256);
        let cell = album.lock().ask(key);
        cell.set("x".repeat(chars).into()).unwrap();
        album.keep(key, chars);
    }

    fn tenant(number: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn the_longest_unasked_for_go_first() {
        let album = Album::new(1000 + 4 * ENTRY_BYTES);
        let ours = tenant(1);
        for number in [1, 2, 3] {
            put(&album, ours, number, 300);
        }
        assert!(album.held(ours, &[photo(1)]).is_some(), "asked for again");
        put(&album, ours, 4, 300);
        let held = |number| album.held(ours, &[photo(number)]).is_some();
        assert_eq!([1, 2, 3, 4].map(held), [true, false, true, true]);
        assert_eq!(album.lock().bytes, 900 + 3 * ENTRY_BYTES);
    }

    #[test]
    fn all_or_none_and_each_tenant_its_own() {
        let album = Album::new(1000);
        put(&album, tenant(1), 1, 10);
        assert_eq!(album.held(tenant(1), &[photo(1), photo(2)]), None);
        assert_eq!(album.held(tenant(2), &[photo(1)]), None);
        let both = album.held(tenant(1), &[photo(1), photo(1)]).unwrap();
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn a_photo_larger_than_all_room_is_not_kept() {
        let album = Album::new(1000);
        put(&album, tenant(1), 1, 2000);
        assert_eq!(album.held(tenant(1), &[photo(1)]), None);
        assert_eq!(album.lock().bytes, 0);
        assert!(album.lock().entries.is_empty());
    }

    #[test]
    fn the_key_is_the_directorys() {
        let key = object_key((Uuid::from_u128(0xab), [0x0f; 32]));
        let hash = "0f".repeat(32);
        assert_eq!(
            key,
            format!("photos/000000000000000000000000000000ab/{hash}/terminal.jpg")
        );
    }
}
