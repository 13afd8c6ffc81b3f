//! An authority as a request says it.

use crate::named::{Kind, Named};
use crate::reading::{Reading, present};
use gatehouse_platform::db::TenantTx;
use gatehouse_platform::http::Answer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const NAME_MAX_CHARS: usize = 100;
/// Most devices, doors, or groups of one authority.
const MOST: usize = 1000;

/// An authority to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorityRequest {
    /// At most 100 characters.
    #[schema(example = "Engineering, day shift")]
    pub(super) name: Option<String>,
    /// The devices that may be passed, at most 1000. At least one device or door.
    #[serde(default)]
    #[schema(example = json!(["dev_0197c4a7b1e87d3c9a54b0c1d2e3f405"]))]
    pub(super) device_ids: Vec<String>,
    /// Doors that may be passed, at whatever device they have, at most 1000.
    #[serde(default)]
    pub(super) door_ids: Vec<String>,
    /// The groups that may pass, at least one, at most 1000. A blocklist group is kept out.
    #[serde(default)]
    #[schema(example = json!(["grp_0197c4a7b1e87d3c9a54b0c1d2e3f405"]))]
    pub(super) group_ids: Vec<String>,
    /// When they may pass; at all times where absent.
    #[schema(example = "sch_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    pub(super) schedule_id: Option<String>,
}

/// What to change of an authority; absent fields stay, lists are written whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorityPatch {
    /// At most 100 characters. Null: none.
    #[serde(default, deserialize_with = "present")]
    pub(super) name: Option<Option<String>>,
    /// Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) device_ids: Option<Option<Vec<String>>>,
    /// Null: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) door_ids: Option<Option<Vec<String>>>,
    /// At least one.
    pub(super) group_ids: Option<Vec<String>>,
    /// Null: at all times.
    #[serde(default, deserialize_with = "present")]
    pub(super) schedule_id: Option<Option<String>>,
}

/// An authority that is to be, or what it becomes. The lists are in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) devices: Vec<Uuid>,
    pub(super) doors: Vec<Uuid>,
    pub(super) groups: Vec<Uuid>,
    pub(super) schedule: Option<Uuid>,
}

/// Reads a request for an authority.
pub(super) async fn read(tx: &TenantTx, request: AuthorityRequest) -> Answer<Content> {
    let AuthorityRequest {
        name,
        device_ids,
        door_ids,
        group_ids,
        schedule_id,
    } = request;
    let whole = AuthorityPatch {
        name: Some(name),
        device_ids: Some(Some(device_ids)),
        door_ids: Some(Some(door_ids)),
        group_ids: Some(group_ids),
        schedule_id: Some(schedule_id),
    };
    over(tx, whole, &Content::default()).await
}

/// Lays a change over what there is. Only what is named now is looked for.
pub(super) async fn over(tx: &TenantTx, patch: AuthorityPatch, old: &Content) -> Answer<Content> {
    let mut reading = Reading::begin();
    let (content, named) = lay(&mut reading, patch, old);
    for named in named {
        named.look_for(tx, &mut reading).await?;
    }
    reading.end()?;
    Ok(content)
}

fn lay(reading: &mut Reading, patch: AuthorityPatch, old: &Content) -> (Content, Vec<Named>) {
    let AuthorityPatch {
        name,
        device_ids,
        door_ids,
        group_ids,
        schedule_id,
    } = patch;
    let (mut content, mut all) = (old.clone(), Vec::new());
    if let Some(name) = name {
        content.name = reading.optional_text("/name", &name.unwrap_or_default(), NAME_MAX_CHARS);
    }
    let lists = [
        (
            Kind::Device,
            "/device_ids",
            device_ids.map(Option::unwrap_or_default),
            &mut content.devices,
        ),
        (
            Kind::Door,
            "/door_ids",
            door_ids.map(Option::unwrap_or_default),
            &mut content.doors,
        ),
        (Kind::Group, "/group_ids", group_ids, &mut content.groups),
    ];
    for (kind, pointer, texts, ids) in lists {
        if let Some(texts) = texts {
            let named = Named::list(reading, kind, pointer, &texts, MOST);
            *ids = named.ids();
            all.push(named);
        }
    }
    if let Some(id) = schedule_id {
        let named = Named::one(reading, Kind::Schedule, "/schedule_id", id.as_deref());
        content.schedule = named.ids().first().copied();
        all.push(named);
    }
    if reading.is_clean() {
        if content.devices.is_empty() && content.doors.is_empty() {
            reading.fault(
                "/device_ids",
                "must name at least one device, or a door in /door_ids",
            );
        }
        if content.groups.is_empty() {
            reading.fault("/group_ids", "must name at least one group");
        }
    }
    (content, all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn laid(body: Value, old: &Content) -> Result<Content, Vec<String>> {
        let patch: AuthorityPatch = serde_json::from_value(body).unwrap();
        let mut reading = Reading::begin();
        let (content, _) = lay(&mut reading, patch, old);
        let faults: Vec<String> = reading
            .into_faults()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        if faults.is_empty() {
            Ok(content)
        } else {
            Err(faults)
        }
    }

    fn old() -> Content {
        Content {
            name: "Day".into(),
            devices: vec![Uuid::from_u128(1)],
            doors: vec![Uuid::from_u128(2)],
            groups: vec![Uuid::from_u128(3)],
            schedule: Some(Uuid::from_u128(4)),
        }
    }

    #[test]
    fn absent_fields_stay_and_null_clears() {
        assert_eq!(laid(json!({}), &old()).unwrap(), old());
        let cleared = laid(
            json!({"name": null, "door_ids": null, "schedule_id": null}),
            &old(),
        );
        let expected = Content {
            name: String::new(),
            doors: vec![],
            schedule: None,
            ..old()
        };
        assert_eq!(cleared.unwrap(), expected);
    }

    #[test]
    fn a_place_and_a_group_must_remain() {
        let faults = laid(json!({"door_ids": null, "device_ids": []}), &old()).unwrap_err();
        assert_eq!(faults, ["/device_ids"]);
        assert_eq!(
            laid(json!({"group_ids": []}), &old()).unwrap_err(),
            ["/group_ids"]
        );
        assert!(
            laid(json!({"device_ids": null}), &old()).is_ok(),
            "the door remains"
        );
        let faults = laid(
            json!({"group_ids": ["dev_1"], "schedule_id": "sch_1"}),
            &old(),
        );
        assert_eq!(faults.unwrap_err(), ["/group_ids/0", "/schedule_id"]);
    }
}
