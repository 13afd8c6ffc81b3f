//! sea-orm entities, a file per database schema. A service writes only the entities of its own
//! schema; the grants in the migrations say what else it may read.

pub mod attendance;
pub mod directory;
pub mod hub;
pub mod people;
