//! Creating a device, which is also how a discovered one is claimed: from then on the hub admits
//! terminals with its serial number.

use super::api::DeviceRequest;
use super::change::{LOCATION_MAX_CHARS, NAME_MAX_CHARS, deed, read_capacity, read_celsius};
use super::store;
use crate::reading::Reading;
use crate::{audit, tenants};
use chrono::Utc;
use gatehouse_contracts::{DeviceChange, DeviceChanged};
use gatehouse_domain::DeviceId;
use gatehouse_domain::device::{DeviceProtocol, Direction, DoorDecision, SignCheck};
use gatehouse_platform::db::{DIRECTORY, DbError, TenantTx};
use gatehouse_platform::http::{Answer, Problem, ProblemCode};
use gatehouse_platform::outbox;
use gatehouse_schema::entities::directory::devices::ActiveModel;
use sea_orm::{NotSet, Set};
use serde_json::json;
use uuid::Uuid;

/// A device to be made, checked.
#[derive(Debug)]
pub(super) struct NewDevice {
    sn: String,
    name: String,
    protocol: DeviceProtocol,
    location: String,
    direction: Option<Direction>,
    timezone: Option<String>,
    sign_check: SignCheck,
    door_decision: DoorDecision,
    person_capacity: Option<i32>,
    deny_above_celsius: Option<f32>,
    deny_without_mask: bool,
}

/// Reads a request for a device.
pub(super) fn read(request: DeviceRequest) -> Answer<NewDevice> {
    let DeviceRequest {
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
    } = request;
    let mut reading = Reading::begin();
    let sn = reading.serial_number("/sn", &sn);
    let name = name.map_or_else(
        || sn.clone(),
        |name| reading.text("/name", &name, NAME_MAX_CHARS),
    );
    let protocol = reading.word("/protocol", protocol.as_deref(), DeviceProtocol::TerminalWs);
    let location = reading.optional_text(
        "/location",
        &location.unwrap_or_default(),
        LOCATION_MAX_CHARS,
    );
    let direction = direction.map(|word| reading.word("/direction", Some(&word), Direction::In));
    let timezone = timezone.map(|zone| reading.timezone("/timezone", &zone));
    let sign_check = reading.word("/sign_check", sign_check.as_deref(), SignCheck::Warn);
    let door_decision = reading.word(
        "/door_decision",
        door_decision.as_deref(),
        DoorDecision::Terminal,
    );
    let person_capacity = read_capacity(&mut reading, person_capacity);
    let deny_above_celsius = read_celsius(&mut reading, deny_above_celsius);
    reading.end()?;
    Ok(NewDevice {
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
        deny_without_mask: deny_without_mask.unwrap_or(false),
    })
}

/// Stores a device, with its event and its entry in the trail.
pub(super) async fn create(tx: &TenantTx, new: NewDevice, request_id: &str) -> Answer<DeviceId> {
    let NewDevice {
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
    } = new;
    let timezone = match timezone {
        Some(timezone) => timezone,
        None => {
            tenants::read_tenant(tx)
                .await?
                .ok_or_else(|| Problem::not_found("tenant"))?
                .timezone
        }
    };
    let id = DeviceId::from_uuid(Uuid::now_v7());
    let now = Utc::now();
    let row = ActiveModel {
        tenant_id: Set(tx.tenant_uuid()),
        id: Set(id.uuid()),
        number: NotSet,
        sn: Set(sn.clone()),
        name: Set(name),
        protocol: Set(protocol.to_string()),
        location: Set(location),
        direction: Set(direction.map(|d| d.to_string())),
        timezone: Set(timezone),
        sign_check: Set(sign_check.to_string()),
        door_decision: Set(door_decision.to_string()),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        person_capacity: Set(person_capacity),
        deny_above_celsius: Set(deny_above_celsius),
        deny_without_mask: Set(deny_without_mask),
    };
    store::insert(tx, row)
        .await
        .map_err(|error| taken(error, &sn))?;
    let detail = json!({"sn": sn, "protocol": protocol, "sign_check": sign_check, "door_decision": door_decision});
    outbox::publish(
        tx,
        DIRECTORY,
        DeviceChanged {
            device_id: id,
            sn,
            change: DeviceChange::Created,
        },
    )
    .await?;
    audit::enter(tx, deed("device.created", id, detail, request_id)).await?;
    Ok(id)
}

/// A serial number that another device of the tenant has.
pub(super) fn taken(error: DbError, sn: &str) -> Problem {
    if error.is_duplicate_of("devices_tenant_id_sn_key") {
        let detail =
            format!("A device with the serial number {sn} exists; change that one instead.");
        return Problem::new(ProblemCode::AlreadyExists, detail).with_pointer("/sn");
    }
    error.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(body: serde_json::Value) -> DeviceRequest {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_serial_number_is_enough() {
        let new = read(request(json!({"sn": "FY-1"}))).unwrap();
        assert_eq!((new.name.as_str(), new.location.as_str()), ("FY-1", ""));
        assert_eq!(new.protocol, DeviceProtocol::TerminalWs);
        assert_eq!(
            (new.sign_check, new.door_decision),
            (SignCheck::Warn, DoorDecision::Terminal)
        );
        assert!(new.direction.is_none() && new.timezone.is_none());
    }

    #[test]
    fn each_field_is_refused_by_its_pointer() {
        for (field, bad) in [
            ("sn", json!("")),
            ("name", json!("a\u{0}b")),
            ("protocol", json!("smoke_signals")),
            ("location", json!("x".repeat(201))),
            ("direction", json!("up")),
            ("timezone", json!("Mars")),
            ("sign_check", json!("maybe")),
            ("door_decision", json!("me")),
            ("person_capacity", json!(-1)),
            ("deny_above_celsius", json!(20)),
        ] {
            let mut body = json!({"sn": "FY-1"});
            body.as_object_mut().unwrap().insert(field.to_owned(), bad);
            let problem = read(request(body)).unwrap_err();
            assert!(
                problem.detail().starts_with(&format!("/{field} ")),
                "{}",
                problem.detail()
            );
        }
    }
}
