//! Pictures of erased persons: deleted right after the commit, and tried again until they are gone.

use super::store;
use crate::directory::Directory;
use crate::photos::{self, StillThere};
use gatehouse_domain::ErasureId;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::TenantScope;
use std::sync::Arc;
use std::time::Duration;

const AGAIN_EVERY: Duration = Duration::from_secs(60);
const RECEIPTS_AT_ONCE: i64 = 100;

/// Deletes the pictures that a receipt waits for, and says so on it.
pub(super) async fn delete(
    directory: &Directory,
    scope: &TenantScope,
    erasure: ErasureId,
) -> Result<(), StillThere> {
    let hashes = {
        let tx = directory.kit.db.tenant(scope).await?;
        store::waiting_photos(&tx, erasure).await?
    };
    let mut gone = 0;
    for hash in &hashes {
        let sha256 = hex::decode(hash).unwrap_or_default();
        if photos::sweep(directory, scope, &sha256).await? {
            gone += 1;
        }
    }
    if !hashes.is_empty() {
        let detail = told(gone, hashes.len() - gone);
        store::photos_gone(&directory.kit.db, scope, erasure, &detail).await?;
    }
    Ok(())
}

/// What the receipt says of pictures that are gone, and of those that are another person's as well.
fn told(gone: usize, shared: usize) -> String {
    let gone = match gone {
        1 => "1 picture was deleted.".to_owned(),
        n => format!("{n} pictures were deleted."),
    };
    match shared {
        0 => gone,
        1 => format!("{gone} 1 stays, because another person has the same one."),
        n => format!("{gone} {n} stay, because other persons have the same ones."),
    }
}

/// Tries again what the object store would not do at once.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = directory.clone();
    Schedule::new("directory.erasures.photos", AGAIN_EVERY, move || {
        let directory = directory.clone();
        async move { again(&directory).await.map_err(|e| e.to_string()) }
    })
}

async fn again(directory: &Directory) -> Result<(), StillThere> {
    let mut last = Ok(());
    for (scope, erasure) in store::with_waiting_photos(&directory.kit.db, RECEIPTS_AT_ONCE).await? {
        // A picture that stays holds up no other receipt.
        if let Err(error) = delete(directory, &scope, erasure).await {
            tracing::warn!(%erasure, %error, "pictures of an erased person stay for the moment; they are tried again");
            last = Err(error);
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_another_person_has_is_not_said_to_be_deleted() {
        assert_eq!(told(1, 0), "1 picture was deleted.");
        assert_eq!(
            told(0, 1),
            "0 pictures were deleted. 1 stays, because another person has the same one."
        );
        assert_eq!(
            told(2, 2),
            "2 pictures were deleted. 2 stay, because other persons have the same ones."
        );
    }
}
