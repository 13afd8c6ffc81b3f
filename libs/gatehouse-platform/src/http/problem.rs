//! Errors of the API: RFC 9457 problems with a code from one closed table.

use crate::db::DbError;
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use gatehouse_domain::vocabulary;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a handler returns.
pub type Answer<T> = Result<T, Problem>;

vocabulary! {
    /// Every way in which a request can be refused. Programs decide by it; it only grows.
    pub enum ProblemCode: "problem code" {
        /// The body is not JSON, or not of the documented shape.
        MalformedRequest = "malformed_request",
        /// A field has a value that cannot be taken.
        InvalidField = "invalid_field",
        /// No credential, or one that is not (or no longer) valid.
        Unauthenticated = "unauthenticated",
        /// The credential is valid and lacks the permission.
        Forbidden = "forbidden",
        /// No such thing within the caller's tenant.
        NotFound = "not_found",
        /// No such path, or not with this method.
        NoSuchOperation = "no_such_operation",
        /// A thing with this key exists.
        AlreadyExists = "already_exists",
        /// The thing is in a state that does not admit this.
        Conflict = "conflict",
        /// The department has persons or departments below it.
        DepartmentNotEmpty = "department_not_empty",
        /// Authorities use the schedule.
        ScheduleInUse = "schedule_in_use",
        /// If-Match names another version than the current one.
        PreconditionFailed = "precondition_failed",
        /// The Idempotency-Key was used with another request.
        IdempotencyMismatch = "idempotency_mismatch",
        /// The body is larger than allowed.
        TooLarge = "too_large",
        /// Too many requests; see Retry-After.
        RateLimited = "rate_limited",
        /// The e-mail address belongs to users of several tenants: name one.
        TenantRequired = "tenant_required",
        /// The link is not valid.
        InvalidLink = "invalid_link",
        /// The link was valid once.
        ExpiredLink = "expired_link",
        /// The photo does not meet the tenant's criteria, or is no picture; `photo_faults` says why.
        PhotoRejected = "photo_rejected",
        /// The models that find faces are not where the settings say; photos cannot be checked.
        FaceModelsMissing = "face_models_missing",
        /// A store is away; the same request may succeed later.
        Unavailable = "unavailable",
        /// A fault of ours, logged under the request id.
        Internal = "internal",
    }
}

impl ProblemCode {
    /// The HTTP status that goes with the code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MalformedRequest => StatusCode::BAD_REQUEST,
            Self::InvalidField
            | Self::IdempotencyMismatch
            | Self::TenantRequired
            | Self::PhotoRejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::InvalidLink => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoSuchOperation => StatusCode::NOT_FOUND,
            Self::AlreadyExists
            | Self::Conflict
            | Self::DepartmentNotEmpty
            | Self::ScheduleInUse => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::ExpiredLink => StatusCode::GONE,
            Self::Unavailable | Self::FaceModelsMissing => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A short sentence that is the same for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedRequest => "The request cannot be read",
            Self::InvalidField => "A field has a value that cannot be taken",
            Self::Unauthenticated => "A valid credential is needed",
            Self::Forbidden => "The credential does not permit this",
            Self::NotFound => "There is no such thing",
            Self::NoSuchOperation => "There is no such operation",
            Self::AlreadyExists => "It exists already",
            Self::Conflict => "The present state does not admit this",
            Self::DepartmentNotEmpty => "The department is not empty",
            Self::ScheduleInUse => "The schedule is in use",
            Self::PreconditionFailed => "It was changed in the meantime",
            Self::IdempotencyMismatch => "The Idempotency-Key was used for another request",
            Self::TooLarge => "The request is too large",
            Self::RateLimited => "Too many requests",
            Self::TenantRequired => "The tenant must be named",
            Self::InvalidLink => "The link is not valid",
            Self::ExpiredLink => "The link has expired",
            Self::PhotoRejected => "The photo cannot be taken",
            Self::FaceModelsMissing => "The face models are missing",
            Self::Unavailable => "Temporarily unavailable",
            Self::Internal => "An internal error",
        }
    }
}

/// One field's fault, where a request has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// Where in the request, as a JSON pointer.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub detail: String,
}

/// A refusal, before it is written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Problem {
    code: ProblemCode,
    detail: String,
    pointer: Option<String>,
    faults: Vec<FieldFault>,
    retry_after_s: Option<u64>,
    more: Option<Box<More>>,
}

/// What few problems say, kept apart so that all others stay small.
#[derive(Debug, Clone, Default)]
struct More {
    vendor_codes: BTreeMap<&'static str, i64>,
    members: Map<String, Value>,
}

/// A problem as it is sent, `application/problem+json`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemBody {
    /// A URI that names the kind of problem: `urn:gatehouse:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code from the closed table.
    pub code: String,
    /// A short sentence, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here, and what to do.
    pub detail: String,
    /// Where in the request, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Each field's fault, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FieldFault>,
    /// The codes by which other vendors' systems know this fault, by the vendor.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vendor_codes: BTreeMap<&'static str, i64>,
    /// Under this id the request stands in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What else the kind of problem says, for example `photo_faults`.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem with a sentence of its own.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            pointer: None,
            faults: Vec::new(),
            retry_after_s: None,
            more: None,
        }
    }

    /// There is no such thing within the caller's tenant; another tenant's id says the same.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemCode::NotFound, format!("There is no such {what}."))
    }

    /// A field cannot be taken; `detail` continues the sentence "The field ...".
    #[must_use]
    pub fn invalid(pointer: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(ProblemCode::InvalidField, format!("{pointer} {detail}.")).with_pointer(pointer)
    }

    /// Several fields cannot be taken. The first one's pointer stands at the top.
    #[must_use]
    pub fn invalid_fields(faults: Vec<FieldFault>) -> Self {
        let first = faults.first().cloned();
        let detail = faults
            .iter()
            .map(|f| format!("{} {}", f.pointer, f.detail))
            .collect::<Vec<_>>()
            .join("; ");
        let mut problem = Self::new(ProblemCode::InvalidField, format!("{detail}."));
        problem.pointer = first.map(|f| f.pointer);
        problem.faults = faults;
        problem
    }

    /// The caller's credential lacks a permission.
    #[must_use]
    pub fn forbidden(needed: &str) -> Self {
        Self::new(
            ProblemCode::Forbidden,
            format!("This needs the permission \"{needed}\"."),
        )
    }

    /// Names the field.
    #[must_use]
    pub fn with_pointer(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    /// Says more, under a name of its own (RFC 9457, 3.2).
    #[must_use]
    pub fn with_member(mut self, name: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        let more = self.more.get_or_insert_default();
        more.members.insert(name.to_owned(), value);
        self
    }

    /// What was said under a name of its own.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.more.as_ref()?.members.get(name)
    }

    /// Says when to come again, in seconds.
    #[must_use]
    pub const fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Names the code by which a vendor's system knows this fault, for programs that were written
    /// against it.
    #[must_use]
    pub fn with_vendor_code(mut self, vendor: &'static str, code: i64) -> Self {
        let more = self.more.get_or_insert_default();
        more.vendor_codes.insert(vendor, code);
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// Where in the request, where one field is at fault.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The response, with the id of its request.
    #[must_use]
    pub fn respond(&self, request_id: Option<&str>) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        response.content_type("application/problem+json");
        if let Some(seconds) = self.retry_after_s {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if self.code == ProblemCode::Unauthenticated {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        let More {
            vendor_codes,
            members,
        } = self.more.as_deref().cloned().unwrap_or_default();
        let body = ProblemBody {
            kind: format!("urn:gatehouse:problem:{}", self.code),
            code: self.code.to_string(),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            pointer: self.pointer.clone(),
            faults: self.faults.clone(),
            vendor_codes,
            request_id: request_id.map(str::to_owned),
            members,
        };
        response.body(serde_json::to_string(&body).unwrap_or_default())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }
    fn error_response(&self) -> HttpResponse {
        self.respond(None)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database is away");
                Self::new(
                    ProblemCode::Unavailable,
                    "The database is not available at the moment; try again shortly.",
                )
                .with_retry_after(2)
            }
            DbError::Duplicate { constraint } => Self::new(
                ProblemCode::AlreadyExists,
                format!("It exists already ({constraint})."),
            ),
            DbError::Dangling { constraint } => Self::new(
                ProblemCode::Conflict,
                format!(
                    "It refers to something that does not exist, or something refers to it ({constraint})."
                ),
            ),
            DbError::Refused(cause) => {
                tracing::error!(%cause, "the database refused a statement");
                Self::new(
                    ProblemCode::Internal,
                    "An internal error; it is logged under this request's id.",
                )
            }
        }
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Self {
        DbError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status() {
        for code in ProblemCode::ALL {
            let status = code.status();
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{code}"
            );
        }
    }
}
