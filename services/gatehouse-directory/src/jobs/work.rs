//! Taking jobs off the list: one at a time in each process, oldest first. A process that dies leaves
//! its job to another after a minute, which goes on where it was.

use super::store::{self, Job, JobType, Reached};
use super::{export, forget, import};
use crate::directory::Directory;
use futures_util::future::{Either, select};
use gatehouse_contracts::Wake;
use gatehouse_domain::JobId;
use gatehouse_platform::db::DbError;
use gatehouse_platform::http::Problem;
use gatehouse_platform::objects::ObjectError;
use gatehouse_platform::secrets::SecretsError;
use gatehouse_platform::service::Task;
use gatehouse_platform::tenant::TenantScope;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the list is looked at where no wake-up came.
const TICK: Duration = Duration::from_secs(5);
/// Well within the lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Why a job is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undone {
    /// It was cancelled, or another process has it.
    #[error("the job belongs to nobody here any more")]
    Taken,
    /// The process stops; another goes on.
    #[error("the process stops")]
    Stopping,
    /// A store is away; it is taken up again.
    #[error("{0}")]
    Away(String),
    /// It can never be done; a sentence.
    #[error("{0}")]
    Never(String),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            Self::Away(error.to_string())
        } else {
            tracing::error!(%error, "a job cannot be done");
            Self::Never("An internal error; it is logged.".to_owned())
        }
    }
}

impl From<SecretsError> for Undone {
    fn from(error: SecretsError) -> Self {
        Self::Never(format!("A row of the job cannot be kept: {error}."))
    }
}

impl From<ObjectError> for Undone {
    fn from(error: ObjectError) -> Self {
        if error.is_transient() {
            Self::Away(error.to_string())
        } else {
            Self::Never(format!("A file of the job cannot be read: {error}."))
        }
    }
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        use gatehouse_platform::http::ProblemCode;
        if problem.code() == ProblemCode::Unavailable {
            Self::Away(problem.detail().to_owned())
        } else {
            Self::Never(problem.detail().to_owned())
        }
    }
}

/// A job in this process's hands.
pub(super) struct Work<'a> {
    pub(super) directory: &'a Directory,
    pub(super) scope: &'a TenantScope,
    pub(super) job: &'a Job,
    pub(super) cancel: &'a CancellationToken,
}

impl Work<'_> {
    pub(super) const fn id(&self) -> JobId {
        self.job.job_id()
    }

    /// Notes how far it is, with what came of rows; an error where somebody else has it now.
    pub(super) async fn reached(
        &self,
        reached: Reached,
        rows: &[store::RowOutcome],
    ) -> Result<(), Undone> {
        let kit = &self.directory.kit;
        let tx = kit.db.tenant(self.scope).await?;
        store::note_rows(&tx, self.id(), rows).await?;
        let ours = store::reached(&tx, self.id(), &kit.node, reached).await?;
        if !ours {
            return Err(Undone::Taken);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Does what may take long, and keeps the job meanwhile.
    async fn holding<T>(&self, long: impl Future<Output = Result<T, Undone>>) -> Result<T, Undone> {
        let renewing = async {
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                let tx = self.directory.kit.db.tenant(self.scope).await?;
                if !store::renew(&tx, self.id(), &self.directory.kit.node).await? {
                    return Err(Undone::Taken);
                }
                tx.commit().await?;
            }
        };
        // Both go on side by side: what is done may hold the job's row for a moment.
        match select(pin!(long), pin!(renewing)).await {
            Either::Left((done, _)) => done,
            Either::Right((lost, _)) => lost,
        }
    }

    /// Whether the process stops.
    pub(super) fn go_on(&self) -> Result<(), Undone> {
        if self.cancel.is_cancelled() {
            Err(Undone::Stopping)
        } else {
            Ok(())
        }
    }
}

/// The task that works jobs off.
pub(crate) fn task(directory: &Arc<Directory>) -> Task {
    let directory = directory.clone();
    Task::new("directory.jobs", move |cancel| async move {
        let mut wakes = directory.kit.bus.wakes();
        // The work itself ends when the process begins to stop, before this task's own token.
        let stopping = directory.kit.cancel.clone();
        while !stopping.is_cancelled() && !cancel.is_cancelled() {
            match next(&directory, &stopping).await {
                Ok(true) => {}
                Ok(false) => {
                    let woken =
                        async { while !matches!(wakes.recv().await, Ok(Wake::Job) | Err(_)) {} };
                    let rest = tokio::time::timeout(TICK, woken);
                    stopping.run_until_cancelled(rest).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "jobs cannot be worked off at the moment");
                    stopping.run_until_cancelled(tokio::time::sleep(TICK)).await;
                }
            }
        }
    })
}

/// Works one job off; false where there is none.
async fn next(directory: &Directory, cancel: &CancellationToken) -> Result<bool, DbError> {
    let kit = &directory.kit;
    let Some((scope, job)) = store::take(&kit.db, &kit.node).await? else {
        return Ok(false);
    };
    let work = Work {
        directory,
        scope: &scope,
        job: &job,
        cancel,
    };
    let outcome = match job.kind.parse() {
        Ok(JobType::PersonImport) => work.holding(import::run(&work)).await,
        Ok(JobType::PersonExport) => work.holding(export::run(&work)).await,
        Err(unknown) => Err(Undone::Never(unknown.to_string())),
    };
    match outcome {
        Ok(report) => end(&work, report.as_deref(), None).await?,
        Err(Undone::Never(why)) => end(&work, None, Some(&why)).await?,
        Err(Undone::Taken) => {
            tracing::info!(job = %job.job_id(), "a job was cancelled, or is another's now");
            let_go_of_input(&work).await?;
        }
        Err(undone @ (Undone::Stopping | Undone::Away(_))) => {
            tracing::info!(job = %job.job_id(), %undone, "a job waits");
            let tx = kit.db.tenant(&scope).await?;
            store::let_go(&tx, job.job_id(), &kit.node).await?;
            tx.commit().await?;
            let_go_of_input(&work).await?;
            cancel.run_until_cancelled(tokio::time::sleep(TICK)).await;
        }
    }
    Ok(true)
}

async fn end(work: &Work<'_>, report: Option<&str>, error: Option<&str>) -> Result<(), DbError> {
    let tx = work.directory.kit.db.tenant(work.scope).await?;
    let node = &work.directory.kit.node;
    if !store::finish(&tx, work.id(), node, report, error).await? {
        tracing::info!(job = %work.id(), "a job was cancelled, or is another's now");
    }
    tx.commit().await?;
    let_go_of_input(work).await
}

/// Deletes what was uploaded, where the job has ended: whoever has it now may need it otherwise.
async fn let_go_of_input(work: &Work<'_>) -> Result<(), DbError> {
    let tx = work.directory.kit.db.tenant(work.scope).await?;
    let job = store::read(&tx, work.id()).await?;
    drop(tx);
    if job.is_some_and(|job| job.finished_at.is_some()) {
        forget::input_or_later(work.directory, work.scope, work.id()).await;
    }
    Ok(())
}
