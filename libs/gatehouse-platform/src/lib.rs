//! The machine room: what every service needs and no business noun stands in.

pub mod db;
pub mod tenant;
