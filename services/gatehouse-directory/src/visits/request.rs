//! What the API takes about a visit.

use crate::persons::PersonPatch;
use crate::reading::present;
use crate::schemas;
use gatehouse_domain::{GroupId, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A visit to be expected.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitRequest {
    /// A person of type `visitor`. Either this or `person`.
    #[schema(value_type = Option<String>)]
    pub(super) person_id: Option<PersonId>,
    /// A visitor who is not known yet: becomes a person.
    pub(super) person: Option<NewVisitor>,
    /// Whom they visit: a person of type `staff`.
    #[schema(value_type = Option<String>)]
    pub(super) host_id: Option<PersonId>,
    /// At most 200 characters.
    pub(super) reason: Option<String>,
    /// Where they come from; at most 100 characters.
    #[schema(example = "Harbour Logistics")]
    pub(super) firm: Option<String>,
    /// Of the vehicle they come in; at most 20 characters.
    pub(super) number_plate: Option<String>,
    /// A date-time in the tenant's zone or with an offset, or a date (its beginning).
    #[schema(example = "2026-12-01T08:00:00")]
    pub(super) starts_at: String,
    /// A date-time in the tenant's zone or with an offset, or a date (its end). Still to come, after
    /// `starts_at`, and at most 366 days after it.
    #[schema(example = "2026-12-01T18:00:00")]
    pub(super) ends_at: String,
    /// Whether the visitor is let in at all times of the visit, whatever the schedules say.
    pub(super) vip: Option<bool>,
    /// The visitor groups that the person is in for this visit, at most 50: they take the place of the
    /// visitor groups the person was in. Where absent, those stay.
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) group_ids: Option<Vec<GroupId>>,
}

/// A visitor who becomes a person.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVisitor {
    /// 1 to 64 characters.
    #[schema(example = "李四")]
    name: String,
    /// `unknown` where absent.
    #[schema(schema_with = schemas::gender, required = false)]
    gender: Option<String>,
    /// 1 to 6 digits.
    phone_area_code: Option<String>,
    /// 3 to 18 digits; spaces, hyphens and brackets are taken out.
    phone: Option<String>,
    email: Option<String>,
    /// Unique within the tenant.
    code: Option<String>,
    /// 1 to 32 letters and digits, unique within the tenant.
    card_no: Option<String>,
    /// 1 to 32 letters, digits and hyphens. Kept encrypted; answers show its last characters.
    id_document_number: Option<String>,
    /// At most 500 characters.
    remark: Option<String>,
}

impl From<NewVisitor> for PersonPatch {
    fn from(visitor: NewVisitor) -> Self {
        let NewVisitor {
            name,
            gender,
            phone_area_code,
            phone,
            email,
            code,
            card_no,
            id_document_number,
            remark,
        } = visitor;
        Self {
            name: Some(name),
            gender,
            phone_area_code: phone_area_code.map(Some),
            phone: phone.map(Some),
            email: email.map(Some),
            code: code.map(Some),
            card_no: card_no.map(Some),
            id_document_number: id_document_number.map(Some),
            remark: remark.map(Some),
            ..Self::default()
        }
    }
}

/// What to change of a visit; absent fields stay.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitPatch {
    /// Null: nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(super) host_id: Option<Option<PersonId>>,
    /// At most 200 characters.
    pub(super) reason: Option<String>,
    /// At most 100 characters.
    pub(super) firm: Option<String>,
    /// At most 20 characters.
    pub(super) number_plate: Option<String>,
    /// A date-time in the tenant's zone or with an offset, or a date (its beginning).
    pub(super) starts_at: Option<String>,
    /// A date-time in the tenant's zone or with an offset, or a date (its end).
    pub(super) ends_at: Option<String>,
    pub(super) vip: Option<bool>,
    /// Null: the visitor groups that the person is in stay as they are.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) group_ids: Option<Option<Vec<GroupId>>>,
}
