//! The directory: whose data there is, who may touch it, and which devices belong to whom.
//!
//! - [`tenants`]: organisations, and all that a new one gets;
//! - [`accounts`]: users, signing in and out, who is calling;
//! - [`keys`]: API keys of programs;
//! - [`terminal_tokens`], [`terminal_bindings`]: how a terminal's connection finds its tenant;
//! - [`devices`]: the terminals that a tenant has claimed, with their presence;
//! - [`audit`]: the trail of all changes, those of other services included.
//!
//! Deliberately absent: persons, photos and authorities (they come with their own features), the
//! sockets of terminals (gatehouse-hub), and verifying credentials (gatehouse-platform, for every
//! service).

mod accounts;
mod audit;
mod devices;
mod directory;
mod keys;
mod reading;
mod schemas;
pub mod tenants;
mod terminal_bindings;
mod terminal_tokens;

pub use directory::Directory;
