//! What every route shares: problems, pages, ETags, idempotency, the request's own identity.

pub mod etag;
pub mod idempotency;
pub mod page;
pub mod problem;
pub mod refusals;
pub mod request;
pub mod server;

pub use etag::{IfMatch, etag};
pub use idempotency::{Begun, IdempotencyKey};
pub use page::{Page, PageQuery, within_calendar};
pub use problem::{Answer, Problem, ProblemBody, ProblemCode};
pub use request::{RequestId, client_address};
pub use server::{HttpSettings, configure_extractors, observe};
