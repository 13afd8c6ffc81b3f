//! Records: what terminals saw.
//!
//! - [`upload`] is the story of one, from its arrival to its acknowledgement;
//! - [`clock`] judges when it was, [`door`] what happens at the door by the [`facts`], [`photos`] keeps pictures,
//!   [`recent`] recognises repeats, `id_document` seals what an identity document said;
//! - [`ingest`] stores what arrives together by one transaction, `store` holds the SQL;
//! - `erase` takes an erased person out of them;
//! - `api` lets people and programs read them.
//!
//! Deliberately absent: what is made of records (attendance), and who is told of them (sync).

mod api;
pub(crate) mod clock;
pub(crate) mod door;
mod erase;
pub(crate) mod facts;
pub(crate) mod id_document;
pub(crate) mod ingest;
pub(crate) mod photos;
mod read;
pub(crate) mod recent;
pub(crate) mod row;
mod store;
pub(crate) mod upload;

pub(crate) use api::routes;
pub(crate) use erase::consumer as erasure_consumer;
