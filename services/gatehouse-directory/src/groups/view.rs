//! Groups and their members as the API shows them.

use super::store::{MemberRow, Row};
use crate::schemas;
use chrono::{DateTime, Utc};
use gatehouse_domain::{GroupId, PersonId};
use serde::Serialize;
use utoipa::ToSchema;

/// Members are counted so far and no further: beyond, a count would cost more than it tells.
pub(super) const COUNTED_UP_TO: i64 = 10_000;

/// Persons who are let in, or kept out, together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    #[schema(value_type = String, example = "grp_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: GroupId,
    /// For systems that need numbers.
    number: i64,
    #[schema(example = "Engineering")]
    name: String,
    /// Who may be in it: staff in staff groups, visitors in visitor groups, anybody in blocklist
    /// groups.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type)]
    kind: String,
    remark: String,
    /// How many members it has, counted up to 10 000. In the answer about one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<i64>,
    /// Whether it has more members than were counted. In the answer about one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more_members: Option<bool>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes of the group, not of its members; also the ETag.
    version: i64,
}

impl Group {
    /// `counted` is how many members were found when looking for one more than are counted.
    pub(super) fn new(row: Row, counted: Option<i64>) -> Self {
        let Row {
            id,
            number,
            name,
            name_folded: _,
            kind,
            remark,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: GroupId::from_uuid(id),
            number,
            name,
            kind,
            remark,
            member_count: counted.map(|n| n.min(COUNTED_UP_TO)),
            has_more_members: counted.map(|n| n > COUNTED_UP_TO),
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

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupMember {
    #[schema(value_type = String, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: PersonId,
    /// What terminals know the person by: digits only.
    #[schema(example = "10042")]
    number: String,
    name: String,
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type)]
    kind: String,
    code: Option<String>,
    /// Since when the person is in the group.
    added_at: DateTime<Utc>,
}

impl From<MemberRow> for GroupMember {
    fn from(row: MemberRow) -> Self {
        let MemberRow {
            id,
            number,
            name,
            kind,
            code,
            added_at,
        } = row;
        Self {
            id: PersonId::from_uuid(id),
            number: number.to_string(),
            name,
            kind,
            code,
            added_at,
        }
    }
}
