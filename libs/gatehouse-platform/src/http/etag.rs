//! Versions: `ETag: "7"` with every thing that can be updated, `If-Match` with an update.

use super::{Answer, Problem, ProblemCode};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The header for a row's version.
#[must_use]
pub fn etag(version: i64) -> (&'static str, String) {
    ("ETag", format!("\"{version}\""))
}

/// The version that the caller has seen, from `If-Match`. Without the header any version will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    /// Compares with the version in the database.
    ///
    /// # Errors
    /// 412 where it is another.
    pub fn check(self, current: i64) -> Answer<()> {
        match self.0 {
            Some(seen) if seen != current => Err(Problem::new(
                ProblemCode::PreconditionFailed,
                format!(
                    "It has version {current} and not {seen}: read it again, then repeat the change."
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("If-Match") else {
            return ready(Ok(Self(None)));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return ready(Ok(Self(None)));
        }
        let version = text.trim_start_matches("W/").trim_matches('"').parse().ok();
        ready(version.map(|v| Self(Some(v))).ok_or_else(|| {
            Problem::new(
                ProblemCode::MalformedRequest,
                "If-Match must hold one ETag as this API gave it, for example \"7\".",
            )
        }))
    }
}
