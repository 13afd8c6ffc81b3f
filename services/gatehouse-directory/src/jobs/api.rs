//! Routes of imports, exports and jobs.

use super::begin::begin;
use super::store::{self, Job, JobType, NewJob, NotedRow, Options, Outcome};
use super::{forget, sheet, upload};
use crate::directory::Directory;
use crate::reading::Reading;
use crate::schemas;
use actix_multipart::Multipart;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use gatehouse_contracts::Wake;
use gatehouse_domain::person::PersonType;
use gatehouse_domain::{DepartmentId, GroupId, JobId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, Page, PageQuery, Problem, ProblemCode, idempotency,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const EXPORT: &str = "exports.create";

/// Long work, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    #[schema(value_type = String, example = "job_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: JobId,
    /// `person_import` or `person_export`.
    #[serde(rename = "type")]
    kind: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`. An import in which rows failed has
    /// succeeded: `failed` is the job as a whole, and `error` says why.
    state: String,
    /// Whether nothing is kept.
    dry_run: bool,
    /// Rows of the table; null until it was read.
    total: Option<i64>,
    /// Rows that were worked off.
    done: i64,
    succeeded: i64,
    failed: i64,
    error: Option<String>,
    /// Where the file is, when there is one: of an import the rows that failed, of an export all.
    file_url: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let id = job.job_id();
        let Job {
            id: _,
            kind,
            state,
            dry_run,
            options: _,
            input_key: _,
            report_key,
            total,
            done,
            succeeded,
            failed,
            error,
            created_at,
            started_at,
            finished_at,
        } = job;
        Self {
            id,
            kind,
            state,
            dry_run,
            total,
            done,
            succeeded,
            failed,
            error,
            file_url: report_key.map(|_| format!("/v1/jobs/{id}/file")),
            created_at,
            started_at,
            finished_at,
        }
    }
}

/// What came of a row of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobRow {
    /// As a table program counts: the headings are row 1.
    row: i64,
    /// `created`, `updated`, `unchanged` or `failed`.
    outcome: String,
    code: Option<String>,
    /// What was wrong, in sentences.
    faults: Vec<String>,
}

impl From<NotedRow> for JobRow {
    fn from(row: NotedRow) -> Self {
        Self {
            faults: row.faults(),
            row: row.row_number,
            outcome: row.outcome,
            code: row.code,
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowQuery {
    /// `created`, `updated`, `unchanged` or `failed`. Only rows that failed are kept, and in a dry run all.
    outcome: Option<String>,
}

/// What to export.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExportRequest {
    /// `xlsx` (where absent) or `csv`.
    #[schema(example = "xlsx")]
    format: Option<String>,
    /// Members of this group only.
    #[schema(value_type = Option<String>)]
    group_id: Option<GroupId>,
    /// Persons of this department only.
    #[schema(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Persons of this type only.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type, required = false)]
    kind: Option<String>,
}

/// The form of an import.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "for the document only; the form is read part by part"
)]
pub(crate) struct ImportForm {
    /// The table: xlsx, or csv in UTF-8. The first row has the headings; `code` must be among them.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// A zip archive of photos, each named by its person's code: `E-1042.jpg`.
    #[schema(value_type = Option<String>, format = Binary)]
    photos: Option<Vec<u8>>,
    /// Try everything and keep nothing.
    dry_run: Option<bool>,
    /// `update` (where absent), `skip` or `fail`: what becomes of a row whose code is known.
    existing: Option<String>,
}

/// Brings many persons in from a table, with an archive of photos.
///
/// Rows are matched by code, never by name. A row that cannot be taken is reported with its reasons and
/// holds up no other; the job's file has only those rows, ready to be mended and uploaded again.
#[utoipa::path(
    tag = "jobs",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses((status = 202, description = "The job.", body = JobView), Refused, Unfit),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/imports")]
async fn create_import(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    form: Multipart,
) -> Answer<HttpResponse> {
    let job = upload::take(&directory, caller.scope(), form, caller.request_id()).await?;
    Ok(accepted(&directory, job.into()))
}

/// Writes persons into a table that an import takes.
#[utoipa::path(
    tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = ExportRequest,
    responses((status = 202, description = "The job.", body = JobView), Refused, Unfit, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/exports")]
async fn create_export(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<ExportRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, EXPORT, &key, &*body).await? {
        return Ok(answer);
    }
    let ExportRequest {
        format,
        group_id,
        department_id,
        kind,
    } = body.into_inner();
    let mut reading = Reading::begin();
    let format = reading.word("/format", format.as_deref(), sheet::Format::Xlsx);
    let kind = kind.map(|word| reading.word("/type", Some(&word), PersonType::Staff));
    reading.end()?;
    let options = Options {
        format: Some(format.to_string()),
        group_id: group_id.map(|id| id.uuid()),
        department_id: department_id.map(|id| id.uuid()),
        kind: kind.map(|kind| kind.to_string()),
        ..Options::default()
    };
    let id = JobId::from_uuid(Uuid::now_v7());
    let new = NewJob {
        id,
        kind: JobType::PersonExport,
        dry_run: false,
        options: &options,
        input_key: None,
        photo_hashes: Vec::new(),
    };
    let job = JobView::from(begin(&tx, new, caller.request_id()).await?);
    idempotency::finish(&tx, DIRECTORY, EXPORT, &key, 202, &job).await?;
    tx.commit().await?;
    Ok(accepted(&directory, job))
}

fn accepted(directory: &Directory, job: JobView) -> HttpResponse {
    directory.kit.bus.wake(Wake::Job);
    HttpResponse::Accepted()
        .insert_header(("Location", format!("/v1/jobs/{}", job.id)))
        .json(job)
}

async fn read(tx: &TenantTx, id: JobId) -> Answer<Job> {
    let job = store::read(tx, id).await?;
    job.ok_or_else(|| Problem::not_found("job"))
}

/// The jobs, newest first.
#[utoipa::path(
    tag = "jobs",
    params(PageQuery),
    responses((status = 200, description = "A page of jobs.", body = Page<JobView>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/jobs")]
async fn list_jobs(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<JobView>>> {
    let limit = page.limit()?;
    let after: Option<Uuid> = page.position()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |job| job.id,
        JobView::from,
    )))
}

/// One job.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = JobView), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/jobs/{id}")]
async fn get_job(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<JobId>,
) -> Answer<web::Json<JobView>> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    Ok(web::Json(read(&tx, *id).await?.into()))
}

/// What came of the rows of an import, in the order of the table.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id."), RowQuery, PageQuery),
    responses((status = 200, description = "A page of rows.", body = Page<JobRow>), Refused, Missing, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/jobs/{id}/rows")]
async fn list_job_rows(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<JobId>,
    query: web::Query<RowQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<JobRow>>> {
    let mut reading = Reading::begin();
    let outcome = query.into_inner().outcome;
    let outcome = outcome.map(|word| reading.word("/outcome", Some(&word), Outcome::Failed));
    reading.end()?;
    let limit = page.limit()?;
    let after: Option<i64> = page.position()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    read(&tx, *id).await?;
    let rows = store::rows(
        &tx,
        *id,
        outcome,
        after.unwrap_or(0),
        limit.saturating_add(1),
    )
    .await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.row_number,
        JobRow::from,
    )))
}

/// The file of a job that has ended: of an import the rows that failed, with what was wrong; of an
/// export the table. A week after its end the job is forgotten, and its file with it.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id.")),
    responses(
        (status = 200, description = "The table.", body = Vec<u8>, content_type = "application/octet-stream"),
        Refused, Missing
    ),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[get("/v1/jobs/{id}/file")]
async fn get_job_file(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<JobId>,
) -> Answer<HttpResponse> {
    let key = {
        let tx = directory.kit.db.tenant(caller.scope()).await?;
        read(&tx, *id).await?.report_key
    };
    let key = key.ok_or_else(|| Problem::not_found("file of this job"))?;
    let object = directory
        .kit
        .objects
        .get(&key)
        .await
        .map_err(|e| upload::away(&e))?;
    let name = key.rsplit('/').next().unwrap_or("table");
    Ok(HttpResponse::Ok()
        .content_type(object.content_type)
        .insert_header((
            "Content-Disposition",
            format!("attachment; filename=\"{name}\""),
        ))
        .body(object.body))
}

/// Ends a job that has not ended. Rows that were taken stay.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = JobView), Refused, Missing, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/jobs/{id}/cancel")]
async fn cancel_job(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<JobId>,
) -> Answer<web::Json<JobView>> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let cancelled = store::cancel(&tx, *id).await?;
    let job = read(&tx, *id).await?;
    if !cancelled {
        let detail = format!("The job has ended: it is {}.", job.state);
        return Err(Problem::new(ProblemCode::Conflict, detail));
    }
    tx.commit().await?;
    // Whoever works on it may still read what was uploaded, and deletes it as soon as this is known.
    if job.started_at.is_none() {
        forget::input_or_later(&directory, caller.scope(), *id).await;
    }
    Ok(web::Json(job.into()))
}

/// Routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_import);
    cfg.service(create_export);
    cfg.service(list_jobs);
    cfg.service(get_job);
    cfg.service(list_job_rows);
    cfg.service(get_job_file);
    cfg.service(cancel_job);
}
