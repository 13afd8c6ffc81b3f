//! The server under test: the real binary, all roles in one process, with limits out of the way.

use crate::machine;
use anyhow::Context;
use kit::{Environment, Gatehouse};
use std::time::Duration;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    process: Gatehouse,
    http: reqwest::Client,
}

impl Server {
    /// Migrates, starts `gatehouse all`, and waits until it is ready.
    pub(crate) async fn start() -> Self {
        kit::world::migrate();
        let limits = [
            ("GATEHOUSE_RATE_LIMIT_PER_KEY", "100000000"),
            ("GATEHOUSE_RATE_LIMIT_PER_TENANT", "100000000"),
        ];
        Self {
            process: Gatehouse::start("all", &limits).await,
            http: reqwest::Client::new(),
        }
    }

    /// `http://HOST`.
    pub(crate) fn base_url(&self) -> &str {
        &self.process.base_url
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// CPU used so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        machine::cpu(self.pid())
    }

    /// Sum and count of a histogram in `/metrics`; zeros where there is none.
    pub(crate) async fn histogram(&self, name: &str) -> anyhow::Result<(f64, f64)> {
        let text = self
            .http
            .get(format!("{}/metrics", self.base_url()))
            .send()
            .await?
            .text()
            .await?;
        let of = |end: &str| {
            let wanted = format!("{name}_{end}");
            let line = text
                .lines()
                .find(|line| line.split([' ', '{']).next() == Some(wanted.as_str()));
            line.and_then(|line| line.rsplit(' ').next())
                .and_then(|number| number.parse().ok())
                .unwrap_or(0.0)
        };
        Ok((of("sum"), of("count")))
    }
}

/// Refuses to compare with a database that may forget what it acknowledged.
pub(crate) async fn need_durable_database(pool: &sqlx::PgPool) -> anyhow::Result<()> {
    let (fsync, commit): (String, String) =
        sqlx::query_as("select current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(pool)
            .await
            .context("the database does not say how durable it is")?;
    anyhow::ensure!(
        fsync == "on" && commit == "on",
        "fsync is {fsync}, synchronous_commit is {commit}; both must be on"
    );
    Ok(())
}

/// Settings of the object store, as the server has them.
pub(crate) fn object_settings() -> gatehouse_platform::objects::ObjectSettings {
    let environment = Environment::get();
    let var = |name: &str| environment.var(name).to_owned();
    gatehouse_platform::objects::ObjectSettings {
        endpoint: var("GATEHOUSE_S3_ENDPOINT"),
        region: environment
            .all()
            .get("GATEHOUSE_S3_REGION")
            .cloned()
            .unwrap_or_else(|| "us-east-1".to_owned()),
        access_key: var("GATEHOUSE_S3_ACCESS_KEY"),
        secret_key: var("GATEHOUSE_S3_SECRET_KEY"),
        bucket: environment
            .all()
            .get("GATEHOUSE_S3_BUCKET")
            .cloned()
            .unwrap_or_else(|| "gatehouse".to_owned()),
    }
}
