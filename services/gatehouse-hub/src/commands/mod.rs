//! Commands to terminals: asked for through the API, stored, handed to the session that holds the
//! socket, and ended by what the terminal proved.
//!
//! - [`issue`] is the story of a command from the request to the wake-up;
//! - [`dispatch`] is what a session asks for work, and tells about it while it goes on;
//! - [`finish`] is the one place where a command ends;
//! - [`wait`] lets a request stay until that happens;
//! - [`reconcile`] ends what nobody will end any more; [`forget`] forgets whom terminals told of;
//! - [`wanted`] takes in what other services ask for;
//! - [`request`] and [`view`] are what callers write and read; [`check`], [`person`], [`words`] and
//!   [`schemas`] are parts of it.
//!
//! Deliberately absent: sockets and frames (`sessions`), and what a terminal's parameters mean
//! (gatehouse-proto-terminal).

mod api;
pub(crate) mod check;
pub(crate) mod dispatch;
pub(crate) mod finish;
pub(crate) mod forget;
pub(crate) mod issue;
mod person;
pub(crate) mod reconcile;
pub(crate) mod request;
pub(crate) mod schemas;
pub(crate) mod store;
mod view;
pub(crate) mod wait;
pub(crate) mod wanted;
mod words;

pub(crate) use api::routes;
pub(crate) use view::unknown_word;
