//! What the API takes about a person.

use crate::reading::present;
use crate::schemas;
use gatehouse_domain::{DepartmentId, GroupId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A person to be made.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonRequest {
    /// 1 to 64 characters.
    #[schema(example = "张三丰")]
    name: String,
    /// `staff` where absent.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type, required = false)]
    kind: Option<String>,
    /// The number or code by which the organisation knows the person: 1 to 64 visible characters
    /// without spaces, unique within the tenant.
    #[schema(example = "E-1042")]
    code: Option<String>,
    /// `unknown` where absent.
    #[schema(schema_with = schemas::gender, required = false)]
    gender: Option<String>,
    /// 1 to 6 digits.
    #[schema(example = "86")]
    phone_area_code: Option<String>,
    /// 3 to 18 digits; spaces, hyphens and brackets are taken out.
    #[schema(example = "13800138000")]
    phone: Option<String>,
    email: Option<String>,
    #[schema(example = "2001-02-28")]
    birthday: Option<String>,
    /// The first card: 1 to 32 letters and digits, unique within the tenant. Digits alone are filled up
    /// with zeros to ten, letters become capitals: as terminals write cards. Terminals are told
    /// this card and no other.
    #[schema(example = "0012345678")]
    card_no: Option<String>,
    /// All cards, at most 5. The first one is `card_no`.
    cards: Option<Vec<String>>,
    /// How far the schedules bind the person; `normal` where absent.
    #[schema(schema_with = schemas::priority, required = false)]
    priority: Option<String>,
    /// From when the person may pass: a date-time in the tenant's zone or with an offset, or a date
    /// (its beginning).
    #[schema(example = "2026-12-01T08:00:00")]
    valid_from: Option<String>,
    /// Until when the person may pass: a date-time in the tenant's zone or with an offset, or a date
    /// (its end).
    #[schema(example = "2026-12-31T18:00:00+08:00")]
    valid_to: Option<String>,
    /// At most 64 characters.
    position: Option<String>,
    /// At most 100 characters.
    work_place: Option<String>,
    /// The first day in the organisation.
    #[schema(example = "2020-07-01")]
    entry_on: Option<String>,
    #[schema(value_type = Option<String>, example = "dep_0197c4a7b1e87d3c9a54b0c1d2e3f405")]
    department_id: Option<DepartmentId>,
    /// 1 to 32 letters, digits and hyphens. Kept encrypted; answers show its last characters.
    id_document_number: Option<String>,
    /// 4 to 8 digits, for terminals with a keypad. Kept encrypted, never answered.
    #[schema(example = "482915")]
    pin: Option<String>,
    /// At most 500 characters.
    remark: Option<String>,
    /// What a terminal says on recognition, at most 30 characters.
    welcome_text: Option<String>,
    /// What a terminal shows on recognition, at most 30 characters.
    display_text: Option<String>,
    /// Ids by which other systems know the person: system to id, each unique within the tenant. The
    /// system is 1 to 32 small letters, digits, `_` and `-`.
    #[schema(example = json!({"hongtu": "8f14e45fceea167a"}))]
    external_ids: Option<BTreeMap<String, String>>,
    /// Whatever else is to be known: at most 50 members and 8 KiB.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Map<String, Value>>,
    /// Groups that the person is in from the beginning, at most 50.
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) group_ids: Option<Vec<GroupId>>,
    /// Whether the person is switched off: known, and let in nowhere.
    disabled: Option<bool>,
}

/// What to change of a person: absent fields stay, null clears.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PersonPatch {
    /// 1 to 64 characters.
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::person_type, required = false)]
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(crate) code: Option<Option<String>>,
    #[schema(schema_with = schemas::gender, required = false)]
    pub(crate) gender: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(crate) phone_area_code: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) phone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) email: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(example = "2001-02-28")]
    pub(crate) birthday: Option<Option<String>>,
    /// Takes the place of the first card; null takes the first card away. Not together with `cards`.
    #[serde(deserialize_with = "present")]
    pub(crate) card_no: Option<Option<String>>,
    /// All cards, in place of those there are; null: none.
    #[serde(deserialize_with = "present")]
    pub(crate) cards: Option<Option<Vec<String>>>,
    #[schema(schema_with = schemas::priority, required = false)]
    pub(crate) priority: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(crate) valid_from: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) valid_to: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) position: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) work_place: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) entry_on: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) department_id: Option<Option<DepartmentId>>,
    #[serde(deserialize_with = "present")]
    pub(crate) id_document_number: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) pin: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) remark: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) welcome_text: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub(crate) display_text: Option<Option<String>>,
    /// Member by member: a system that is not named stays, null takes its id away. Null instead of
    /// the object takes all away.
    #[serde(deserialize_with = "present")]
    pub(crate) external_ids: Option<Option<BTreeMap<String, Option<String>>>>,
    /// Member by member: what is not named stays, null takes a member away. Null instead of the object
    /// takes all away.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    pub(crate) attributes: Option<Option<Map<String, Value>>>,
    pub(crate) disabled: Option<bool>,
}

impl From<PersonRequest> for PersonPatch {
    fn from(request: PersonRequest) -> Self {
        let PersonRequest {
            name,
            kind,
            code,
            gender,
            phone_area_code,
            phone,
            email,
            birthday,
            card_no,
            cards,
            priority,
            valid_from,
            valid_to,
            position,
            work_place,
            entry_on,
            department_id,
            id_document_number,
            pin,
            remark,
            welcome_text,
            display_text,
            external_ids,
            attributes,
            group_ids: _,
            disabled,
        } = request;
        Self {
            name: Some(name),
            kind,
            code: code.map(Some),
            gender,
            phone_area_code: phone_area_code.map(Some),
            phone: phone.map(Some),
            email: email.map(Some),
            birthday: birthday.map(Some),
            card_no: card_no.map(Some),
            cards: cards.map(Some),
            priority,
            valid_from: valid_from.map(Some),
            valid_to: valid_to.map(Some),
            position: position.map(Some),
            work_place: work_place.map(Some),
            entry_on: entry_on.map(Some),
            department_id: department_id.map(Some),
            id_document_number: id_document_number.map(Some),
            pin: pin.map(Some),
            remark: remark.map(Some),
            welcome_text: welcome_text.map(Some),
            display_text: display_text.map(Some),
            external_ids: external_ids.map(|ids| {
                Some(
                    ids.into_iter()
                        .map(|(system, id)| (system, Some(id)))
                        .collect(),
                )
            }),
            attributes: attributes.map(Some),
            disabled,
        }
    }
}
