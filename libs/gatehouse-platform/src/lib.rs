//! The machine room: what every service needs and no business noun stands in.

pub mod audit;
pub mod auth;
mod backoff;
pub mod bus;
pub mod cache;
pub mod db;
pub mod http;
mod ledgers;
pub mod objects;
pub mod outbox;
pub mod readiness;
pub mod secrets;
pub mod service;
pub mod supervise;
pub mod telemetry;
pub mod tenant;
