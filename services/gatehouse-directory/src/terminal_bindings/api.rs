//! Routes of terminal bindings, for the platform's operator.

use super::store;
use crate::audit;
use crate::directory::Directory;
use crate::reading::Reading;
use actix_web::{HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use gatehouse_contracts::Wake;
use gatehouse_domain::TenantId;
use gatehouse_platform::audit::Deed;
use gatehouse_platform::auth::OperatorCaller;
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, Page, PageQuery, Problem, ProblemCode};
use gatehouse_schema::entities::directory::terminal_bindings::Model;
use serde::Serialize;
use utoipa::ToSchema;

/// A serial number that belongs to a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TerminalBinding {
    #[schema(value_type = String, example = "ten_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    tenant_id: TenantId,
    sn: String,
    created_at: DateTime<Utc>,
}

impl From<Model> for TerminalBinding {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id,
            sn,
            created_at,
        } = row;
        Self {
            tenant_id: TenantId::from_uuid(tenant_id),
            sn,
            created_at,
        }
    }
}

/// Binds a serial number to a tenant: terminals with it are admitted at any path. Repeating it changes
/// nothing.
#[utoipa::path(
    tag = "terminal bindings",
    params(
        ("id" = String, Path, description = "The tenant's id."),
        ("sn" = String, Path, description = "The serial number."),
    ),
    responses(
        (status = 200, description = "It was bound to this tenant before.", body = TerminalBinding),
        (status = 201, description = "It is bound.", body = TerminalBinding),
        Refused, Missing, Unfit, Clash,
    ),
    security(("operator_key" = []))
)]
#[put("/v1/tenants/{id}/terminal-bindings/{sn}")]
async fn bind_terminal(
    operator: OperatorCaller,
    directory: web::Data<Directory>,
    path: web::Path<(TenantId, String)>,
) -> Answer<HttpResponse> {
    let (tenant, sn) = path.into_inner();
    let mut reading = Reading::begin();
    let sn = reading.serial_number("/sn", &sn);
    reading.end()?;
    let tx = directory.kit.db.system().await?;
    if !store::tenant_exists(&tx, tenant).await? {
        return Err(Problem::not_found("tenant"));
    }
    let fresh = store::insert(&tx, tenant, &sn).await?;
    let Some(row) = store::read(&tx, tenant, &sn).await? else {
        let detail = "This serial number is bound to another tenant; remove that binding first.";
        return Err(Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/sn"));
    };
    if fresh {
        audit::enter_as_operator(
            &tx,
            tenant,
            deed("terminal_binding.created", sn, operator.request_id()),
        )
        .await?;
        tx.commit().await?;
        return Ok(HttpResponse::Created().json(TerminalBinding::from(row)));
    }
    Ok(HttpResponse::Ok().json(TerminalBinding::from(row)))
}

/// The serial numbers bound to a tenant, in alphabetical order.
#[utoipa::path(
    tag = "terminal bindings",
    params(("id" = String, Path, description = "The tenant's id."), PageQuery),
    responses((status = 200, description = "A page of bindings.", body = Page<TerminalBinding>), Refused, Missing, Unfit),
    security(("operator_key" = []))
)]
#[get("/v1/tenants/{id}/terminal-bindings")]
async fn list_terminal_bindings(
    _operator: OperatorCaller,
    directory: web::Data<Directory>,
    tenant: web::Path<TenantId>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<TerminalBinding>>> {
    let (limit, after) = (page.limit()?, page.position::<String>()?);
    if after.as_deref().is_some_and(|sn| sn.contains('\0')) {
        return Err(Problem::invalid(
            "/cursor",
            "is not a cursor of this list; begin again without one",
        ));
    }
    let tx = directory.kit.db.system().await?;
    if !store::tenant_exists(&tx, *tenant).await? {
        return Err(Problem::not_found("tenant"));
    }
    let rows = store::list(&tx, *tenant, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.sn.clone(),
        TerminalBinding::from,
    )))
}

/// One binding.
#[utoipa::path(
    tag = "terminal bindings",
    params(
        ("id" = String, Path, description = "The tenant's id."),
        ("sn" = String, Path, description = "The serial number."),
    ),
    responses((status = 200, description = "The binding.", body = TerminalBinding), Refused, Missing),
    security(("operator_key" = []))
)]
#[get("/v1/tenants/{id}/terminal-bindings/{sn}")]
async fn get_terminal_binding(
    _operator: OperatorCaller,
    directory: web::Data<Directory>,
    path: web::Path<(TenantId, String)>,
) -> Answer<web::Json<TerminalBinding>> {
    let (tenant, sn) = named(path)?;
    let tx = directory.kit.db.system().await?;
    let row = store::read(&tx, tenant, &sn)
        .await?
        .ok_or_else(|| Problem::not_found("terminal binding"))?;
    Ok(web::Json(TerminalBinding::from(row)))
}

/// Removes a binding.
#[utoipa::path(
    tag = "terminal bindings",
    params(
        ("id" = String, Path, description = "The tenant's id."),
        ("sn" = String, Path, description = "The serial number."),
    ),
    responses((status = 204, description = "It is removed."), Refused, Missing),
    security(("operator_key" = []))
)]
#[delete("/v1/tenants/{id}/terminal-bindings/{sn}")]
async fn unbind_terminal(
    operator: OperatorCaller,
    directory: web::Data<Directory>,
    path: web::Path<(TenantId, String)>,
) -> Answer<HttpResponse> {
    let (tenant_id, sn) = named(path)?;
    let tx = directory.kit.db.system().await?;
    if !store::delete(&tx, tenant_id, &sn).await? {
        return Err(Problem::not_found("terminal binding"));
    }
    let device = store::device(&tx, tenant_id, &sn).await?;
    audit::enter_as_operator(
        &tx,
        tenant_id,
        deed("terminal_binding.deleted", sn, operator.request_id()),
    )
    .await?;
    tx.commit().await?;
    if let Some(device_id) = device {
        directory.kit.bus.wake(Wake::Device {
            tenant_id,
            device_id,
        });
    }
    Ok(HttpResponse::NoContent().finish())
}

/// A serial number that can be none names nothing.
fn named(path: web::Path<(TenantId, String)>) -> Answer<(TenantId, String)> {
    let (tenant, sn) = path.into_inner();
    let mut reading = Reading::begin();
    let sn = reading.serial_number("/sn", &sn);
    reading
        .end()
        .map_err(|_| Problem::not_found("terminal binding"))?;
    Ok((tenant, sn))
}

fn deed<'a>(action: &'a str, sn: String, request_id: &'a str) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "terminal_binding",
        subject_id: sn,
        detail: serde_json::json!({}),
        request_id: Some(request_id),
    }
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(bind_terminal)
        .service(list_terminal_bindings)
        .service(get_terminal_binding)
        .service(unbind_terminal);
}
