//! Who is calling, and what may they do: API keys and users' access tokens become a
//! [`Caller`] with a tenant scope; the operator's key becomes an [`OperatorCaller`].
//!
//! Verified credentials are remembered for five seconds, so that a busy key costs no query per
//! request and a revoked one ends within that time.
//!
//! Deliberately absent: signing in (the directory), and the signatures of vendor facades.

pub mod allowance;
pub mod api_key;
mod caller;
pub mod jwt;
pub mod power;
mod verify;

pub use allowance::SpentAllowance;
pub use caller::{Caller, OperatorCaller};
pub use verify::{AuthSettings, Authenticator, Identity};
