//! Persons: who there is, how they are found, what terminals are told about them.
//!
//! Reading the fields of a request ([`read`]) stands apart from writing a person ([`create`],
//! [`change`]), so that bringing many in from a file can say what is wrong with each row.
//!
//! Deliberately absent: pictures (`photos`), membership of groups after the first (`groups`), and
//! removing a person, which is an erasure (`erasures`).

mod api;
mod change;
mod create;
mod fields;
mod given;
mod request;
mod search;
mod store;
mod terminal_hash;
mod terms;
mod view;
mod walk;

pub(crate) use api::routes;
pub(crate) use {
    change::change,
    create::{NewPerson, create},
    fields::{normal_card, read},
    given::Given,
    request::PersonPatch,
};
pub(crate) use {
    store::{join_groups, read_to_change},
    terminal_hash::refresh as refresh_terminal_hash,
};
