//! The shadow's two stories: a terminal reports what it has, and somebody desires something else.
//! Both end in [`converge`]: where the two differ, one command brings the difference to the
//! terminal.
//!
//! A terminal that confirms and does not obey would be written to for ever. So a version of the
//! desired parameters is written again within one connection only after it succeeded, and at most
//! [`MOST_WRITES`] times; a new version, or a new connection, begins anew.

use crate::commands::request::{CommandRequest, ParameterValue};
use crate::commands::store::{self as command_store, NewCommand, Origin};
use crate::hub::Hub;
use crate::parameters::store::{self, Shadow};
use gatehouse_contracts::Wake;
use gatehouse_domain::command::CommandType;
use gatehouse_domain::{CommandId, DeviceId};
use gatehouse_platform::db::{DbError, TenantTx};
use gatehouse_platform::tenant::TenantScope;
use gatehouse_proto_terminal::parameters::{Parameters, difference};
use std::collections::BTreeMap;

/// Most writes of one version of the desired parameters within one connection. More than one,
/// because a terminal may change one parameter when another is set.
const MOST_WRITES: i64 = 3;

/// A terminal has told its parameters. Called in the order in which it tells them.
///
/// # Errors
/// The database's; the terminal tells them again after its next registration.
pub(crate) async fn reported(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
    parameters: Parameters,
) -> Result<(), DbError> {
    let secrets = &hub.kit.secrets;
    let reported = parameters.into_map();
    let tx = hub.kit.db.tenant(scope).await?;
    // 1. Keep what it says; a new version only where it says something new.
    let mut shadow = store::hold(&tx, secrets, device).await?;
    if shadow.reported.as_ref() == Some(&reported) {
        store::report_again(&tx, device).await?;
    } else {
        store::report(&tx, secrets, device, &reported).await?;
        shadow.reported = Some(reported);
    }
    // 2. Where it differs from what it should be, a command goes out.
    let issued = issue_difference(hub, &tx, device, &shadow).await?;
    if issued.is_none() {
        store::durable_a_moment_later(&tx).await?;
    }
    tx.commit().await?;
    tell(hub, scope, device, issued);
    Ok(())
}

/// Brings what is still different to the terminal, for instance after another change is done.
///
/// # Errors
/// The database's.
pub(crate) async fn converge(
    hub: &Hub,
    scope: &TenantScope,
    device: DeviceId,
) -> Result<(), DbError> {
    let tx = hub.kit.db.tenant(scope).await?;
    let shadow = store::hold(&tx, &hub.kit.secrets, device).await?;
    let issued = issue_difference(hub, &tx, device, &shadow).await?;
    if issued.is_some() {
        tx.commit().await?;
    }
    tell(hub, scope, device, issued);
    Ok(())
}

/// Changes what is desired: `Some` desires a value, `None` no longer does. Gives the shadow as it is
/// then; its version is another only where something changed.
///
/// # Errors
/// The database's.
pub(crate) async fn desire(
    hub: &Hub,
    tx: &TenantTx,
    device: DeviceId,
    shadow: Shadow,
    changes: BTreeMap<String, Option<String>>,
) -> Result<Shadow, DbError> {
    let mut changed = shadow;
    let before = changed.desired.clone();
    merge(&mut changed.desired, changes);
    if changed.desired == before {
        return Ok(changed);
    }
    store::desire(tx, &hub.kit.secrets, device, &changed.desired).await?;
    store::read(tx, &hub.kit.secrets, device).await
}

fn merge(desired: &mut BTreeMap<String, String>, changes: BTreeMap<String, Option<String>>) {
    for (name, value) in changes {
        match value {
            Some(value) => desired.insert(name, value),
            None => desired.remove(&name),
        };
    }
}

/// Stores the command that brings the difference to the terminal, if there is one, if none is under
/// way, and if this version was not written in vain already.
///
/// # Errors
/// The database's.
pub(crate) async fn issue_difference(
    hub: &Hub,
    tx: &TenantTx,
    device: DeviceId,
    shadow: &Shadow,
) -> Result<Option<CommandId>, DbError> {
    // Before its first report nothing can be said to differ; the report comes after registration.
    let Some(reported) = &shadow.reported else {
        return Ok(None);
    };
    let changes = wanted(&shadow.desired, reported);
    if changes.is_empty()
        || command_store::open_set_parameters(tx, device)
            .await?
            .is_some()
    {
        return Ok(None);
    }
    let (attempts, failures) =
        command_store::writes_of_version(tx, device, shadow.desired_version).await?;
    if failures > 0 || attempts >= MOST_WRITES {
        return Ok(None);
    }
    let request = CommandRequest::SetParameters {
        parameters: changes,
        desired_version: Some(shadow.desired_version),
    };
    let id = CommandId::from_uuid(uuid::Uuid::now_v7());
    let new = NewCommand {
        id,
        device,
        kind: CommandType::SetParameters,
        parameters: request
            .stored(&hub.kit.secrets)
            .map_err(|e| DbError::Refused(sea_orm::DbErr::Custom(e.to_string())))?,
        origin: Origin::Shadow,
        ended: None,
    };
    command_store::insert(tx, new).await?;
    Ok(Some(id))
}

fn wanted(
    desired: &BTreeMap<String, String>,
    reported: &BTreeMap<String, String>,
) -> BTreeMap<String, ParameterValue> {
    difference(desired, reported)
        .into_iter()
        .filter_map(|(name, (desired, _))| Some((name, ParameterValue(desired?))))
        .collect()
}

/// After the commit: whoever holds the session takes the command.
pub(crate) fn tell(hub: &Hub, scope: &TenantScope, device: DeviceId, issued: Option<CommandId>) {
    let tenant = scope.tenant();
    if issued.is_some() && !hub.registry.nudge(tenant, device) {
        hub.kit.bus.wake(Wake::Commands {
            tenant_id: tenant,
            device_id: device,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn changes_are_merged_and_null_takes_a_desire_back() {
        let mut desired = map(&[("voiceVolume", "3"), ("banner", "x")]);
        let changes = [
            ("voiceVolume", Some("4")),
            ("banner", None),
            ("ntpCycle", None),
            ("ntpEnable", Some("1")),
        ];
        merge(
            &mut desired,
            changes
                .map(|(k, v)| (k.to_owned(), v.map(str::to_owned)))
                .into(),
        );
        assert_eq!(desired, map(&[("voiceVolume", "4"), ("ntpEnable", "1")]));
    }

    #[test]
    fn only_what_differs_is_wanted() {
        let desired = map(&[
            ("voiceVolume", "3"),
            ("faceFeverTemperature", "37.30"),
            ("banner", "hello"),
        ]);
        let reported = map(&[
            ("voiceVolume", "5"),
            ("faceFeverTemperature", "37.3"),
            ("ntpEnable", "1"),
        ]);
        let wanted = wanted(&desired, &reported);
        let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
        assert_eq!(names, ["banner", "voiceVolume"]);
    }
}
