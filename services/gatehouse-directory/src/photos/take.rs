//! How a photo is taken, from its bytes to what terminals learn.

use super::contents::{lay_by, sweep};
use super::examine::examine;
use super::keep::{Kept, Place, keep};
use super::store;
use crate::access_changes::{self, Scope};
use crate::directory::Directory;
use actix_web::web::Bytes;
use gatehouse_domain::{DistributionId, PersonId};
use gatehouse_faces::Fault;
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::tenant::TenantScope;
use uuid::Uuid;

/// A photo that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) id: Uuid,
    /// Whether it was not there before.
    pub(super) new: bool,
    /// What somebody should look at, though it was taken.
    pub(super) warnings: Vec<Fault>,
    pub(super) distribution: Option<DistributionId>,
}

/// Takes a photo of a person.
pub(super) async fn take(
    directory: &Directory,
    scope: &TenantScope,
    person: PersonId,
    place: Place,
    bytes: Bytes,
    request_id: &str,
) -> Answer<Taken> {
    // 1. Whoever is not there is told before anything is reckoned.
    {
        let tx = directory.kit.db.tenant(scope).await?;
        store::count(&tx, person)
            .await?
            .ok_or_else(|| Problem::not_found("person"))?;
    }

    // 2. Decode it under limits, look for the face, judge by the tenant's criteria; or refuse.
    let checked = examine(directory, scope, bytes).await?;

    // 3. The clean picture and its variants are laid by under the hash of their content, before any
    //    row speaks of them. What the person has already costs nothing.
    let (known, count) = {
        let tx = directory.kit.db.tenant(scope).await?;
        let known = store::of_content(&tx, person, place.slot(), &checked.sha256).await?;
        (known, store::count(&tx, person).await?.unwrap_or_default())
    };
    if known.is_none() {
        if place == Place::Further && count >= store::PHOTOS_MAX {
            return Err(full());
        }
        lay_by(directory, scope, &checked).await?;
    }

    // 4. The row, the person's hash for terminals, the trail and the note for the terminals, at once.
    let tx = directory.kit.db.tenant(scope).await?;
    let warnings = checked.warnings().to_vec();
    let Kept { id, new, replaced } =
        keep(directory, &tx, person, place, &checked, Some(request_id)).await?;
    let distribution = if new {
        access_changes::note(&tx, "photo.taken", Scope::Persons(&[person])).await?
    } else {
        None
    };
    tx.commit().await?;

    // 5. Terminals are told, and what nobody has any more is deleted.
    if new {
        access_changes::wake(directory, scope.tenant());
    }
    if let Some(sha256) = replaced {
        sweep_soon(directory, scope, &sha256).await;
    }
    Ok(Taken {
        id,
        new,
        warnings,
        distribution,
    })
}

/// Deletes a content that may have lost its last picture. What fails here is tried again later.
pub(super) async fn sweep_soon(directory: &Directory, scope: &TenantScope, sha256: &[u8]) {
    if let Err(error) = sweep(directory, scope, sha256).await {
        tracing::warn!(%error, "a picture that nobody has any more stays for the moment; it is tried again");
    }
}

pub(super) fn full() -> Problem {
    Problem::new(
        ProblemCode::Conflict,
        format!(
            "The person has {} photos, which is all there can be; remove one first.",
            store::PHOTOS_MAX
        ),
    )
}
