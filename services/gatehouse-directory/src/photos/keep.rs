//! The row of a photo, written and removed.

use super::contents::{self, make_sure};
use super::examine::Checked;
use super::{store, take};
use crate::audit;
use crate::directory::Directory;
use crate::persons;
use chrono::Utc;
use gatehouse_domain::{PersonId, PhotoId};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_schema::entities::people::persons::Model;
use serde_json::{Value, json};
use uuid::Uuid;

/// Which of a person's photos it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The main one, in place of the one there is.
    Main,
    /// One more.
    Further,
}

impl Place {
    /// The slot, where it is a certain one.
    pub(super) const fn slot(self) -> Option<i16> {
        match self {
            Self::Main => Some(1),
            Self::Further => None,
        }
    }
}

/// A photo that has its row.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    /// Whether it was not there before: whoever called notes it for the terminals.
    pub(crate) new: bool,
    /// The content of the photo whose place it took.
    pub(crate) replaced: Option<Vec<u8>>,
}

/// Gives a person a photo whose content was laid by, and enters it in the trail. The same content in
/// the same place changes nothing.
///
/// # Errors
/// 404, 409 where there is no place left, the stores'.
pub(crate) async fn keep(
    directory: &Directory,
    tx: &TenantTx,
    person: PersonId,
    place: Place,
    photo: &Checked,
    request_id: Option<&str>,
) -> Answer<Kept> {
    contents::hold(tx, &photo.sha256).await?;
    let row = persons::read_to_change(tx, person)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    let old = store::of_person(tx, person).await?;
    let same = old
        .iter()
        .find(|old| old.sha256 == photo.sha256 && place.slot().is_none_or(|slot| slot == old.slot));
    if let Some(same) = same {
        return Ok(Kept {
            id: same.id,
            new: false,
            replaced: None,
        });
    }
    let count = i16::try_from(old.len()).unwrap_or(i16::MAX);
    let slot = match place {
        Place::Main => 1,
        Place::Further if count >= store::PHOTOS_MAX => return Err(take::full()),
        Place::Further => count.saturating_add(1),
    };
    make_sure(directory, tx, photo).await?;
    let replaced = old.into_iter().find(|old| old.slot == slot);
    if let Some(replaced) = &replaced {
        store::delete(tx, replaced.id).await?;
        contents::may_be_loose(tx, &replaced.sha256).await?;
    }
    let id = Uuid::now_v7();
    store::insert(tx, id, person, slot, photo).await?;
    contents::is_used(tx, &photo.sha256).await?;
    touch(tx, row).await?;
    let detail =
        json!({"photo_id": PhotoId::from_uuid(id), "slot": slot, "replaced": replaced.is_some()});
    audit::enter(tx, deed("photo.taken", person, detail, request_id)).await?;
    Ok(Kept {
        id,
        new: true,
        replaced: replaced.map(|replaced| replaced.sha256),
    })
}

/// Removes a photo; those behind it move up. Its content.
pub(super) async fn remove(
    tx: &TenantTx,
    person: PersonId,
    photo: PhotoId,
    request_id: &str,
) -> Answer<Vec<u8>> {
    let row = persons::read_to_change(tx, person)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    let photos = store::of_person(tx, person).await?;
    let gone = photos
        .into_iter()
        .find(|row| row.id == photo.uuid())
        .ok_or_else(|| Problem::not_found("photo"))?;
    store::delete(tx, gone.id).await?;
    store::move_up(tx, person, gone.slot).await?;
    contents::may_be_loose(tx, &gone.sha256).await?;
    touch(tx, row).await?;
    let detail = json!({"photo_id": photo, "slot": gone.slot});
    audit::enter(tx, deed("photo.removed", person, detail, Some(request_id))).await?;
    Ok(gone.sha256)
}

/// Brings the person's row up to date with the photos there are now.
async fn touch(tx: &TenantTx, row: Model) -> Answer<()> {
    let hash = persons::refresh_terminal_hash(tx, &row).await?;
    store::touch_person(tx, row.id, hash, Utc::now()).await?;
    Ok(())
}

fn deed<'a>(
    action: &'a str,
    person: PersonId,
    detail: Value,
    request_id: Option<&'a str>,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "person",
        subject_id: person.to_string(),
        detail,
        request_id,
    }
}
