//! The directory: whose data there is, who may touch it, and which devices belong to whom.
//!
//! - [`tenants`]: organisations, and all that a new one gets;
//! - [`accounts`]: users, signing in and out, who is calling;
//! - [`keys`]: API keys of programs;
//! - [`terminal_tokens`], [`terminal_bindings`]: how a terminal's connection finds its tenant;
//! - [`devices`]: the terminals that a tenant has claimed, with their presence;
//! - [`persons`], [`photos`], [`groups`], [`departments`], [`visits`]: who there is;
//! - [`schedules`], [`doors`], [`authorities`]: who may pass where and when, and why;
//! - [`jobs`], [`erasures`]: many persons in and out at once, and one person out of everywhere;
//! - [`access_changes`]: what of all this terminals must learn;
//! - [`audit`]: the trail of all changes, those of other services included.
//!
//! Deliberately absent: what terminals hold (gatehouse-sync), the sockets of terminals
//! (gatehouse-hub), and verifying credentials (gatehouse-platform, for every service).

mod access_changes;
mod accounts;
mod audit;
mod authorities;
mod departments;
mod devices;
mod directory;
mod doors;
mod erasures;
mod groups;
mod jobs;
mod keys;
mod named;
mod persons;
mod photos;
mod reading;
mod schedules;
mod schemas;
mod settings;
pub mod tenants;
mod terminal_bindings;
mod terminal_tokens;
mod visits;

pub use directory::Directory;
pub use settings::DirectorySettings;
