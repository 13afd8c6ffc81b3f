//! `gatehouse migrate`.

use anyhow::Context;
use gatehouse_schema::Migrator;
use sea_orm::{ConnectOptions, Database};
use sea_orm_migration::MigratorTrait;
use std::time::Duration;

/// Settings of the migration.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct MigrateSettings {
    /// Address of the database with a login that owns it and may create roles.
    #[arg(
        long = "database-owner-url",
        env = "GATEHOUSE_DATABASE_OWNER_URL",
        hide_env_values = true
    )]
    owner_url: String,
    /// The services' login role, which is admitted to the services' roles. Where not set: the user
    /// in GATEHOUSE_DATABASE_URL. Where that is not set either, nobody is admitted.
    #[arg(long = "database-app-role", env = "GATEHOUSE_DATABASE_APP_ROLE")]
    app_role: Option<String>,
    /// Wait this many seconds for the database to come up.
    #[arg(long, default_value_t = 60)]
    wait_seconds: u64,
}

/// Runs what is pending, one process at a time.
pub(crate) async fn run(settings: MigrateSettings) -> anyhow::Result<()> {
    let mut options = ConnectOptions::new(settings.owner_url.clone());
    options
        .max_connections(2)
        .sqlx_logging(false)
        .connect_timeout(Duration::from_secs(5));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(settings.wait_seconds);
    let db = loop {
        match Database::connect(options.clone()).await {
            Ok(db) => break db,
            Err(error) if tokio::time::Instant::now() >= deadline => {
                return Err(error)
                    .context("the database in GATEHOUSE_DATABASE_OWNER_URL cannot be reached");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    };
    gatehouse_schema::migrate_alone(&db)
        .await
        .context("a migration failed; nothing of it was kept")?;
    if let Some(role) = settings.app_role.or_else(app_role_of_the_services) {
        gatehouse_schema::admit_login_role(&db, &role)
            .await
            .with_context(|| {
                format!("the role \"{role}\" could not be admitted to the services' roles")
            })?;
    }
    let applied = Migrator::get_applied_migrations(&db).await?.len();
    crate::cli::say(&format!(
        "The database is up to date: {applied} migrations applied."
    ));
    Ok(())
}

/// The user in the address that the services use.
fn app_role_of_the_services() -> Option<String> {
    let url = std::env::var("GATEHOUSE_DATABASE_URL").ok()?;
    let authority = url.split_once("://")?.1;
    let user = authority.split_once('@')?.0.split(':').next()?;
    Some(user.to_owned()).filter(|u| !u.is_empty())
}
