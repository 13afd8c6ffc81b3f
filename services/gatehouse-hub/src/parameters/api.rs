//! `GET` and `PATCH /v1/devices/{id}/parameters`.

use crate::commands::check::{check_changes, pointer_step};
use crate::commands::request::ParameterValue;
use crate::commands::store as command_store;
use crate::hub::Hub;
use crate::parameters::store::{self, Shadow};
use crate::parameters::{at_rest, shadow};
use actix_web::{HttpResponse, get, patch, web};
use chrono::{DateTime, Utc};
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::audit::{self, Deed};
use gatehouse_platform::auth::Caller;
use gatehouse_platform::auth::power::{ManageDevices, ReadDevices};
use gatehouse_platform::db::{HUB, TenantTx};
use gatehouse_platform::http::refusals::{Missing, Refused, Stale, Unfit};
use gatehouse_platform::http::{Answer, IfMatch, Problem, etag};
use gatehouse_proto_terminal::parameters::{canonical_name, difference};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes.
pub(crate) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_parameters).service(patch_parameters);
}

/// The parameters of a terminal, by the terminal document's own names. Secret values are masked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ParametersView {
    /// What it should have; of other parameters nothing is wanted.
    desired: BTreeMap<String, String>,
    /// Counts the changes of `desired`; also the ETag.
    desired_version: i64,
    /// When `desired` last changed.
    desired_at: Option<DateTime<Utc>>,
    /// What it last said it has; null where it never said.
    reported: Option<BTreeMap<String, String>>,
    /// Counts the changes of `reported`.
    reported_version: i64,
    /// When it last said so.
    reported_at: Option<DateTime<Utc>>,
    /// What is desired and not so reported.
    difference: BTreeMap<String, DifferenceView>,
    /// The command that is bringing a change to the terminal, where one is under way.
    #[schema(value_type = Option<String>, example = "cmd_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    command_id: Option<CommandId>,
}

/// A parameter that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DifferenceView {
    /// What it should be.
    desired: Option<String>,
    /// What it is; null where the terminal does not tell.
    reported: Option<String>,
}

/// What is desired from now on: names to texts or numbers; null no longer desires anything.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ParameterChanges(BTreeMap<String, Option<ParameterValue>>);

impl PartialSchema for ParameterChanges {
    fn schema() -> RefOr<Schema> {
        let value = SchemaType::from_iter([Type::String, Type::Number, Type::Null]);
        let value = ObjectBuilder::new().schema_type(value);
        RefOr::T(
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(value))
                .into(),
        )
    }
}

impl ToSchema for ParameterChanges {}

impl ParametersView {
    fn new(shadow: Shadow, command_id: Option<CommandId>) -> Self {
        let masked = |values: BTreeMap<String, String>| -> BTreeMap<String, String> {
            values
                .into_iter()
                .map(|(name, value)| (name.clone(), at_rest::shown(&name, value)))
                .collect()
        };
        let nothing = BTreeMap::new();
        let difference = difference(
            &shadow.desired,
            shadow.reported.as_ref().unwrap_or(&nothing),
        )
        .into_iter()
        .map(|(name, (desired, reported))| {
            let view = DifferenceView {
                desired: desired.map(|value| at_rest::shown(&name, value)),
                reported: reported.map(|value| at_rest::shown(&name, value)),
            };
            (name, view)
        })
        .collect();
        Self {
            desired: masked(shadow.desired),
            desired_version: shadow.desired_version,
            desired_at: shadow.desired_at,
            reported: shadow.reported.map(masked),
            reported_version: shadow.reported_version,
            reported_at: shadow.reported_at,
            difference,
            command_id,
        }
    }

    fn respond(self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header(etag(self.desired_version))
            .json(self)
    }
}

async fn require_device(tx: &TenantTx, device: DeviceId) -> Answer<()> {
    let known = command_store::device_protocol(tx, device).await?;
    known
        .map(|_| ())
        .ok_or_else(|| Problem::not_found("device"))
}

/// The parameters of a terminal
///
/// What it should have, what it said it has, and where the two differ.
#[utoipa::path(
    tag = "parameters",
    operation_id = "get_parameters",
    params(("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")),
    responses(
        (status = 200, description = "The parameters; the ETag is `desired_version`.", body = ParametersView),
        Refused, Missing,
    ),
    security(("api_key" = ["devices:read"]), ("user_token" = ["devices:read"])),
)]
#[get("/v1/devices/{id}/parameters")]
pub(crate) async fn get_parameters(
    caller: Caller<ReadDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
) -> Answer<HttpResponse> {
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    require_device(&tx, *device).await?;
    let shadow = store::read(&tx, &hub.kit.secrets, *device).await?;
    let command_id = command_store::open_set_parameters(&tx, *device).await?;
    Ok(ParametersView::new(shadow, command_id).respond())
}

/// Desire other parameters
///
/// Merges into what is desired: a value desires it, null no longer desires anything of it (and
/// leaves the terminal as it is). If the terminal is online and differs, a `set_parameters` command
/// goes out at once; otherwise when it next connects.
#[utoipa::path(
    tag = "parameters",
    operation_id = "update_parameters",
    params(
        ("id" = String, Path, description = "The device.", example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"),
        ("If-Match" = Option<String>, Header, description = "The ETag on which the change is based."),
    ),
    request_body(
        content = ParameterChanges,
        description = "Parameter names to texts, numbers or null.",
        example = json!({"voiceVolume": "3", "banner": null}),
    ),
    responses(
        (status = 200, description = "The parameters as they are now.", body = ParametersView),
        Refused, Missing, Stale, Unfit,
    ),
    security(("api_key" = ["devices:write"]), ("user_token" = ["devices:write"])),
)]
#[patch("/v1/devices/{id}/parameters")]
pub(crate) async fn patch_parameters(
    caller: Caller<ManageDevices>,
    hub: web::Data<Hub>,
    device: web::Path<DeviceId>,
    if_match: IfMatch,
    body: web::Json<ParameterChanges>,
) -> Answer<HttpResponse> {
    let device = *device;
    // 1. Check every value; names into their one spelling.
    let changes = checked(body.into_inner().0)?;
    let is_online = hub.is_online(caller.scope(), device).await;
    let tx = hub.kit.db.tenant(caller.scope()).await?;
    require_device(&tx, device).await?;
    // 2. Merge, if nobody was quicker.
    let before = store::hold(&tx, &hub.kit.secrets, device).await?;
    if_match.check(before.desired_version)?;
    let version_before = before.desired_version;
    let names: Vec<String> = changes.keys().cloned().collect();
    let shadow = shadow::desire(&hub, &tx, device, before, changes).await?;
    if shadow.desired_version != version_before {
        let deed = Deed {
            action: "parameters.desired",
            subject_kind: "device",
            subject_id: device.to_string(),
            detail: json!({ "names": names, "version": shadow.desired_version }),
            request_id: Some(caller.request_id()),
        };
        audit::publish(&tx, HUB, deed).await?;
    }
    // 3. To the terminal, if it is there. Otherwise its next report does the same.
    let issued = if is_online {
        shadow::issue_difference(&hub, &tx, device, &shadow).await?
    } else {
        None
    };
    let command_id = command_store::open_set_parameters(&tx, device).await?;
    tx.commit().await?;
    shadow::tell(&hub, caller.scope(), device, issued);
    Ok(ParametersView::new(shadow, command_id).respond())
}

fn checked(
    body: BTreeMap<String, Option<ParameterValue>>,
) -> Answer<BTreeMap<String, Option<String>>> {
    let (wanted, unwanted): (BTreeMap<_, _>, BTreeMap<_, _>) =
        body.into_iter().partition(|(_, value)| value.is_some());
    let wanted = wanted
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.0)))
        .collect();
    let mut changes: BTreeMap<String, Option<String>> = BTreeMap::new();
    for name in unwanted.into_keys() {
        changes.insert(canonical_name(&name), None);
    }
    for (name, value) in check_changes(wanted, "")? {
        if changes.insert(name.clone(), Some(value)).is_some() {
            let pointer = format!("/{}", pointer_step(&name));
            return Err(Problem::invalid(
                &pointer,
                "is named twice, in two spellings",
            ));
        }
    }
    Ok(changes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn body(value: serde_json::Value) -> BTreeMap<String, Option<ParameterValue>> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn values_are_checked_and_names_spelled_one_way() {
        let changes = checked(body(json!({ "VOICEVOLUME": 3, "banner": null }))).unwrap();
        assert_eq!(changes["voiceVolume"], Some("3".to_owned()));
        assert_eq!(changes["banner"], None);
        let problem = checked(body(json!({ "voiceVolume": "11" }))).unwrap_err();
        assert!(problem.detail().contains("/voiceVolume"), "{problem}");
        assert!(checked(body(json!({ "voiceVolume": 1, "VoiceVolume": null }))).is_err());
    }

    #[test]
    fn the_view_shows_the_difference_and_no_secrets() {
        let map = |values: &[(&str, &str)]| {
            values
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let shadow = Shadow {
            desired: map(&[("voiceVolume", "3"), ("devicePassword", "geheim")]),
            desired_version: 2,
            reported: Some(map(&[("voiceVolume", "5"), ("devicePassword", "alt")])),
            ..Shadow::default()
        };
        let view = serde_json::to_value(ParametersView::new(shadow, None)).unwrap();
        assert_eq!(
            view["difference"]["voiceVolume"],
            json!({ "desired": "3", "reported": "5" })
        );
        assert_eq!(
            view["difference"]["devicePassword"],
            json!({ "desired": "••••", "reported": "••••" })
        );
        assert!(
            !view.to_string().contains("geheim") && !view.to_string().contains("alt"),
            "{view}"
        );
    }
}
