//! The database: migrations (tables, grants, row-level security) and the entities over them.
//!
//! Deliberately absent: queries and transactions. Rows are reached only inside a `TenantTx` or a
//! `SystemTx` of gatehouse-platform.

#[allow(missing_docs, reason = "columns are described in the migrations")]
pub mod entities;
pub mod migrations;

pub use migrations::{Migrator, admit_login_role, migrate_alone};
