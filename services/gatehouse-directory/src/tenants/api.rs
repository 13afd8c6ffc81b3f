//! Routes of tenants: `/v1/tenants` for the platform's operator, `/v1/tenant` for the tenant itself.

use super::create::{self, NewTenant};
use super::created::CreatedTenant;
use super::{store, update};
use crate::directory::Directory;
use actix_web::{HttpResponse, get, patch, post, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::TenantId;
use gatehouse_platform::auth::power::{ManageTenant, ReadTenant};
use gatehouse_platform::auth::{Caller, OperatorCaller};
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{Answer, IfMatch, Page, PageQuery, Problem, etag};
use gatehouse_schema::entities::directory::tenants::Model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tenant {
    #[schema(value_type = String, example = "ten_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: TenantId,
    /// For systems that need numbers.
    number: i64,
    name: String,
    /// IANA name; new devices begin with it.
    #[schema(example = "Asia/Shanghai")]
    timezone: String,
    /// Set while the tenant is switched off: none of its credentials is accepted then.
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl From<Model> for Tenant {
    fn from(row: Model) -> Self {
        let Model {
            tenant_id,
            number,
            name,
            timezone,
            disabled_at,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: TenantId::from_uuid(tenant_id),
            number,
            name,
            timezone,
            disabled_at,
            created_at,
            updated_at,
            version,
        }
    }
}

/// A tenant to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantRequest {
    /// 1 to 200 characters.
    #[schema(example = "Acme")]
    name: String,
    /// IANA name.
    #[schema(example = "Asia/Shanghai")]
    timezone: String,
    /// The e-mail address of the first owner; made up where absent.
    owner_email: Option<String>,
    /// Keys of Hongtu that the tenant brings along; drawn where absent.
    hongtu: Option<HongtuKeys>,
}

/// Keys for the Hongtu facade.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HongtuKeys {
    cappkey: String,
    secret: String,
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantChange {
    /// 1 to 200 characters.
    pub(super) name: Option<String>,
    /// IANA name. Devices keep the zone they have.
    pub(super) timezone: Option<String>,
    /// Switches the tenant off or on. Only for the platform's operator.
    pub(super) disabled: Option<bool>,
}

/// Creates a tenant with everything it needs to begin. The secrets in the answer are shown once.
#[utoipa::path(
    tag = "tenants",
    request_body = TenantRequest,
    responses((status = 201, description = "The tenant and all its secrets.", body = CreatedTenant), Refused, Unfit, Clash),
    security(("operator_key" = []))
)]
#[post("/v1/tenants")]
async fn create_tenant(
    operator: OperatorCaller,
    directory: web::Data<Directory>,
    body: web::Json<TenantRequest>,
) -> Answer<HttpResponse> {
    let TenantRequest {
        name,
        timezone,
        owner_email,
        hongtu,
    } = body.into_inner();
    let hongtu = hongtu.map(|HongtuKeys { cappkey, secret }| (cappkey, secret));
    let new = NewTenant {
        name,
        timezone,
        owner_email,
        hongtu,
    };
    let created = create::create(
        &directory.kit,
        &directory.passwords,
        new,
        Some(operator.request_id()),
    )
    .await?;
    Ok(HttpResponse::Created().json(created))
}

/// All tenants, newest first.
#[utoipa::path(
    tag = "tenants",
    params(PageQuery),
    responses((status = 200, description = "A page of tenants.", body = Page<Tenant>), Refused, Unfit),
    security(("operator_key" = []))
)]
#[get("/v1/tenants")]
async fn list_tenants(
    _operator: OperatorCaller,
    directory: web::Data<Directory>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Tenant>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let tx = directory.kit.db.system().await?;
    let rows = store::list(&tx, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.tenant_id,
        Tenant::from,
    )))
}

/// One tenant.
#[utoipa::path(
    tag = "tenants",
    params(("id" = String, Path, description = "The tenant's id.")),
    responses((status = 200, description = "The tenant.", body = Tenant), Refused, Missing),
    security(("operator_key" = []))
)]
#[get("/v1/tenants/{id}")]
async fn get_tenant(
    _operator: OperatorCaller,
    directory: web::Data<Directory>,
    id: web::Path<TenantId>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.system().await?;
    let row = store::read_any(&tx, *id)
        .await?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(answer(row))
}

/// Renames a tenant, changes its time zone, or switches it off or on.
#[utoipa::path(
    tag = "tenants",
    params(
        ("id" = String, Path, description = "The tenant's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = TenantChange,
    responses((status = 200, description = "The tenant as it is now.", body = Tenant), Refused, Missing, Unfit, Stale),
    security(("operator_key" = []))
)]
#[patch("/v1/tenants/{id}")]
async fn change_tenant(
    operator: OperatorCaller,
    directory: web::Data<Directory>,
    id: web::Path<TenantId>,
    if_match: IfMatch,
    body: web::Json<TenantChange>,
) -> Answer<HttpResponse> {
    let row = update::by_operator(
        &directory.kit,
        *id,
        body.into_inner(),
        if_match,
        operator.request_id(),
    )
    .await?;
    Ok(answer(row))
}

/// The tenant of the credential.
#[utoipa::path(
    tag = "tenants",
    responses((status = 200, description = "The tenant.", body = Tenant), Refused),
    security(("api_key" = ["tenant:read"]), ("user_token" = ["tenant:read"]))
)]
#[get("/v1/tenant")]
async fn get_my_tenant(
    caller: Caller<ReadTenant>,
    directory: web::Data<Directory>,
) -> Answer<HttpResponse> {
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = store::read(&tx)
        .await?
        .ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(answer(row))
}

/// Renames the tenant of the credential, or changes its time zone.
#[utoipa::path(
    tag = "tenants",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = TenantChange,
    responses((status = 200, description = "The tenant as it is now.", body = Tenant), Refused, Unfit, Stale),
    security(("api_key" = ["tenant:write"]), ("user_token" = ["tenant:write"]))
)]
#[patch("/v1/tenant")]
async fn change_my_tenant(
    caller: Caller<ManageTenant>,
    directory: web::Data<Directory>,
    if_match: IfMatch,
    body: web::Json<TenantChange>,
) -> Answer<HttpResponse> {
    if body.disabled.is_some() {
        return Err(Problem::invalid(
            "/disabled",
            "can be changed by the platform's operator only",
        ));
    }
    let tx = directory.kit.db.tenant(caller.scope()).await?;
    let row = update::by_tenant(tx, body.into_inner(), if_match, caller.request_id()).await?;
    Ok(answer(row))
}

fn answer(row: Model) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(row.version))
        .json(Tenant::from(row))
}

/// Adds the routes.
pub(crate) fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    cfg.service(create_tenant)
        .service(list_tenants)
        .service(get_tenant)
        .service(change_tenant)
        .service(get_my_tenant)
        .service(change_my_tenant);
}
