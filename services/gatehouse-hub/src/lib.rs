//! The hub: terminals and what they send.
//!
//! - [`sessions`]: the sockets of terminals, who is admitted, who is there;
//! - [`records`]: what terminals saw, from the upload to the API;
//! - [`commands`], [`parameters`], [`firmware`], [`media`]: what terminals are asked for, what they
//!   should be set to, what they install, and the files they and people fetch;
//! - [`deliveries`]: persons on their way to terminals;
//! - [`push`]: devices that call over HTTP;
//! - [`alarms`]: somebody who must not enter was recognised;
//! - [`discovered`]: terminals that knocked and belong to nobody yet;
//! - [`terminals`]: what is known of a terminal from its sessions.
//!
//! Deliberately absent: devices, tenants and accounts as such (gatehouse-directory), what the frames
//! of terminals mean (gatehouse-proto-terminal), and what is made of a record later.

mod alarms;
mod commands;
mod deliveries;
mod discovered;
mod firmware;
mod hub;
mod media;
mod parameters;
mod push;
mod records;
mod sessions;
mod settings;
mod terminals;

pub use hub::Hub;
pub use settings::{HubSettings, ListenAt};
