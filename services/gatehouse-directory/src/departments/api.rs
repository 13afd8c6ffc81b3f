//! Routes of single departments.

use super::store::{self, Wanted};
use super::view::Department;
use super::{change, create};
use crate::directory::Directory;
use crate::reading::present;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use gatehouse_domain::{DepartmentId, PersonId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManagePersons, ReadPersons};
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{
    Answer, Begun, IdempotencyKey, IfMatch, Page, PageQuery, Problem, etag, idempotency,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const CREATE: &str = "departments.create";

/// A department to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepartmentRequest {
    /// 1 to 100 characters.
    #[schema(example = "Assembly")]
    pub(super) name: String,
    /// The organisation's own code for it: at most 64 characters, unique within the tenant.
    #[schema(example = "A-200")]
    pub(super) code: Option<String>,
    /// The department above; without one it stands at the top. The tree has at most 16 levels.
    #[schema(value_type = Option<String>)]
    pub(super) parent_id: Option<DepartmentId>,
    /// The person who leads it, who need not be in it.
    #[schema(value_type = Option<String>)]
    pub(super) leader_id: Option<PersonId>,
    /// At most 500 characters.
    pub(super) remark: Option<String>,
}

/// What to change of a department; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepartmentPatch {
    /// 1 to 100 characters.
    pub(super) name: Option<String>,
    /// At most 64 characters, unique within the tenant. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) code: Option<Option<String>>,
    /// Moves it, with all below it. Null: to the top.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) parent_id: Option<Option<DepartmentId>>,
    /// Null: nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) leader_id: Option<Option<PersonId>>,
    /// At most 500 characters. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) remark: Option<Option<String>>,
}

/// Which departments are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepartmentQuery {
    /// Those directly below this one; `root` for those at the top; all where absent.
    #[param(example = "root")]
    parent_id: Option<String>,
}

/// Creates a department.
#[utoipa::path(
    tag = "departments",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeat of this request harmless.")),
    request_body = DepartmentRequest,
    responses((status = 201, description = "The department.", body = Department), Refused, Unfit, Clash),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[post("/v1/departments")]
async fn create_department(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    key: IdempotencyKey,
    body: web::Json<DepartmentRequest>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    if let Begun::Replay(answer) = idempotency::begin(&tx, DIRECTORY, CREATE, &key, &*body).await? {
        return Ok(answer);
    }
    let new = create::read(body.into_inner())?;
    let id = create::create(&tx, new, caller.request_id()).await?;
    let department = read(&tx, id).await?;
    idempotency::finish(&tx, DIRECTORY, CREATE, &key, 201, &department).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created()
        .insert_header(etag(department.version()))
        .json(department))
}

/// The departments, in the order in which they were created.
#[utoipa::path(
    tag = "departments",
    params(DepartmentQuery, PageQuery),
    responses((status = 200, description = "A page of departments.", body = Page<Department>), Refused, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/departments")]
async fn list_departments(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    query: web::Query<DepartmentQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Department>>> {
    let limit = page.limit()?;
    let wanted = match query.parent_id.as_deref() {
        None => Wanted::All,
        Some("root") => Wanted::Top,
        Some(id) => Wanted::Below(id.parse().map_err(|_| {
            Problem::invalid("/parent_id", "must be a department's id, or \"root\"")
        })?),
    };
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let rows = store::list(&tx, wanted, page.position()?, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        Department::from,
    )))
}

/// One department.
#[utoipa::path(
    tag = "departments",
    params(("id" = String, Path, description = "The department's id.")),
    responses((status = 200, description = "The department.", body = Department), Refused, Missing),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/departments/{id}")]
async fn get_department(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<DepartmentId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let department = read(&tx, *id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(department.version()))
        .json(department))
}

/// Changes or moves a department.
#[utoipa::path(
    tag = "departments",
    params(
        ("id" = String, Path, description = "The department's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DepartmentPatch,
    responses((status = 200, description = "The department as it is now.", body = Department), Refused, Missing, Unfit, Clash, Stale),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[patch("/v1/departments/{id}")]
async fn change_department(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<DepartmentId>,
    if_match: IfMatch,
    body: web::Json<DepartmentPatch>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    change::change(&tx, *id, body.into_inner(), if_match, caller.request_id()).await?;
    let department = read(&tx, *id).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(department.version()))
        .json(department))
}

/// Removes a department that is empty. Where persons are in it or departments below it, the answer is
/// the problem `department_not_empty`, with Hongtu's code 650 in `vendor_codes`.
#[utoipa::path(
    tag = "departments",
    params(
        ("id" = String, Path, description = "The department's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses((status = 204, description = "It is removed."), Refused, Missing, Clash, Stale),
    security(("api_key" = ["persons:write"]), ("user_token" = ["persons:write"]))
)]
#[delete("/v1/departments/{id}")]
async fn delete_department(
    caller: Caller<ManagePersons>,
    directory: web::Data<Directory>,
    id: web::Path<DepartmentId>,
    if_match: IfMatch,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    change::remove(&tx, *id, if_match, caller.request_id()).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn read(tx: &TenantTx, id: DepartmentId) -> Answer<Department> {
    let row = store::read(tx, id).await?;
    Ok(row.ok_or_else(|| Problem::not_found("department"))?.into())
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_department)
        .service(list_departments)
        .service(get_department)
        .service(change_department)
        .service(delete_department);
}
