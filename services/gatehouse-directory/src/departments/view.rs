//! Departments as the API shows them.

use super::store::{PersonRow, Row};
use crate::schemas;
use chrono::{DateTime, Utc};
use gatehouse_domain::{DepartmentId, PersonId};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A part of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Department {
    #[schema(value_type = String, example = "dep_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: DepartmentId,
    /// For systems that need numbers.
    number: i64,
    /// The department above; null at the top.
    #[schema(value_type = Option<String>)]
    parent_id: Option<DepartmentId>,
    #[schema(example = "Assembly")]
    name: String,
    /// The organisation's own code for it.
    code: Option<String>,
    /// The person who leads it.
    #[schema(value_type = Option<String>)]
    leader_id: Option<PersonId>,
    remark: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

impl From<Row> for Department {
    fn from(row: Row) -> Self {
        let Row {
            id,
            number,
            parent_id,
            name,
            code,
            leader_id,
            remark,
            created_at,
            updated_at,
            version,
        } = row;
        Self {
            id: DepartmentId::from_uuid(id),
            number,
            parent_id: parent_id.map(DepartmentId::from_uuid),
            name,
            code,
            leader_id: leader_id.map(PersonId::from_uuid),
            remark,
            created_at,
            updated_at,
            version,
        }
    }
}

impl Department {
    /// For the ETag.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }
}

/// All departments, as a tree.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartmentTree {
    /// The departments at the top.
    items: Vec<DepartmentNode>,
}

/// A department with those below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartmentNode {
    #[serde(flatten)]
    department: Department,
    /// The departments below, by their names.
    #[schema(no_recursion)]
    children: Vec<DepartmentNode>,
}

impl DepartmentTree {
    /// Builds the tree of rows in the order that siblings shall have.
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let mut below: BTreeMap<Option<Uuid>, Vec<Row>> = BTreeMap::new();
        for row in rows {
            below.entry(row.parent_id).or_default().push(row);
        }
        Self {
            items: nodes(&mut below, None),
        }
    }
}

/// Takes the rows below a department out of the map: each is visited once, and what lies in a circle
/// never.
fn nodes(
    below: &mut BTreeMap<Option<Uuid>, Vec<Row>>,
    parent: Option<Uuid>,
) -> Vec<DepartmentNode> {
    let rows = below.remove(&parent).unwrap_or_default();
    let nodes = rows.into_iter().map(|row| DepartmentNode {
        children: nodes(below, Some(row.id)),
        department: row.into(),
    });
    nodes.collect()
}

/// A person of a department.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartmentPerson {
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
    position: Option<String>,
    /// The department that the person is in, which may be one below.
    #[schema(value_type = String)]
    department_id: DepartmentId,
}

impl From<PersonRow> for DepartmentPerson {
    fn from(row: PersonRow) -> Self {
        let PersonRow {
            id,
            number,
            name,
            kind,
            code,
            position,
            department_id,
        } = row;
        Self {
            id: PersonId::from_uuid(id),
            number: number.to_string(),
            name,
            kind,
            code,
            position,
            department_id: DepartmentId::from_uuid(department_id),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn row(id: u128, parent: Option<u128>) -> Row {
        Row {
            id: Uuid::from_u128(id),
            number: 1,
            parent_id: parent.map(Uuid::from_u128),
            name: id.to_string(),
            code: None,
            leader_id: None,
            remark: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
        }
    }

    fn names(node: &Value) -> Value {
        let children: Vec<Value> = node["children"]
            .as_array()
            .unwrap()
            .iter()
            .map(names)
            .collect();
        json!([node["name"], children])
    }

    #[test]
    fn the_tree_keeps_the_order_and_loses_nobody() {
        let rows = vec![
            row(2, Some(1)),
            row(1, None),
            row(4, Some(2)),
            row(3, Some(1)),
            row(5, None),
        ];
        let tree = serde_json::to_value(DepartmentTree::new(rows)).unwrap();
        let shown: Vec<Value> = tree["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(names)
            .collect();
        assert_eq!(
            Value::from(shown),
            json!([["1", [["2", [["4", []]]], ["3", []]]], ["5", []]])
        );
    }
}
