//! Changing and removing a device.

use super::api::DevicePatch;
use super::create::taken;
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
const CAPACITY_MAX: i32 = 1_000_000;

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
    let sn = match &row.sn {
        ActiveValue::Set(sn) => sn.clone(),
        ActiveValue::Unchanged(_) | ActiveValue::NotSet => old.sn.clone(),
    };
    store::update(tx, &old, row)
        .await
        .map_err(|error| taken(error, &sn))?;
    let changed = DeviceChanged {
        device_id: id,
        sn,
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
        sn,
        name,
        protocol,
        location,
        direction,
        timezone,
        sign_check,
        door_decision,
        person_capacity,
        deny_above_celsius,
        deny_without_mask,
    } = patch;
    let mut reading = Reading::begin();
    let mut row = ActiveModel::default();
    if let Some(sn) = sn {
        row.sn = Set(reading.serial_number("/sn", &sn));
    }
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
    if let Some(capacity) = person_capacity {
        row.person_capacity = Set(read_capacity(&mut reading, capacity));
    }
    if let Some(celsius) = deny_above_celsius {
        row.deny_above_celsius = Set(read_celsius(&mut reading, celsius));
    }
    if let Some(deny) = deny_without_mask {
        row.deny_without_mask = Set(deny);
    }
    reading.end()?;
    Ok(row)
}

/// How many persons a device holds.
pub(super) fn read_capacity(reading: &mut Reading, value: Option<i64>) -> Option<i32> {
    let value = value?;
    let capacity = i32::try_from(value)
        .ok()
        .filter(|n| (1..=CAPACITY_MAX).contains(n));
    if capacity.is_none() {
        reading.fault(
            "/person_capacity",
            format!("must be between 1 and {CAPACITY_MAX}"),
        );
    }
    capacity
}

/// A temperature above which somebody has a fever, and not one of another scale.
pub(super) fn read_celsius(reading: &mut Reading, value: Option<f32>) -> Option<f32> {
    let value = value?;
    if !(30.0..=45.0).contains(&value) {
        reading.fault("/deny_above_celsius", "must be between 30 and 45");
    }
    Some(value)
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
        ("sn", &row.sn),
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
    if let ActiveValue::Set(capacity) = &row.person_capacity {
        changed.push("person_capacity");
        detail.insert("person_capacity".to_owned(), json!(capacity));
    }
    if let ActiveValue::Set(celsius) = &row.deny_above_celsius {
        changed.push("deny_above_celsius");
        detail.insert("deny_above_celsius".to_owned(), json!(celsius));
    }
    if let ActiveValue::Set(deny) = &row.deny_without_mask {
        changed.push("deny_without_mask");
        detail.insert("deny_without_mask".to_owned(), json!(deny));
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
    fn what_a_device_forbids_has_bounds_and_null_lifts_it() {
        let row = patch(
            json!({"person_capacity": 500, "deny_above_celsius": 37.3, "deny_without_mask": true, "sn": "B-2"}),
        );
        let row = row.unwrap();
        assert_eq!(row.person_capacity, Set(Some(500)));
        assert_eq!(row.deny_above_celsius, Set(Some(37.3)));
        assert_eq!(row.deny_without_mask, Set(true));
        assert_eq!(row.sn, Set("B-2".to_owned()));
        let row = patch(json!({"person_capacity": null, "deny_above_celsius": null})).unwrap();
        assert_eq!(row.person_capacity, Set(None));
        assert_eq!(row.deny_above_celsius, Set(None));
        for bad in [
            json!({"person_capacity": 0}),
            json!({"person_capacity": 5_000_000_000_i64}),
            json!({"deny_above_celsius": 98.6}),
            json!({"sn": "a b"}),
        ] {
            assert!(patch(bad.clone()).is_err(), "{bad}");
        }
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
