//! A person as the API shows it.

use super::store::Beside;
use crate::photos::Photo;
use crate::schemas;
use chrono::{DateTime, NaiveDate, Utc};
use gatehouse_domain::{DepartmentId, DistributionId, GroupId, PersonId};
use gatehouse_schema::entities::people::persons::Model;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Somebody who may pass, or may not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(value_type = String, example = "per_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    id: PersonId,
    /// What terminals know the person by: digits only.
    #[schema(example = "10042")]
    number: String,
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type)]
    kind: String,
    name: String,
    code: Option<String>,
    #[schema(schema_with = schemas::gender)]
    gender: String,
    #[schema(value_type = Option<String>, example = "2001-02-28")]
    birthday: Option<NaiveDate>,
    phone_area_code: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// The first of the cards.
    card_no: Option<String>,
    cards: Vec<String>,
    #[schema(schema_with = schemas::priority)]
    priority: String,
    valid_from: Option<DateTime<Utc>>,
    valid_to: Option<DateTime<Utc>>,
    position: Option<String>,
    work_place: Option<String>,
    #[schema(value_type = Option<String>)]
    entry_on: Option<NaiveDate>,
    #[schema(value_type = Option<String>)]
    department_id: Option<DepartmentId>,
    /// Its last characters alone.
    #[schema(example = "**************1234")]
    id_document_number: Option<String>,
    /// Whether there is a PIN, which is never told.
    has_pin: bool,
    remark: String,
    welcome_text: Option<String>,
    display_text: Option<String>,
    /// Ids by which other systems know the person.
    external_ids: BTreeMap<String, String>,
    #[schema(value_type = Object)]
    attributes: Value,
    /// Whether the person is switched off, and let in nowhere.
    disabled: bool,
    disabled_at: Option<DateTime<Utc>>,
    photo_count: i16,
    /// In the answer about one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    photos: Option<Vec<Photo>>,
    /// In the answer about one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    group_ids: Option<Vec<GroupId>>,
    /// Where this request has changed what terminals are to hold: by this id its way there can be
    /// followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    distribution_id: Option<DistributionId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Counts changes; also the ETag.
    version: i64,
}

/// What only the answer about one person has.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) photos: Vec<Photo>,
    pub(super) group_ids: Vec<GroupId>,
    pub(super) distribution_id: Option<DistributionId>,
}

impl Person {
    pub(super) fn new(row: Model, beside: Beside, detail: Option<Detail>) -> Self {
        let Model {
            tenant_id: _,
            id,
            number,
            kind,
            name,
            code,
            gender,
            birthday_on,
            phone_area_code,
            phone,
            email,
            position,
            work_place,
            entry_on,
            department_id,
            id_document_sealed: _,
            id_document_digest: _,
            id_document_hint,
            pin_sealed,
            remark,
            priority,
            valid_from,
            valid_to,
            welcome_text,
            display_text,
            attributes,
            disabled_at,
            photo_count,
            terminal_hash: _,
            created_at,
            updated_at,
            version,
        } = row;
        let Beside {
            cards,
            external_ids,
        } = beside;
        let (photos, group_ids, distribution_id) = match detail {
            Some(Detail {
                photos,
                group_ids,
                distribution_id,
            }) => (Some(photos), Some(group_ids), distribution_id),
            None => (None, None, None),
        };
        Self {
            id: PersonId::from_uuid(id),
            number: number.to_string(),
            kind,
            name,
            code,
            gender,
            birthday: birthday_on,
            phone_area_code,
            phone,
            email,
            card_no: cards.first().cloned(),
            cards,
            priority,
            valid_from,
            valid_to,
            position,
            work_place,
            entry_on,
            department_id: department_id.map(DepartmentId::from_uuid),
            id_document_number: id_document_hint,
            has_pin: pin_sealed.is_some(),
            remark,
            welcome_text,
            display_text,
            external_ids,
            attributes,
            disabled: disabled_at.is_some(),
            disabled_at,
            photo_count,
            photos,
            group_ids,
            distribution_id,
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
