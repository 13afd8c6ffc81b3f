//! The problems that operations can answer, for the OpenAPI document. Each type stands for one
//! group of statuses, so that an operation lists exactly those it has.

use super::ProblemBody;
use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

fn problem(status: &str, description: &str) -> (String, RefOr<Response>) {
    let body = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(body)).build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build();
    (status.to_owned(), RefOr::T(response))
}

macro_rules! refusals {
    ($($(#[$meta:meta])* $name:ident { $($status:literal: $description:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(problem($status, $description)),+])
            }
        }
    )+};
}

refusals! {
    /// What every operation with a credential can answer.
    Refused {
        "401": "No credential, or one that is not valid.",
        "403": "The credential lacks the permission.",
        "429": "Too many requests; see Retry-After.",
        "503": "A store is away; the same request may succeed later.",
    }
    /// What every operation without a credential can answer.
    Throttled {
        "401": "Not recognised, or no longer valid.",
        "429": "Too many attempts; see Retry-After.",
        "503": "A store is away; the same request may succeed later.",
    }
    /// The request itself is at fault.
    Unfit {
        "400": "The request cannot be read.",
        "422": "A field has a value that cannot be taken; `pointer` names it.",
    }
    /// The thing is not there.
    Missing { "404": "There is no such thing within the caller's tenant." }
    /// The state does not admit it.
    Clash { "409": "It exists already, or the present state does not admit this." }
    /// If-Match names another version.
    Stale { "412": "It was changed in the meantime; read it again." }
    /// More bytes than are taken.
    TooLarge { "413": "The body is too large." }
    /// What a signed link can answer.
    NoLink {
        "403": "The link is not valid.",
        "404": "The object is no longer there.",
        "410": "The link has expired; ask for the thing again to get a fresh one.",
        "416": "The range lies outside of the object.",
        "503": "The object store is away; the same request may succeed later.",
    }
}
