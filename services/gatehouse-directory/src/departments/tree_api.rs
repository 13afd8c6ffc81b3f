//! Routes that show more than one level: the whole tree, and who is in a part of it.

use super::view::{DepartmentPerson, DepartmentTree};
use super::{api, store, tree};
use crate::directory::Directory;
use actix_web::{get, web};
use gatehouse_domain::DepartmentId;
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::ReadPersons;
use gatehouse_platform::http::refusals::{Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Whose persons are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepartmentPersonsQuery {
    /// Also those of all departments below.
    include_children: Option<bool>,
}

/// All departments at once, as a tree: at most 5000 of them, on at most 16 levels.
#[utoipa::path(
    tag = "departments",
    responses((status = 200, description = "The tree.", body = DepartmentTree), Refused),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/departments/tree")]
async fn get_department_tree(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
) -> Answer<web::Json<DepartmentTree>> {
    let rows = {
        let tx = directory.kit.db.tenant(caller.scope()).await?;
        store::all(&tx).await?
    };
    Ok(web::Json(DepartmentTree::new(rows)))
}

/// The persons of a department, in the order in which they were created.
#[utoipa::path(
    tag = "departments",
    params(("id" = String, Path, description = "The department's id."), DepartmentPersonsQuery, PageQuery),
    responses((status = 200, description = "A page of persons.", body = Page<DepartmentPerson>), Refused, Missing, Unfit),
    security(("api_key" = ["persons:read"]), ("user_token" = ["persons:read"]))
)]
#[get("/v1/departments/{id}/persons")]
async fn list_department_persons(
    caller: Caller<ReadPersons>,
    directory: web::Data<Directory>,
    id: web::Path<DepartmentId>,
    query: web::Query<DepartmentPersonsQuery>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<DepartmentPerson>>> {
    let limit = page.limit()?;
    let after: Option<Uuid> = page.position()?;
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    api::read(&tx, *id).await?;
    let departments = if query.include_children == Some(true) {
        tree::with_all_below(&tx, *id).await?
    } else {
        vec![id.uuid()]
    };
    let rows = store::persons(&tx, departments, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.id,
        DepartmentPerson::from,
    )))
}

/// Adds the routes.
pub(super) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(get_department_tree)
        .service(list_department_persons);
}
