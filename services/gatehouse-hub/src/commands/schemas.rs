//! How the words of commands look in the OpenAPI document. The domain knows nothing of OpenAPI, so
//! the lists are made here, from the vocabularies themselves.

use gatehouse_domain::command::{CommandState, CommandType};
use gatehouse_proto_terminal::{PhotoKind, UpdateType};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

macro_rules! vocabularies {
    ($($name:ident = $words:ty),+ $(,)?) => {$(
        pub(crate) fn $name() -> RefOr<Schema> {
            let words: Vec<&str> = <$words>::ALL.iter().map(|w| w.as_str()).collect();
            RefOr::T(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into())
        }
    )+};
}

vocabularies!(
    command_type = CommandType,
    command_state = CommandState,
    photo_kind = PhotoKind,
    update_type = UpdateType,
);
