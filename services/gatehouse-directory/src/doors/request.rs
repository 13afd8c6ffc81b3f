//! A door as a request says it.

use crate::named::{Kind, Named};
use crate::reading::{Reading, present};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const NAME_MAX_CHARS: usize = 100;
const LOCATION_MAX_CHARS: usize = 200;
const SWITCH_ADDRESS_MAX_CHARS: usize = 100;
const DEVICES_MAX: usize = 100;

/// A door to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DoorRequest {
    /// 1 to 100 characters, unique within the tenant.
    #[schema(example = "Main entrance")]
    pub(super) name: String,
    /// At most 200 characters.
    #[schema(example = "Building 2, ground floor")]
    pub(super) location: Option<String>,
    /// Where the switch that opens it is reached, as the installer writes it: at most 100 characters.
    #[schema(example = "192.0.2.14:502/3")]
    pub(super) switch_address: Option<String>,
    /// The devices at it, at most 100: for example one on each side.
    #[serde(default)]
    #[schema(example = json!(["dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"]))]
    pub(super) device_ids: Vec<String>,
}

/// What to change of a door; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DoorPatch {
    /// 1 to 100 characters, unique within the tenant.
    pub(super) name: Option<String>,
    /// At most 200 characters. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) location: Option<Option<String>>,
    /// At most 100 characters. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) switch_address: Option<Option<String>>,
    /// All devices at it, at most 100. Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) device_ids: Option<Option<Vec<String>>>,
}

/// A door that is to be, or what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) switch_address: Option<String>,
    /// In order.
    pub(super) devices: Vec<Uuid>,
}

impl DoorRequest {
    /// Reads a request for a door; the devices are still to be looked for.
    pub(super) fn read(self, reading: &mut Reading) -> (Content, Named) {
        let Self {
            name,
            location,
            switch_address,
            device_ids,
        } = self;
        let named = devices(reading, &device_ids);
        let content = Content {
            name: reading.text("/name", &name, NAME_MAX_CHARS),
            location: place(reading, location),
            switch_address: switch(reading, switch_address),
            devices: named.ids(),
        };
        (content, named)
    }
}

impl DoorPatch {
    /// Lays a change over what there is; the devices that are named are still to be looked for.
    pub(super) fn over(self, reading: &mut Reading, old: &Content) -> (Content, Named) {
        let Self {
            name,
            location,
            switch_address,
            device_ids,
        } = self;
        let mut content = old.clone();
        if let Some(name) = name {
            content.name = reading.text("/name", &name, NAME_MAX_CHARS);
        }
        if let Some(location) = location {
            content.location = place(reading, location);
        }
        if let Some(address) = switch_address {
            content.switch_address = switch(reading, address);
        }
        let is_given = device_ids.is_some();
        let named = devices(reading, &device_ids.flatten().unwrap_or_default());
        if is_given {
            content.devices = named.ids();
        }
        (content, named)
    }
}

fn devices(reading: &mut Reading, texts: &[String]) -> Named {
    Named::list(reading, Kind::Device, "/device_ids", texts, DEVICES_MAX)
}

fn place(reading: &mut Reading, text: Option<String>) -> String {
    reading.optional_text("/location", &text.unwrap_or_default(), LOCATION_MAX_CHARS)
}

fn switch(reading: &mut Reading, text: Option<String>) -> Option<String> {
    let text = reading.optional_text(
        "/switch_address",
        &text.unwrap_or_default(),
        SWITCH_ADDRESS_MAX_CHARS,
    );
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn absent_fields_stay_and_null_clears() {
        let request: DoorRequest = serde_json::from_value(json!({
            "name": " Gate ", "location": "Hall", "switch_address": "192.0.2.14:502/3",
            "device_ids": [format!("dev_{:032x}", 2), format!("dev_{:032x}", 1)]}))
        .unwrap();
        let (old, _) = request.read(&mut Reading::begin());
        assert_eq!(old.name, "Gate");
        assert_eq!(old.devices, [Uuid::from_u128(1), Uuid::from_u128(2)]);
        let over = |body: Value| {
            let patch: DoorPatch = serde_json::from_value(body).unwrap();
            patch.over(&mut Reading::begin(), &old).0
        };
        assert_eq!(over(json!({})), old);
        let cleared = over(json!({"location": null, "switch_address": null, "device_ids": null}));
        assert_eq!(
            (
                cleared.location.as_str(),
                cleared.switch_address,
                cleared.devices.len()
            ),
            ("", None, 0)
        );
        assert_eq!(cleared.name, "Gate");
    }
}
