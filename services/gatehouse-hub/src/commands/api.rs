//! `/v1/devices/{id}/commands`.

use crate::commands::issue::{self, Asked, Issued};
use crate::commands::request::CommandRequest;
use crate::commands::store::{self, Filter};
use crate::commands::view::CommandView;
use crate::commands::wait::{self, Waiter};
use crate::hub::Hub;
use actix_web::{HttpResponse, get, post, web};
use gatehouse_domain::command::CommandType;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{OperateDevices, ReadDevices};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::refusals::{Clash, Missing, Refused, Unfit};
use gatehouse_platform::http::{Answer, IdempotencyKey, Page, PageQuery, Problem};
use gatehouse_platform::tenant::TenantScope;
use gatehouse_schema::entities::hub::commands;
use serde::Deserialize;
use serde_json::{Value, json};
use std::str::FromStr;
use std::time::Duration;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// Persons of a list that stand in the command itself.
const PERSONS_INSIDE: u64 = 200;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create_command)
        .service(list_commands)
        .service(get_command)
        .service(list_command_persons);
}

/// How long to stay.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Stay until the command has ended, at most this long: `10s`, `500ms` or seconds; up to 60s.
    /// What is answered then is where the command stands.
    #[param(example = "10s")]
    wait: Option<String>,
}

/// Which commands are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CommandFilter {
    /// In this state, for example `queued`.
    state: Option<String>,
    /// Of this type, for example `open_door`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Ask a terminal for something
///
/// The command is stored and sent as soon as the terminal is there and free; urgent ones first.
/// `open_door` never waits: if the terminal is not there, the answer is a command in the state
/// `undeliverable`. A command succeeds when the terminal has proven it, not before.
///
/// `open_door`, `capture_photo`, `get_parameters`, `count_persons`, `list_persons` and `read_person`
/// need `devices:operate`; `reboot`, `set_parameters`, `upgrade_firmware` and `clear_records` need
/// `devices:write` as well.
#[utoipa::path(
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same request with the same key is carried out once."),
    ),
    request_body = CommandRequest,
    responses(
        (status = 201, description = "The command, where it stands.", body = CommandView,
            headers(("Location" = String, description = "The command."))),
        Refused, Missing, Clash, Unfit,
    ),
    security(("api_key" = ["devices:operate"]), ("user_token" = ["devices:operate"])),
)]
#[post("/v1/devices/{id}/commands")]
pub(crate) async fn create_command(
    caller: Caller<OperateDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
    query: web::Query<WaitQuery>,
    key: IdempotencyKey,
    request: web::Json<CommandRequest>,
) -> Answer<HttpResponse> {
    let (device, request) = (*device, request.into_inner());
    if let Some(needed) = request.needs() {
        caller.require(needed)?;
    }
    let patience = query.wait.as_deref().map(wait::parse).transpose()?;
    let id = CommandId::from_uuid(uuid::Uuid::now_v7());
    // The place is taken before the command can end.
    let waiter = patience.map(|patience| (hub.waiters.join(caller.scope().tenant(), id), patience));
    let asked = Asked {
        id,
        device,
        request,
        key,
        request_id: caller.request_id(),
    };
    let view = match issue::issue(&hub, caller.scope(), asked).await? {
        Issued::New(view) => *view,
        Issued::Before(answer) => return Ok(answer),
    };
    let view = match waiter {
        Some((waiter, patience)) if !view.state.is_final() => {
            ended_or_read(&hub, caller.scope(), device, id, &waiter, patience).await?
        }
        Some(_) | None => view,
    };
    let location = format!("/v1/devices/{device}/commands/{id}");
    Ok(HttpResponse::Created()
        .insert_header(("Location", location))
        .json(view))
}

/// A terminal's commands
///
/// Newest first.
#[utoipa::path(
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        CommandFilter,
        PageQuery,
    ),
    responses((status = 200, description = "A page of commands.", body = Page<CommandView>), Refused, Missing, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/commands")]
pub(crate) async fn list_commands(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
    filter: web::Query<CommandFilter>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<CommandView>>> {
    let limit = page.limit()?;
    let CommandFilter { state, kind } = filter.into_inner();
    let filter = Filter {
        state: word("/state", state)?,
        kind: word("/type", kind)?,
        before: page.position()?,
    };
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    require_device(&tx, *device).await?;
    let rows = store::list(&tx, *device, filter, limit.saturating_add(1)).await?;
    let Page { items, next_cursor } = Page::cut(rows, limit, |row| row.id, |row| row);
    let items = items
        .into_iter()
        .map(|row| CommandView::new(&hub, row))
        .collect::<Result<_, _>>()?;
    Ok(web::Json(Page { items, next_cursor }))
}

/// One command
///
/// With `wait`, stays until it has ended.
#[utoipa::path(
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        ("command_id" = String, Path, description = "The command.", example = "cmd_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        WaitQuery,
    ),
    responses((status = 200, description = "The command, where it stands.", body = CommandView), Refused, Missing, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/commands/{command_id}")]
pub(crate) async fn get_command(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    path: web::Path<(DeviceId, CommandId)>,
    query: web::Query<WaitQuery>,
) -> Answer<web::Json<CommandView>> {
    let (device, command) = path.into_inner();
    let patience = query.wait.as_deref().map(wait::parse).transpose()?;
    let waiter =
        patience.map(|patience| (hub.waiters.join(caller.scope().tenant(), command), patience));
    let mut view = read(&hub, caller.scope(), device, command).await?;
    if let Some((waiter, patience)) = waiter
        && !view.state.is_final()
    {
        view = ended_or_read(&hub, caller.scope(), device, command, &waiter, patience).await?;
    }
    Ok(web::Json(view))
}

/// The persons that a terminal listed
///
/// In answer to `list_persons`, by their index, as far as they have arrived. Pictures are left out;
/// `read_person` brings those of one person.
#[utoipa::path(
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        ("command_id" = String, Path, description = "The command.", example = "cmd_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        PageQuery,
    ),
    responses((status = 200, description = "A page of persons.", body = Page<Object>), Refused, Missing, Unfit),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/commands/{command_id}/persons")]
pub(crate) async fn list_command_persons(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    path: web::Path<(DeviceId, CommandId)>,
    page: web::Query<PageQuery>,
) -> Answer<web::Json<Page<Value>>> {
    let (device, command) = path.into_inner();
    let limit = page.limit()?;
    let after = page.position()?;
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    find(&tx, device, command).await?;
    let rows = store::persons(&tx, command, after, limit.saturating_add(1)).await?;
    Ok(web::Json(Page::cut(
        rows,
        limit,
        |row| row.index,
        |row| row.person,
    )))
}

fn word<W: FromStr<Err = gatehouse_domain::words::UnknownWord>>(
    pointer: &str,
    text: Option<String>,
) -> Answer<Option<W>> {
    let read = text.map(|text| text.parse()).transpose();
    read.map_err(|unknown| Problem::invalid(pointer, format!("cannot be taken: {unknown}")))
}

async fn require_device(tx: &TenantTx, device: DeviceId) -> Answer<()> {
    let known = store::device_protocol(tx, device).await?;
    known
        .map(|_| ())
        .ok_or_else(|| Problem::not_found("device"))
}

async fn find(tx: &TenantTx, device: DeviceId, command: CommandId) -> Answer<commands::Model> {
    store::find(tx, device, command)
        .await?
        .ok_or_else(|| Problem::not_found("command"))
}

/// Waits, and tells how the command stands then.
async fn ended_or_read(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    command: CommandId,
    waiter: &Waiter,
    patience: Duration,
) -> Answer<CommandView> {
    match waiter.wait(patience).await {
        Some(row) => whole(hub, scope, row).await,
        None => read(hub, scope, device, command).await,
    }
}

/// The command as it stands.
async fn read(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    command: CommandId,
) -> Answer<CommandView> {
    let tx = hub.kit.db.tenant(scope).await?;
    let row = find(&tx, device, command).await?;
    drop(tx);
    whole(hub, scope, row).await
}

/// The view of a command; of a list that has ended with its first persons.
async fn whole(hub: &Hub, scope: &TenantScope, row: commands::Model) -> Answer<CommandView> {
    let mut view = CommandView::new(hub, row)?;
    if view.kind == CommandType::ListPersons && view.state.is_final() {
        let tx = hub.kit.db.tenant(scope).await?;
        let persons = store::persons(&tx, view.id, None, PERSONS_INSIDE).await?;
        let persons: Vec<Value> = persons.into_iter().map(|row| row.person).collect();
        let result = view.result.get_or_insert_with(|| json!({}));
        if let Some(result) = result.as_object_mut() {
            result.insert("persons".to_owned(), persons.into());
        }
    }
    Ok(view)
}
