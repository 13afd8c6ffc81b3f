//! What jobs keep of people, and until when: what was uploaded goes when the job has ended, its rows and
//! its file a week later. Whatever the object store would not give up at once is tried again.

use super::upload::{folder, photo_key};
use crate::directory::Directory;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use gatehouse_domain::{JobId, TenantId};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::objects::{ObjectError, Objects};
use gatehouse_platform::service::Schedule;
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(3600);
const JOBS_AT_ONCE: i64 = 500;
/// Files that are on their way out of the object store at the same time.
const DELETES_AT_ONCE: usize = 8;

/// Why something is still there.
#[derive(Debug, thiserror::Error)]
pub(super) enum StillThere {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("a file of a job could not be deleted: {0}")]
    Objects(#[from] ObjectError),
}

/// The files of a job in the object store.
#[derive(Debug, FromQueryResult)]
struct Files {
    input_key: Option<String>,
    report_key: Option<String>,
    photo_hashes: Vec<String>,
}

async fn files(tx: &TenantTx, id: JobId) -> Result<Option<Files>, DbError> {
    let statement = sql(
        "select input_key, report_key, photo_hashes from directory.jobs where tenant_id = $1 and id = $2",
        [tx.tenant_uuid().into(), id.uuid().into()],
    );
    Ok(Files::find_by_statement(statement).one(tx.conn()).await?)
}

/// Deletes files; one that is not there is as good as deleted.
pub(super) async fn delete(objects: &Objects, keys: Vec<String>) -> Result<(), ObjectError> {
    futures_util::stream::iter(keys)
        .map(Ok)
        .try_for_each_concurrent(DELETES_AT_ONCE, |key| async move {
            match objects.delete(&key).await {
                Ok(()) | Err(ObjectError::NotFound) => Ok(()),
                Err(error) => Err(error),
            }
        })
        .await
}

/// Deletes what was uploaded for a job that has ended.
pub(super) async fn input(
    directory: &Directory,
    scope: &TenantScope,
    id: JobId,
) -> Result<(), StillThere> {
    let tx = directory.kit.db.tenant(scope).await?;
    let files = files(&tx, id).await?;
    drop(tx);
    let Some(files) = files else { return Ok(()) };
    delete(&directory.kit.objects, uploaded(scope, id, &files)).await?;
    let gone = "update directory.jobs set input_key = null, photo_hashes = '{}' where tenant_id = $1 and id = $2";
    Ok(note(directory, scope, id, gone).await?)
}

async fn note(
    directory: &Directory,
    scope: &TenantScope,
    id: JobId,
    statement: &'static str,
) -> Result<(), DbError> {
    let tx = directory.kit.db.tenant(scope).await?;
    let values = [tx.tenant_uuid().into(), id.uuid().into()];
    tx.conn().execute_raw(sql(statement, values)).await?;
    tx.commit().await
}

fn uploaded(scope: &TenantScope, id: JobId, files: &Files) -> Vec<String> {
    let folder = folder(scope, id);
    let photos = files
        .photo_hashes
        .iter()
        .map(|hash| photo_key(&folder, hash));
    photos.chain(files.input_key.clone()).collect()
}

/// The same, where it may also be done later.
pub(super) async fn input_or_later(directory: &Directory, scope: &TenantScope, id: JobId) {
    if let Err(error) = input(directory, scope, id).await {
        tracing::warn!(job = %id, %error, "what was uploaded for a job stays for the moment; it is tried again");
    }
}

/// Deletes a job with all that it keeps.
async fn job(directory: &Directory, scope: &TenantScope, id: JobId) -> Result<(), StillThere> {
    let tx = directory.kit.db.tenant(scope).await?;
    let files = files(&tx, id).await?;
    drop(tx);
    let Some(files) = files else { return Ok(()) };
    let mut keys = uploaded(scope, id, &files);
    keys.extend(files.report_key);
    delete(&directory.kit.objects, keys).await?;
    let gone = "delete from directory.jobs where tenant_id = $1 and id = $2";
    Ok(note(directory, scope, id, gone).await?)
}

/// Forgets jobs that ended long ago, and what was uploaded for those that ended.
pub(crate) fn schedule(directory: &Arc<Directory>) -> Schedule {
    let directory = Arc::clone(directory);
    Schedule::new("directory.jobs.forget", EVERY, move || {
        let directory = Arc::clone(&directory);
        async move { forget(&directory).await.map_err(|e| e.to_string()) }
    })
}

async fn forget(directory: &Directory) -> Result<(), StillThere> {
    let mut last = Ok(());
    for (scope, id, old) in ended(&directory.kit.db).await? {
        let gone = if old {
            job(directory, &scope, id).await
        } else {
            input(directory, &scope, id).await
        };
        // One that stays holds up no other.
        if let Err(error) = gone {
            tracing::warn!(job = %id, %error, "a job is not forgotten yet; it is tried again");
            last = Err(error);
        }
    }
    last
}

/// Jobs of any tenant with something to forget, and whether it is all of the job. Whoever worked on a
/// job that was cancelled may not know it yet: what was uploaded stays a moment longer.
async fn ended(db: &Database) -> Result<Vec<(TenantScope, JobId, bool)>, DbError> {
    let tx = db.system().await?;
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select tenant_id, id, finished_at < now() - interval '7 days' from directory.jobs
              where finished_at < now() - interval '7 days'
                 or finished_at < now() - interval '10 minutes' and (input_key is not null or photo_hashes <> '{}')
              order by finished_at limit $1",
            [JOBS_AT_ONCE.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let (tenant, id, old) = row.try_get_many_by_index::<(Uuid, Uuid, bool)>()?;
            let scope = tx.scope(TenantId::from_uuid(tenant), Actor::System);
            Ok((scope, JobId::from_uuid(id), old))
        })
        .collect()
}

/// Until when the files that jobs keep at the moment may be there; none where there are none. A job
/// that has not ended is taken to end now.
///
/// # Errors
/// The database's.
pub(crate) async fn kept_until(tx: &TenantTx) -> Result<Option<DateTime<Utc>>, DbError> {
    let row = tx
        .conn()
        .query_one_raw(sql(
            "select max(coalesce(finished_at, now()) + interval '7 days') from directory.jobs
              where tenant_id = $1
                and (finished_at is null or input_key is not null or report_key is not null or photo_hashes <> '{}')",
            [tx.tenant_uuid().into()],
        ))
        .await?;
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .flatten())
}
