//! Changing and removing a device.

use super::api::DevicePatch;
use super::store;
use crate::audit;
use crate::reading::Reading;
use gatehouse_contracts::{DeviceChange, DeviceChanged};
use gatehouse_domain::DeviceId;
use gatehouse_domain::device::{DeviceProtocol, Direction, DoorDecision, SignCheck};
use gatehouse_platform::audit::Deed;
use gatehouse_platform::db::{DIRECTORY, TenantTx};
use gatehouse_platform::http::{Answer, IfMatch, Problem};
use gatehouse_platform::outbox;
use gatehouse_schema::entities::directory::devices::ActiveModel;
use sea_orm::{ActiveValue, Set};
use serde_json::{Value, json};

pub(super) const NAME_MAX_CHARS: usize = 100;
pub(super) const LOCATION_MAX_CHARS: usize = 200;

/// Changes a device, with its event and its entry in the trail.
pub(super) async fn change(
    tx: &TenantTx,
    id: DeviceId,
    patch: DevicePatch,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    let row = read(patch)?;
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("device"))?;
    if_match.check(old.version)?;
    let detail = told(&row);
    store::update(tx, &old, row).await?;
    let changed = DeviceChanged {
        device_id: id,
        sn: old.sn,
        change: DeviceChange::Updated,
    };
    outbox::publish(tx, DIRECTORY, changed).await?;
    audit::enter(tx, deed("device.updated", id, detail, request_id)).await?;
    Ok(())
}

/// Removes a device, with its event and its entry in the trail. Its records stay.
pub(super) async fn remove(
    tx: &TenantTx,
    id: DeviceId,
    if_match: IfMatch,
    request_id: &str,
) -> Answer<()> {
    let old = store::read_to_change(tx, id)
        .await?
        .ok_or_else(|| Problem::not_found("device"))?;
    if_match.check(old.version)?;
    store::delete(tx, id).await?;
    let detail = json!({"sn": old.sn});
    let changed = DeviceChanged {
        device_id: id,
        sn: old.sn,
        change: DeviceChange::Deleted,
    };
    outbox::publish(tx, DIRECTORY, changed).await?;
    audit::enter(tx, deed("device.deleted", id, detail, request_id)).await?;
    Ok(())
}

fn read(patch: DevicePatch) -> Answer<ActiveModel> {
    let DevicePatch {
        name,
        protocol,
        location,
        direction,
        timezone,
        sign_check,
        door_decision,
    } = patch;
    let mut reading = Reading::begin();
    let mut row = ActiveModel::default();
    if let Some(name) = name {
        row.name = Set(reading.text("/name", &name, NAME_MAX_CHARS));
    }
    if let Some(word) = protocol {
        row.protocol = Set(reading
            .word("/protocol", Some(&word), DeviceProtocol::TerminalWs)
            .to_string());
    }
    if let Some(location) = location {
        row.location = Set(reading.optional_text("/location", &location, LOCATION_MAX_CHARS));
    }
    if let Some(word) = direction {
        let direction = word.map(|word| reading.word("/direction", Some(&word), Direction::In));
        row.direction = Set(direction.map(|d| d.to_string()));
    }
    if let Some(zone) = timezone {
        row.timezone = Set(reading.timezone("/timezone", &zone));
    }
    if let Some(word) = sign_check {
        row.sign_check = Set(reading
            .word("/sign_check", Some(&word), SignCheck::Warn)
            .to_string());
    }
    if let Some(word) = door_decision {
        row.door_decision = Set(reading
            .word("/door_decision", Some(&word), DoorDecision::Terminal)
            .to_string());
    }
    reading.end()?;
    Ok(row)
}

/// What the trail says of a change: which fields, and the new values of those that decide something.
fn told(row: &ActiveModel) -> Value {
    let mut changed = Vec::new();
    let mut detail = serde_json::Map::new();
    for (name, value) in [("name", &row.name), ("location", &row.location)] {
        if matches!(value, ActiveValue::Set(_)) {
            changed.push(name);
        }
    }
    for (name, value) in [
        ("protocol", &row.protocol),
        ("timezone", &row.timezone),
        ("sign_check", &row.sign_check),
        ("door_decision", &row.door_decision),
    ] {
        if let ActiveValue::Set(value) = value {
            changed.push(name);
            detail.insert(name.to_owned(), json!(value));
        }
    }
    if let ActiveValue::Set(direction) = &row.direction {
        changed.push("direction");
        detail.insert("direction".to_owned(), json!(direction));
    }
    detail.insert("changed".to_owned(), json!(changed));
    Value::Object(detail)
}

pub(super) fn deed<'a>(
    action: &'a str,
    id: DeviceId,
    detail: Value,
    request_id: &'a str,
) -> Deed<'a> {
    Deed {
        action,
        subject_kind: "device",
        subject_id: id.to_string(),
        detail,
        request_id: Some(request_id),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn patch(body: Value) -> Answer<ActiveModel> {
        read(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn absent_fields_stay_and_null_clears_the_direction() {
        let row = patch(json!({"name": "Gate"})).unwrap();
        assert_eq!(row.name, Set("Gate".to_owned()));
        assert_eq!(row.direction, ActiveValue::NotSet);
        assert_eq!(
            patch(json!({"direction": null})).unwrap().direction,
            Set(None)
        );
        assert_eq!(
            patch(json!({"direction": "out"})).unwrap().direction,
            Set(Some("out".to_owned()))
        );
        assert!(patch(json!({"direction": "up"})).is_err());
    }

    #[test]
    fn the_trail_names_fields_and_no_names() {
        let row = patch(json!({"name": "Gate of Mr Li", "sign_check": "enforce"})).unwrap();
        assert_eq!(
            told(&row),
            json!({"changed": ["name", "sign_check"], "sign_check": "enforce"})
        );
    }
}
