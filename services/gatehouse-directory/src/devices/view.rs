//! A device as the API shows it.

use super::store::Row;
use crate::schemas;
use chrono::{DateTime, Utc};
use gatehouse_domain::DeviceId;
use serde::Serialize;
use utoipa::ToSchema;

/// A terminal that the tenant has claimed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: DeviceId,
    /// For systems that need numbers.
    number: i64,
    /// The serial number, as the terminal tells it.
    #[schema(example = "FY-2041")]
    sn: String,
    #[schema(example = "North gate")]
    name: String,
    #[schema(schema_with = schemas::protocol)]
    protocol: String,
    /// Where it hangs.
    location: String,
    /// Which way people walk there.
    #[schema(schema_with = schemas::direction)]
    direction: Option<String>,
    /// The zone that its clock is set to, an IANA name.
    #[schema(example = "Asia/Shanghai")]
    timezone: String,
    /// What a wrong signature in its registration leads to.
    #[schema(schema_with = schemas::sign_check)]
    sign_check: String,
    /// Who opens the door after a recognition.
    #[schema(schema_with = schemas::door_decision)]
    door_decision: String,
    /// How many persons it holds; null: not known.
    person_capacity: Option<i32>,
    /// Nobody who is measured warmer passes, where the platform decides.
    #[schema(example = 37.3)]
    deny_above_celsius: Option<f32>,
    /// Whether nobody without a mask passes, where the platform decides.
    deny_without_mask: bool,
    /// Whether it has a live session.
    online: bool,
    last_seen_at: Option<DateTime<Utc>>,
    connected_at: Option<DateTime<Utc>>,
    disconnected_at: Option<DateTime<Utc>>,
    /// Why its last session ended.
    close_reason: Option<String>,
    /// Where its last session came from.
    remote_address: Option<String>,
    protocol_version: Option<String>,
    hardware_version: Option<String>,
    software_version: Option<String>,
    algorithm_version: Option<String>,
    /// What was found of the signature in its last registration.
    sign_verdict: Option<String>,
    /// Its clock against ours: positive where it is ahead.
    clock_offset_ms: Option<i64>,
    clock_measured_at: Option<DateTime<Utc>>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    /// Messages of a type that is not known, over all its sessions.
    unknown_messages: i64,
    /// Messages that could not be read, over all its sessions.
    malformed_messages: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes of the settings; also the ETag.
    version: i64,
}

impl Device {
    pub(super) fn new(row: Row, online: bool) -> Self {
        let Row {
            id,
            number,
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
            created_at,
            updated_at,
            version,
            connected_at,
            disconnected_at,
            last_seen_at,
            close_reason,
            remote_address,
            protocol_version,
            hardware_version,
            software_version,
            algorithm_version,
            sign_verdict,
            clock_offset_ms,
            clock_measured_at,
            longitude,
            latitude,
            unknown_messages,
            malformed_messages,
        } = row;
        Self {
            id: DeviceId::from_uuid(id),
            number,
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
            online,
            last_seen_at,
            connected_at,
            disconnected_at,
            close_reason,
            remote_address,
            protocol_version,
            hardware_version,
            software_version,
            algorithm_version,
            sign_verdict,
            clock_offset_ms,
            clock_measured_at,
            longitude,
            latitude,
            unknown_messages,
            malformed_messages,
            created_at,
            updated_at,
            version,
        }
    }

    /// For the ETag.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }
}
