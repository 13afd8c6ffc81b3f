//! What a caller asks of a terminal: read from the API, checked against document 004, written to a
//! row with its secrets sealed, and read from there again when it is sent.

use crate::commands::check::{check_changes, check_message, check_upgrade};
use crate::commands::schemas;
use crate::parameters::at_rest;
use gatehouse_domain::FirmwareId;
use gatehouse_domain::access::Permission;
use gatehouse_domain::command::CommandType;
use gatehouse_platform::http::{Answer, Problem};
use gatehouse_platform::secrets::Secrets;
use gatehouse_proto_terminal::{PhotoKind, UpdateType};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What the terminal is to do. Operators (`devices:operate`) may give `open_door`,
/// `capture_photo`, `get_parameters`, `count_persons`, `list_persons` and `read_person`; `reboot`,
/// `set_parameters`, `upgrade_firmware` and `clear_records` need `devices:write` as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CommandRequest {
    /// Open the door now. Never waits: a terminal that is not there makes it `undeliverable`.
    OpenDoor {
        /// What the terminal says aloud, at most 128 characters.
        #[serde(default)]
        #[schema(example = "Welcome")]
        message: String,
    },
    /// Start again. Waits up to 5 minutes for the terminal.
    Reboot,
    /// Take a picture; the result holds a link to it. Waits up to 30 seconds.
    CapturePhoto {
        /// `face`: one with a face in it; `scene`: whatever the camera sees.
        #[serde(default = "face")]
        #[schema(schema_with = schemas::photo_kind)]
        kind: PhotoKind,
    },
    /// Tell all parameters. Waits up to an hour.
    GetParameters,
    /// Change parameters, prove it by reading them again. They become the desired ones of the
    /// terminal at the same time. Waits up to 7 days.
    SetParameters {
        /// By the terminal document's own names, for example `voiceVolume`.
        #[schema(example = json!({"voiceVolume": "3"}))]
        parameters: BTreeMap<String, ParameterValue>,
        /// The version of the desired ones that this brings about; set by the platform.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(ignore)]
        desired_version: Option<i64>,
    },
    /// Install firmware: `firmware_id` of an uploaded file, or `url`, `size` and `update_type` of
    /// one that the terminal can reach. Waits up to a day.
    UpgradeFirmware {
        /// An uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, example = "fw_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
        firmware_id: Option<FirmwareId>,
        /// Where the terminal fetches the file, at most 256 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The file's length in bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        /// What the file replaces: `file_system` (0), `application` (1) or `kernel` (3).
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "update_type"
        )]
        #[schema(schema_with = schemas::update_type)]
        update_type: Option<UpdateType>,
    },
    /// Forget the records that the terminal stores. Waits up to an hour.
    ClearRecords,
    /// Count the persons that the terminal holds. Waits up to an hour.
    CountPersons,
    /// Tell every person that the terminal holds. Waits up to an hour.
    ListPersons,
    /// Tell one person, with pictures. Waits up to an hour.
    ReadPerson {
        /// From 0.
        index: u32,
    },
}

const fn face() -> PhotoKind {
    PhotoKind::Face
}

/// A parameter's value: terminals know text only, callers may write numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterValue(pub(crate) String);

impl PartialSchema for ParameterValue {
    fn schema() -> RefOr<Schema> {
        let kinds = SchemaType::from_iter([Type::String, Type::Number]);
        RefOr::T(ObjectBuilder::new().schema_type(kinds).into())
    }
}

impl ToSchema for ParameterValue {}

impl Serialize for ParameterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_number(deserializer).map(Self)
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a number")]
    enum Scalar {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
    })
}

/// By its name, or by the number that the terminal document gives it.
fn update_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UpdateType>, D::Error> {
    read_update_type(&text_or_number(deserializer)?)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

/// `file_system` or 0, `application` or 1, `kernel` or 3.
pub(crate) fn read_update_type(
    text: &str,
) -> Result<UpdateType, gatehouse_domain::words::UnknownWord> {
    match text {
        "0" => Ok(UpdateType::FileSystem),
        "1" => Ok(UpdateType::Application),
        "3" => Ok(UpdateType::Kernel),
        word => word.parse(),
    }
}

impl CommandRequest {
    /// What kind of command it is.
    pub(crate) const fn kind(&self) -> CommandType {
        match self {
            Self::OpenDoor { .. } => CommandType::OpenDoor,
            Self::Reboot => CommandType::Reboot,
            Self::CapturePhoto { .. } => CommandType::CapturePhoto,
            Self::GetParameters => CommandType::GetParameters,
            Self::SetParameters { .. } => CommandType::SetParameters,
            Self::UpgradeFirmware { .. } => CommandType::UpgradeFirmware,
            Self::ClearRecords => CommandType::ClearRecords,
            Self::CountPersons => CommandType::CountPersons,
            Self::ListPersons => CommandType::ListPersons,
            Self::ReadPerson { .. } => CommandType::ReadPerson,
        }
    }

    /// The permission that is needed beside `devices:operate`.
    pub(crate) const fn needs(&self) -> Option<Permission> {
        match self {
            Self::OpenDoor { .. }
            | Self::CapturePhoto { .. }
            | Self::GetParameters
            | Self::CountPersons
            | Self::ListPersons
            | Self::ReadPerson { .. } => None,
            Self::Reboot
            | Self::SetParameters { .. }
            | Self::UpgradeFirmware { .. }
            | Self::ClearRecords => Some(Permission::ManageDevices),
        }
    }

    /// Checks what can be checked without a database, and puts parameter names into their one
    /// spelling.
    ///
    /// # Errors
    /// One problem with a pointer for each fault.
    pub(crate) fn checked(self) -> Answer<Self> {
        match self {
            Self::OpenDoor { message } => {
                check_message(&message)?;
                Ok(Self::OpenDoor { message })
            }
            Self::SetParameters { parameters, .. } => {
                let values = parameters
                    .into_iter()
                    .map(|(name, value)| (name, value.0))
                    .collect();
                let values = check_changes(values, "/parameters")?;
                if values.is_empty() {
                    return Err(Problem::invalid(
                        "/parameters",
                        "must name at least one parameter",
                    ));
                }
                Ok(Self::SetParameters {
                    parameters: values
                        .into_iter()
                        .map(|(name, value)| (name, ParameterValue(value)))
                        .collect(),
                    desired_version: None,
                })
            }
            Self::UpgradeFirmware {
                firmware_id,
                url,
                size,
                update_type,
            } => {
                check_upgrade(firmware_id, url.as_deref(), size, update_type)?;
                Ok(Self::UpgradeFirmware {
                    firmware_id,
                    url,
                    size,
                    update_type,
                })
            }
            Self::Reboot
            | Self::CapturePhoto { .. }
            | Self::GetParameters
            | Self::ClearRecords
            | Self::CountPersons
            | Self::ListPersons
            | Self::ReadPerson { .. } => Ok(self),
        }
    }

    /// What a row holds of it, beside its type.
    ///
    /// # Errors
    /// Where a secret cannot be sealed.
    pub(crate) fn stored(&self, secrets: &Secrets) -> Result<Value, StoredFault> {
        let mut value = serde_json::to_value(self)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("type");
        }
        if let Self::SetParameters { parameters, .. } = self {
            let plain = parameters
                .iter()
                .map(|(name, value)| (name.clone(), value.0.clone()))
                .collect();
            if let Some(slot) = value.get_mut("parameters") {
                *slot = at_rest::seal(secrets, &plain)?;
            }
        }
        Ok(value)
    }

    /// From a row.
    ///
    /// # Errors
    /// Where the row holds what this version does not know.
    pub(crate) fn from_stored(
        kind: CommandType,
        stored: Value,
        secrets: &Secrets,
    ) -> Result<Self, StoredFault> {
        let mut value = stored;
        if kind == CommandType::SetParameters
            && let Some(slot) = value.get_mut("parameters")
        {
            *slot = serde_json::to_value(at_rest::open(secrets, slot)?)?;
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("type".to_owned(), kind.as_str().into());
        }
        Ok(serde_json::from_value(value)?)
    }
}

/// A command's row could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredFault {
    /// A secret.
    #[error(transparent)]
    Secret(#[from] at_rest::AtRestError),
    /// The shape.
    #[error("the stored command cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
}

impl From<StoredFault> for Problem {
    fn from(fault: StoredFault) -> Self {
        tracing::error!(%fault, "a command could not be stored");
        Self::new(
            gatehouse_platform::http::ProblemCode::Internal,
            "An internal error; it is logged under this request's id.",
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use gatehouse_platform::secrets::SecretSettings;
    use serde_json::json;

    fn secrets() -> Secrets {
        Secrets::new(&SecretSettings {
            master_key: "ab".repeat(32),
            operator_key: None,
        })
        .unwrap()
    }

    fn read(value: Value) -> Result<CommandRequest, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn every_type_reads_in_its_shortest_form_and_back_from_its_row() {
        for kind in CommandType::ALL {
            let mut value = json!({ "type": kind.as_str() });
            match kind {
                CommandType::SetParameters => {
                    value["parameters"] = json!({ "voiceVolume": 3, "devicePassword": "x1" })
                }
                CommandType::UpgradeFirmware => {
                    value["firmware_id"] = json!(format!("fw_{}", "0".repeat(32)))
                }
                CommandType::ReadPerson => value["index"] = json!(0),
                CommandType::OpenDoor
                | CommandType::Reboot
                | CommandType::CapturePhoto
                | CommandType::GetParameters
                | CommandType::ClearRecords
                | CommandType::CountPersons
                | CommandType::ListPersons => {}
            }
            let request = read(value).unwrap().checked().unwrap();
            assert_eq!(request.kind(), *kind);
            let stored = request.stored(&secrets()).unwrap();
            assert!(stored.get("type").is_none(), "{stored}");
            assert!(!stored.to_string().contains("x1"), "{stored}");
            assert_eq!(
                CommandRequest::from_stored(*kind, stored, &secrets()).unwrap(),
                request
            );
        }
    }

    #[test]
    fn numbers_become_the_text_that_terminals_know() {
        let request =
            read(json!({ "type": "set_parameters", "parameters": { "voiceVolume": 3 } })).unwrap();
        let CommandRequest::SetParameters { parameters, .. } = request else {
            return assert_eq!(1, 0);
        };
        assert_eq!(parameters["voiceVolume"].0, "3");
        assert!(
            read(json!({ "type": "set_parameters", "parameters": { "voiceVolume": true } }))
                .is_err()
        );
        assert!(
            read(json!({ "type": "set_parameters", "parameters": { "voiceVolume": null } }))
                .is_err()
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for value in [
            json!({ "type": "explode" }),
            json!({}),
            json!({ "type": "open_door", "mesage": "x" }),
            json!({ "type": "read_person" }),
            json!({ "type": "read_person", "index": -1 }),
            json!({ "type": "capture_photo", "kind": "selfie" }),
        ] {
            assert!(read(value.clone()).is_err(), "{value}");
        }
        assert!(
            read(json!({ "type": "set_parameters", "parameters": {} }))
                .unwrap()
                .checked()
                .is_err()
        );
    }

    #[test]
    fn a_version_of_the_caller_is_not_taken() {
        let request =
            read(json!({ "type": "set_parameters", "parameters": { "voiceVolume": "3" }, "desired_version": 9 })).unwrap();
        let CommandRequest::SetParameters {
            desired_version, ..
        } = request.checked().unwrap()
        else {
            return assert_eq!(1, 0);
        };
        assert_eq!(desired_version, None);
    }
}
