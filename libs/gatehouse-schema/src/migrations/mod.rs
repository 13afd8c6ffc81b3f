//! The migrations, in order. Each is a file of SQL: policies, grants and partial indexes are said
//! best in the database's own language. They only grow: expand, move, contract.

use sea_orm::{DatabaseConnection, TransactionTrait};
use sea_orm_migration::prelude::*;

/// Runs the migrations, as the owner of the database.
pub struct Migrator;

struct SqlFile {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for SqlFile {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlFile {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(self.sql)
            .await?;
        Ok(())
    }
}

macro_rules! sql_files {
    ($($name:literal),+ $(,)?) => {
        [$(SqlFile { name: $name, sql: include_str!(concat!($name, ".sql")) },)+]
    };
}

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let files = sql_files![
            "m0001_foundation",
            "m0002_directory",
            "m0003_hub",
            "m0004_attendance",
            "m0005_sync",
            "m0006_people",
            "m0007_access",
            "m0008_distribution",
            "m0009_alarms",
            "m0010_outbox_text",
            "m0011_push",
        ];
        files
            .into_iter()
            .map(|file| -> Box<dyn MigrationTrait> { Box::new(file) })
            .collect()
    }
}

/// Runs what is pending while no other process does: replicas that start together may all call it.
///
/// # Errors
/// The database's; the migrations of this call are then undone.
pub async fn migrate_alone(db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = db.begin().await?;
    lock.execute_unprepared("select pg_advisory_xact_lock(hashtext('gatehouse migrations'))")
        .await?;
    Migrator::up(db, None).await?;
    lock.commit().await
}

/// Lets the services' login role take the roles of the services. The role is the login in
/// `GATEHOUSE_DATABASE_URL`; a deployment with a login per service grants by hand instead.
///
/// # Errors
/// The database's, for instance where the role does not exist.
pub async fn admit_login_role(db: &impl ConnectionTrait, login: &str) -> Result<(), DbErr> {
    let quoted = login.replace('"', "\"\"");
    db.execute_unprepared(&format!(
        "grant gatehouse_directory, gatehouse_hub, gatehouse_attendance, gatehouse_sync, gatehouse_directory_system, \
         gatehouse_hub_system, gatehouse_attendance_system, gatehouse_sync_system, gatehouse_auth to \"{quoted}\""
    ))
    .await?;
    Ok(())
}
