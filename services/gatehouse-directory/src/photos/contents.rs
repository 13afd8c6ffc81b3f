//! The contents of photos in the object store, under their hash: several photos may have the same
//! one, so what is deleted is what no photo has any more.
//!
//! An object store takes no part in transactions. A content is therefore noted as loose before it is
//! laid by, and when a photo goes; the note is forgotten with the row that has the content, and
//! whatever stays noted is deleted. Between a look for rows and the deletion nobody may add one: both
//! hold the content by a lock.

use super::examine::Checked;
use super::store;
use super::view::object_key;
use crate::directory::Directory;
use actix_web::web::Bytes;
use futures_util::future::try_join_all;
use gatehouse_domain::TenantId;
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::TenantScope;
use std::sync::Arc;
use std::time::Duration;

/// The forms of a content.
const FORMS: [&str; 3] = ["original", "terminal", "push"];
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEPT_AT_ONCE: i64 = 200;

/// Why a content is still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StillThere {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("a picture could not be deleted: {0}")]
    Objects(#[from] ObjectError),
}

/// Lays a content by in the object store, in all its forms.
///
/// # Errors
/// The stores'.
pub(crate) async fn lay_by(
    directory: &Directory,
    scope: &TenantScope,
    photo: &Checked,
) -> Answer<()> {
    let tx = directory.kit.db.tenant(scope).await?;
    store::note_loose(&tx, &photo.sha256).await?;
    tx.commit().await?;
    put(directory, scope.tenant(), photo).await
}

async fn put(directory: &Directory, tenant: TenantId, photo: &Checked) -> Answer<()> {
    let sha256 = hex::encode(&photo.sha256);
    let pictures = [photo.original(), photo.terminal(), photo.push()];
    let puts = FORMS.into_iter().zip(pictures).map(|(form, jpeg)| {
        let key = object_key(tenant, &sha256, form);
        let body = Bytes::from(jpeg.bytes.clone());
        async move { directory.kit.objects.put(&key, "image/jpeg", body).await }
    });
    try_join_all(puts).await.map_err(away)?;
    Ok(())
}

/// Holds a content until the transaction ends: nobody else gives it a row or deletes it.
pub(super) async fn hold(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    store::hold_content(tx, sha256).await
}

/// Looks whether a held content is still laid by, in all its forms: as somebody else's it may have been
/// deleted since.
pub(super) async fn make_sure(directory: &Directory, tx: &TenantTx, photo: &Checked) -> Answer<()> {
    let tenant = tx.scope().tenant();
    let sha256 = hex::encode(&photo.sha256);
    let looks = FORMS.map(|form| {
        let key = object_key(tenant, &sha256, form);
        async move { directory.kit.objects.has(&key).await }
    });
    let there = try_join_all(looks).await.map_err(away)?;
    if there.into_iter().all(|there| there) {
        return Ok(());
    }
    put(directory, tenant, photo).await
}

/// A photo with this content goes.
pub(crate) async fn may_be_loose(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    store::note_loose(tx, sha256).await
}

/// A held content has a row now.
pub(super) async fn is_used(tx: &TenantTx, sha256: &[u8]) -> Result<(), DbError> {
    store::forget_loose(tx, sha256).await
}

/// Deletes a content that no photo has; whether it is so. The note stays for a while: somebody may be
/// about to lay the same content by.
pub(crate) async fn sweep(
    directory: &Directory,
    scope: &TenantScope,
    sha256: &[u8],
) -> Result<bool, StillThere> {
    let tx = directory.kit.db.tenant(scope).await?;
    store::hold_content(&tx, sha256).await?;
    let loose = !store::is_used(&tx, sha256).await?;
    if loose {
        for form in FORMS {
            let key = object_key(scope.tenant(), &hex::encode(sha256), form);
            directory.kit.objects.delete(&key).await?;
        }
    }
    store::forget_old_loose(&tx, sha256).await?;
    tx.commit().await?;
    Ok(loose)
}

/// Deletes again and again what was laid by and never used, and what could not be deleted at once.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = Arc::clone(directory);
    Schedule::new("directory.photos.sweep", SWEEP_EVERY, move || {
        let directory = Arc::clone(&directory);
        async move { sweep_all(&directory).await.map_err(|e| e.to_string()) }
    })
}

async fn sweep_all(directory: &Directory) -> Result<(), StillThere> {
    let mut last = Ok(());
    for (scope, sha256) in store::loose(&directory.kit.db, SWEPT_AT_ONCE).await? {
        // A content that stays holds up no other.
        if let Err(error) = sweep(directory, &scope, &sha256).await {
            tracing::warn!(tenant = %scope.tenant(), %error, "a picture stays for the moment; it is tried again");
            last = Err(error);
        }
    }
    last
}

fn away(error: ObjectError) -> Problem {
    tracing::warn!(%error, "a photo could not be kept");
    match error {
        ObjectError::Unavailable(_) => Problem::new(
            ProblemCode::Unavailable,
            "The object store is not available at the moment; try again shortly.",
        )
        .with_retry_after(2),
        ObjectError::NotFound | ObjectError::Refused(_) => Problem::new(
            ProblemCode::Internal,
            "An internal error; it is logged under this request's id.",
        ),
    }
}
