//! A read-back as the API shows it.

use super::store::Row;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DeviceId, ReadbackId, vocabulary};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

vocabulary! {
    /// How far a read-back is.
    pub(crate) enum ReadbackState: "read-back state" {
        /// The terminal is asked how many it holds.
        Counting = "counting",
        /// It tells every person.
        Reading = "reading",
        /// What it told is compared.
        Comparing = "comparing",
        /// Done; what differed is on its way to be mended.
        Succeeded = "succeeded",
        /// It came to nothing.
        Failed = "failed",
    }
}

fn state_schema() -> RefOr<Schema> {
    let words: Vec<&str> = ReadbackState::ALL.iter().map(|w| w.as_str()).collect();
    RefOr::T(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .into(),
    )
}

/// A look at what a terminal truly holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReadbackView {
    /// The read-back.
    #[schema(value_type = String, example = "rbk_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: ReadbackId,
    /// The terminal.
    #[schema(value_type = String, example = "dev_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    device_id: DeviceId,
    /// Whether every person is read in any case; otherwise only where the count differs.
    full: bool,
    /// `counting`, `reading`, `comparing`: under way. `succeeded`: done; what differed is on its way
    /// to be mended. `failed`: it came to nothing, `error` says why.
    #[schema(schema_with = state_schema)]
    state: String,
    /// When it was asked for.
    asked_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// How many persons the terminal says it holds.
    counted: Option<i64>,
    /// How many it had confirmed.
    expected: Option<i64>,
    /// Confirmed once and not there: they are sent again.
    missing: Option<i64>,
    /// There and not confirmed, or not known at all: they are taken away, or told anew where they
    /// should be there.
    surplus: Option<i64>,
    /// There with another name, card, priority, validity or passing times: they are told anew.
    differing: Option<i64>,
    /// The first 200 of what differed: `{number, person_id, kind: missing|surplus|differing, fields}`.
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    findings: Option<Value>,
    /// Why it failed.
    error: Option<String>,
}

impl ReadbackView {
    /// With what was found.
    pub(super) fn whole(row: Row) -> Self {
        let findings = Some(row.findings.clone());
        Self {
            findings,
            ..Self::short(row)
        }
    }

    /// For lists.
    pub(super) fn short(row: Row) -> Self {
        let Row {
            id,
            device_id,
            full_read,
            state,
            asked_at,
            finished_at,
            counted,
            expected,
            missing,
            surplus,
            differing,
            findings: _,
            removed_meanwhile: _,
            error,
        } = row;
        Self {
            id: ReadbackId::from_uuid(id),
            device_id: DeviceId::from_uuid(device_id),
            full: full_read,
            state,
            asked_at,
            finished_at,
            counted,
            expected,
            missing,
            surplus,
            differing,
            findings: None,
            error,
        }
    }
}
