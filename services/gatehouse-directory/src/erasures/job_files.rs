//! Files of imports and exports that were made before somebody was erased: jobs forget them in their
//! time, and the receipt hears of it here.

use super::store;
use crate::directory::Directory;
use gatehouse_platform::db::DbError;
use gatehouse_platform::service::Schedule;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3600);

/// Looks for receipts whose last file is gone.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = directory.clone();
    Schedule::new("directory.erasures.job_files", EVERY, move || {
        let directory = directory.clone();
        async move { look(&directory).await.map_err(|e| e.to_string()) }
    })
}

async fn look(directory: &Directory) -> Result<(), DbError> {
    let mut last = Ok(());
    for scope in store::tenants_waiting(&directory.kit.db).await? {
        if let Err(error) = store::job_files_gone(&directory.kit.db, &scope).await {
            tracing::warn!(tenant = %scope.tenant(), %error, "receipts of a tenant are looked at again later");
            last = Err(error);
        }
    }
    last
}
