//! Pictures of erased persons: deleted right after the commit, and tried again until they are gone.

use super::store;
use crate::directory::Directory;
use gatehouse_domain::ErasureId;
use gatehouse_platform::db::DbError;
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::TenantScope;
use std::sync::Arc;
use std::time::Duration;

const AGAIN_EVERY: Duration = Duration::from_secs(60);
const RECEIPTS_AT_ONCE: i64 = 100;

/// Why pictures are still there.
#[derive(Debug, thiserror::Error)]
pub(super) enum StillThere {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("a picture could not be deleted: {0}")]
    Objects(#[from] ObjectError),
}

/// Deletes the pictures that a receipt waits for, and says so on it.
pub(super) async fn delete(
    directory: &Directory,
    scope: &TenantScope,
    erasure: ErasureId,
) -> Result<(), StillThere> {
    let keys = {
        let tx = directory.kit.db.tenant(scope).await?;
        store::waiting_objects(&tx, erasure).await?
    };
    for key in &keys {
        match directory.kit.objects.delete(key).await {
            Ok(()) | Err(ObjectError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    store::objects_gone(&directory.kit.db, scope, erasure, keys.len()).await?;
    Ok(())
}

/// Tries again what the object store would not do at once.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = directory.clone();
    Schedule::new("directory.erasures.objects", AGAIN_EVERY, move || {
        let directory = directory.clone();
        async move { again(&directory).await.map_err(|e| e.to_string()) }
    })
}

async fn again(directory: &Directory) -> Result<(), StillThere> {
    for (scope, erasure) in store::with_waiting_objects(&directory.kit.db, RECEIPTS_AT_ONCE).await?
    {
        delete(directory, &scope, erasure).await?;
    }
    Ok(())
}
