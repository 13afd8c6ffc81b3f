//! Rows of `directory.jobs` and `directory.job_rows`.

use super::columns::Column;
use chrono::{DateTime, Utc};
use gatehouse_domain::{JobId, TenantId, vocabulary};
use gatehouse_platform::db::{Database, DbError, TenantTx, sql};
use gatehouse_platform::tenant::{Actor, TenantScope};
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Another process takes a job over that was not heard of for so long.
const LEASE_S: f64 = 60.0;

vocabulary! {
    /// What a job does.
    pub(super) enum JobType: "job type" {
        PersonImport = "person_import",
        PersonExport = "person_export",
    }
}

vocabulary! {
    /// What an import does with somebody whose code is known.
    pub(super) enum Existing: "treatment of known persons" {
        /// Lays the row's cells over what is known.
        Update = "update",
        /// Leaves them as they are.
        Skip = "skip",
        /// Counts the row as failed.
        Fail = "fail",
    }
}

/// What was asked for beside the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Options {
    pub(super) format: Option<String>,
    pub(super) existing: Option<String>,
    /// Photos that came along.
    pub(super) photos: u64,
    pub(super) group_id: Option<Uuid>,
    pub(super) department_id: Option<Uuid>,
    pub(super) kind: Option<String>,
}

/// A job.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Job {
    pub(super) id: Uuid,
    #[sea_orm(from_alias = "type")]
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) dry_run: bool,
    pub(super) options: Value,
    pub(super) input_key: Option<String>,
    pub(super) report_key: Option<String>,
    pub(super) total: Option<i64>,
    pub(super) done: i64,
    pub(super) succeeded: i64,
    pub(super) failed: i64,
    pub(super) error: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
}

impl Job {
    pub(super) const fn job_id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }

    pub(super) fn options(&self) -> Options {
        serde_json::from_value(self.options.clone()).unwrap_or_default()
    }
}

const COLUMNS: &str = "id, type, state, dry_run, options, input_key, report_key, total, done, succeeded, failed, error,
  created_at, started_at, finished_at";

fn one(row: Option<QueryResult>) -> Result<Option<Job>, DbError> {
    Ok(row
        .map(|row| Job::from_query_result(&row, ""))
        .transpose()?)
}

/// A job to be worked off.
pub(super) struct NewJob<'a> {
    pub(super) id: JobId,
    pub(super) kind: JobType,
    pub(super) dry_run: bool,
    pub(super) options: &'a Options,
    pub(super) input_key: Option<&'a str>,
    /// What of their codes the photos lie under.
    pub(super) photo_hashes: Vec<String>,
}

pub(super) async fn insert(tx: &TenantTx, new: NewJob<'_>) -> Result<(), DbError> {
    let options = serde_json::to_value(new.options).unwrap_or_default();
    tx.conn()
        .execute_raw(sql(
            "insert into directory.jobs (tenant_id, id, type, dry_run, options, input_key, photo_hashes, actor)
             values ($1, $2, $3, $4, $5, $6, $7, jsonb_build_object('kind', $8::text, 'id', $9::text))",
            [
                tx.tenant_uuid().into(),
                new.id.uuid().into(),
                new.kind.as_str().into(),
                new.dry_run.into(),
                options.into(),
                new.input_key.map(str::to_owned).into(),
                new.photo_hashes.into(),
                tx.scope().actor().kind().into(),
                tx.scope().actor().id().into(),
            ],
        ))
        .await?;
    Ok(())
}

pub(super) async fn read(tx: &TenantTx, id: JobId) -> Result<Option<Job>, DbError> {
    let statement =
        format!("select {COLUMNS} from directory.jobs where tenant_id = $1 and id = $2");
    let values = [tx.tenant_uuid().into(), id.uuid().into()];
    one(tx.conn().query_one_raw(sql(&statement, values)).await?)
}

/// Jobs, newest first.
pub(super) async fn list(
    tx: &TenantTx,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Job>, DbError> {
    let statement = format!(
        "select {COLUMNS} from directory.jobs where tenant_id = $1 and id < $2 order by id desc limit $3"
    );
    let values = [
        tx.tenant_uuid().into(),
        after.unwrap_or(Uuid::max()).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = tx.conn().query_all_raw(sql(&statement, values)).await?;
    Ok(rows
        .iter()
        .map(|row| Job::from_query_result(row, ""))
        .collect::<Result<_, _>>()?)
}

/// Ends a job that has not ended; whether there was one.
pub(super) async fn cancel(tx: &TenantTx, id: JobId) -> Result<bool, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "update directory.jobs set state = 'cancelled', finished_at = now()
              where tenant_id = $1 and id = $2 and state in ('queued', 'running')",
            [tx.tenant_uuid().into(), id.uuid().into()],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes the oldest job of any tenant that nobody works on.
pub(super) async fn take(db: &Database, node: &str) -> Result<Option<(TenantScope, Job)>, DbError> {
    let tx = db.system().await?;
    let row = tx
        .conn()
        .query_one_raw(sql(
            &format!(
                "update directory.jobs set state = 'running', lease = $1, started_at = coalesce(started_at, now()),
                    leased_until = now() + make_interval(secs => {LEASE_S})
                  where (tenant_id, id) = (
                    select tenant_id, id from directory.jobs
                     where state = 'queued' or (state = 'running' and leased_until < now())
                     order by created_at limit 1 for update skip locked)
                returning tenant_id, {COLUMNS}"
            ),
            [node.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let tenant: Uuid = row.try_get("", "tenant_id")?;
    let scope = tx.scope(TenantId::from_uuid(tenant), Actor::System);
    let job = Job::from_query_result(&row, "")?;
    tx.commit().await?;
    Ok(Some((scope, job)))
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    pub(super) total: i64,
    pub(super) done: i64,
    pub(super) succeeded: i64,
    pub(super) failed: i64,
}

/// Notes how far a job is and keeps it; false where it was cancelled or taken over.
pub(super) async fn reached(
    tx: &TenantTx,
    id: JobId,
    node: &str,
    reached: Reached,
) -> Result<bool, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "update directory.jobs set total = $4, done = $5, succeeded = $6, failed = $7,
                    leased_until = now() + make_interval(secs => {LEASE_S})
                  where tenant_id = $1 and id = $2 and lease = $3 and state = 'running'"
            ),
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                node.into(),
                reached.total.into(),
                reached.done.into(),
                reached.succeeded.into(),
                reached.failed.into(),
            ],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Leaves a job to whoever takes it next.
pub(super) async fn let_go(tx: &TenantTx, id: JobId, node: &str) -> Result<(), DbError> {
    tx.conn()
        .execute_raw(sql(
            "update directory.jobs set leased_until = now()
              where tenant_id = $1 and id = $2 and lease = $3 and state = 'running'",
            [tx.tenant_uuid().into(), id.uuid().into(), node.into()],
        ))
        .await?;
    Ok(())
}

/// Keeps a job that takes its time; false where it was cancelled or taken over.
pub(super) async fn renew(tx: &TenantTx, id: JobId, node: &str) -> Result<bool, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            &format!(
                "update directory.jobs set leased_until = now() + make_interval(secs => {LEASE_S})
                  where tenant_id = $1 and id = $2 and lease = $3 and state = 'running'"
            ),
            [tx.tenant_uuid().into(), id.uuid().into(), node.into()],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends a job, well or with a sentence that says why not; false where it was cancelled or taken over.
pub(super) async fn finish(
    tx: &TenantTx,
    id: JobId,
    node: &str,
    report_key: Option<&str>,
    error: Option<&str>,
) -> Result<bool, DbError> {
    let done = tx
        .conn()
        .execute_raw(sql(
            "update directory.jobs set state = case when $4::text is null then 'succeeded' else 'failed' end,
                report_key = $3, error = $4, finished_at = now()
              where tenant_id = $1 and id = $2 and lease = $5 and state = 'running'",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                report_key.map(str::to_owned).into(),
                error.map(str::to_owned).into(),
                node.into(),
            ],
        ))
        .await?;
    Ok(done.rows_affected() > 0)
}

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowOutcome {
    pub(super) number: i64,
    pub(super) outcome: Outcome,
    pub(super) code: String,
    pub(super) faults: Vec<String>,
    /// The row as it came, where it has to be mended; what is secret of it sealed.
    pub(super) content: Option<BTreeMap<Column, String>>,
}

vocabulary! {
    /// What came of a row.
    pub(super) enum Outcome: "outcome" {
        Created = "created",
        Updated = "updated",
        Unchanged = "unchanged",
        Failed = "failed",
    }
}

/// Notes what came of rows. A row that is told again, after another process took over, replaces what
/// was told before.
pub(super) async fn note_rows(
    tx: &TenantTx,
    id: JobId,
    rows: &[RowOutcome],
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let json = |value: Value| value.to_string();
    let faults = rows.iter().map(|row| json(row.faults.clone().into()));
    let contents = rows.iter().map(|row| match &row.content {
        Some(cells) => json(serde_json::to_value(cells).unwrap_or_default()),
        None => "null".to_owned(),
    });
    tx.conn()
        .execute_raw(sql(
            "insert into directory.job_rows (tenant_id, job_id, row_number, outcome, code, faults, content)
             select $1, $2, number, outcome, nullif(code, ''), faults::jsonb, nullif(content, 'null')::jsonb
               from unnest($3::int8[], $4::text[], $5::text[], $6::text[], $7::text[])
                 as r (number, outcome, code, faults, content)
             on conflict (tenant_id, job_id, row_number) do update
                set outcome = excluded.outcome, faults = excluded.faults, content = excluded.content",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                rows.iter().map(|row| row.number).collect::<Vec<_>>().into(),
                rows.iter().map(|row| row.outcome.to_string()).collect::<Vec<_>>().into(),
                rows.iter().map(|row| row.code.clone()).collect::<Vec<_>>().into(),
                faults.collect::<Vec<_>>().into(),
                contents.collect::<Vec<_>>().into(),
            ],
        ))
        .await?;
    Ok(())
}

/// A noted row.
#[derive(Debug, FromQueryResult)]
pub(super) struct NotedRow {
    pub(super) row_number: i64,
    pub(super) outcome: String,
    pub(super) code: Option<String>,
    pub(super) faults: Value,
    pub(super) content: Option<Value>,
}

impl NotedRow {
    pub(super) fn faults(&self) -> Vec<String> {
        serde_json::from_value(self.faults.clone()).unwrap_or_default()
    }

    pub(super) fn cells(&self) -> BTreeMap<Column, String> {
        let content = self.content.clone().unwrap_or_default();
        serde_json::from_value(content).unwrap_or_default()
    }
}

/// Rows in the order of the table.
pub(super) async fn rows(
    tx: &TenantTx,
    id: JobId,
    outcome: Option<Outcome>,
    after: i64,
    limit: u64,
) -> Result<Vec<NotedRow>, DbError> {
    let rows = tx
        .conn()
        .query_all_raw(sql(
            "select row_number, outcome, code, faults, content from directory.job_rows
              where tenant_id = $1 and job_id = $2 and row_number > $3 and ($4 = '' or outcome = $4)
              order by row_number limit $5",
            [
                tx.tenant_uuid().into(),
                id.uuid().into(),
                after.into(),
                outcome.map(Outcome::as_str).unwrap_or_default().into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| NotedRow::from_query_result(row, ""))
        .collect::<Result<_, _>>()?)
}
