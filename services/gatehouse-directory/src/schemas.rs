//! How the domain's words look in the OpenAPI document. The domain knows nothing of OpenAPI, so the
//! lists of words are made here, from the vocabularies themselves.

use crate::groups::Outcome;
use crate::visits::{Reason, State};
use gatehouse_domain::access::{Permission, ReasonCode, Role};
use gatehouse_domain::device::{DeviceProtocol, Direction, DoorDecision, SignCheck};
use gatehouse_domain::person::{Gender, PersonType, Priority};
use gatehouse_domain::record::Mask;
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

fn words(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let words: Vec<Value> = words.into_iter().map(Value::from).collect();
    RefOr::T(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .into(),
    )
}

macro_rules! vocabularies {
    ($($name:ident = $words:ty),+ $(,)?) => {$(
        pub(crate) fn $name() -> RefOr<Schema> {
            words(<$words>::ALL.iter().map(|w| w.as_str()))
        }
    )+};
}

vocabularies!(
    protocol = DeviceProtocol,
    sign_check = SignCheck,
    door_decision = DoorDecision,
    role = Role,
    permission = Permission,
    person_type = PersonType,
    gender = Gender,
    priority = Priority,
    member_outcome = Outcome,
    reason = ReasonCode,
    mask = Mask,
    visit_state = State,
    visit_reason = Reason,
);

/// `in`, `out` or null.
pub(crate) fn direction() -> RefOr<Schema> {
    let words = Direction::ALL.iter().map(|word| Value::from(word.as_str()));
    let kind = SchemaType::from_iter([Type::String, Type::Null]);
    let object = ObjectBuilder::new().schema_type(kind);
    RefOr::T(object.enum_values(Some(words.chain([Value::Null]))).into())
}

/// A list of permissions.
pub(crate) fn permissions() -> RefOr<Schema> {
    RefOr::T(ArrayBuilder::new().items(permission()).into())
}
