//! What happens when somebody asks a terminal for something: one story, from the request to the
//! wake-up of the session that will send it. Two durable commits lie between an API call and its
//! proven answer: this one, and the one in [`super::finish`].

use crate::commands::request::{CommandRequest, ParameterValue};
use crate::commands::store::{self, NewCommand, Origin};
use crate::commands::view::CommandView;
use crate::commands::words::Reason;
use crate::firmware;
use crate::hub::Hub;
use crate::parameters::{shadow, store as parameter_store};
use actix_web::HttpResponse;
use gatehouse_contracts::{CommandFinished, Wake};
use gatehouse_domain::command::CommandState;
use gatehouse_domain::device::DeviceProtocol;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::db::{HUB, TenantTx};
use gatehouse_platform::http::{Answer, Begun, IdempotencyKey, Problem, ProblemCode, idempotency};
use gatehouse_platform::outbox;
use gatehouse_platform::tenant::TenantScope;
use serde_json::json;

const OPERATION: &str = "commands.create";

/// What somebody asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// Drawn before, so that whoever waits for the end can take a place first.
    pub(crate) id: CommandId,
    /// Which terminal.
    pub(crate) device: DeviceId,
    /// What.
    pub(crate) request: CommandRequest,
    /// To recognise the same request sent again.
    pub(crate) key: IdempotencyKey,
    /// For the audit trail.
    pub(crate) request_id: &'a str,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Issued {
    /// A new command.
    New(Box<CommandView>),
    /// The same request came before; this was the answer.
    Before(HttpResponse),
}

/// Stores a command and wakes the session that will send it.
///
/// # Errors
/// A problem: no such device, one that takes no commands, values out of range, the database.
pub(crate) async fn issue(hub: &Hub, scope: &TenantScope, asked: Asked<'_>) -> Answer<Issued> {
    let Asked {
        id,
        device,
        request,
        key,
        request_id,
    } = asked;
    // 1. What can be checked without a database; one problem names every fault.
    let mut request = request.checked()?;
    let kind = request.kind();
    // 2. Is the terminal there? Only commands that do not wait have to know. No round trip where its
    //    socket lives in this process.
    let waits = kind.time_to_live_s() > 0;
    let is_gone = !waits && !hub.is_online(scope, device).await;
    // 3. The device exists within the tenant, and takes commands.
    let tx = hub.kit.db.tenant(scope).await?;
    require_terminal(&tx, device).await?;
    require_firmware(&tx, &request).await?;
    // 4. The same request sent again is answered as before.
    match idempotency::begin(&tx, HUB, OPERATION, &key, &(device, &request)).await? {
        Begun::Replay(answer) => return Ok(Issued::Before(answer)),
        Begun::Fresh => {}
    }
    // 5. Parameters to be set are also what is desired from now on.
    desire(hub, &tx, device, &mut request).await?;
    // 6. Store it: waiting for its session, or ended at once where nobody is there.
    let undeliverable = (
        CommandState::Undeliverable,
        Reason::NotOnline.as_str(),
        Reason::NotOnline.sentence(),
    );
    let new = NewCommand {
        id,
        device,
        kind,
        parameters: request.stored(&hub.kit.secrets)?,
        origin: Origin::Api,
        ended: is_gone.then_some(undeliverable),
    };
    let row = store::insert(&tx, new).await?;
    let view = CommandView::new(hub, row)?;
    if is_gone {
        let event = CommandFinished {
            command_id: id,
            device_id: device,
            command_type: kind,
            state: view.state,
        };
        outbox::publish(&tx, HUB, event).await?;
    }
    // 7. The trail.
    let deed = Deed {
        action: "command.created",
        subject_kind: "device",
        subject_id: device.to_string(),
        detail: json!({ "command_id": id, "type": kind, "state": view.state }),
        request_id: Some(request_id),
    };
    audit::publish(&tx, HUB, deed).await?;
    idempotency::finish(&tx, HUB, OPERATION, &key, 201, &view).await?;
    tx.commit().await?;
    // 8. Whoever holds the session takes it.
    if !is_gone && !hub.registry.nudge(scope.tenant(), device) {
        hub.kit.bus.wake(Wake::Commands {
            tenant_id: scope.tenant(),
            device_id: device,
        });
    }
    metrics::counter!("gatehouse_commands_created_total", "type" => kind.as_str()).increment(1);
    Ok(Issued::New(Box::new(view)))
}

async fn require_terminal(tx: &TenantTx, device: DeviceId) -> Answer<()> {
    match store::device_protocol(tx, device).await? {
        Some(DeviceProtocol::TerminalWs) => Ok(()),
        Some(DeviceProtocol::HttpPush) => Err(Problem::new(
            ProblemCode::Conflict,
            "This device pushes over HTTP and holds no connection; commands are for devices with protocol terminal_ws.",
        )),
        None => Err(Problem::not_found("device")),
    }
}

/// An uploaded file that a command names is there; its link is made when the command is sent.
async fn require_firmware(tx: &TenantTx, request: &CommandRequest) -> Answer<()> {
    let CommandRequest::UpgradeFirmware {
        firmware_id: Some(id),
        ..
    } = request
    else {
        return Ok(());
    };
    if firmware::exists(tx, *id).await? {
        return Ok(());
    }
    Err(Problem::invalid(
        "/firmware_id",
        "names no firmware file of this tenant",
    ))
}

/// Merges parameters to be set into what is desired, and notes the version that this makes.
async fn desire(
    hub: &Hub,
    tx: &TenantTx,
    device: DeviceId,
    request: &mut CommandRequest,
) -> Answer<()> {
    let CommandRequest::SetParameters {
        parameters,
        desired_version,
    } = request
    else {
        return Ok(());
    };
    let changes = parameters
        .iter()
        .map(|(name, ParameterValue(value))| (name.clone(), Some(value.clone())))
        .collect();
    let before = parameter_store::hold(tx, &hub.kit.secrets, device).await?;
    let shadow = shadow::desire(hub, tx, device, before, changes).await?;
    *desired_version = Some(shadow.desired_version);
    Ok(())
}
