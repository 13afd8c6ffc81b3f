//! `gatehouse objectstore`.

use anyhow::Context;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Settings of the S3 server.
#[derive(Clone, clap::Args)]
pub(crate) struct ObjectstoreSettings {
    /// The folder that holds the objects.
    #[arg(long)]
    root: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The access key that clients sign with.
    #[arg(long, env = "GATEHOUSE_S3_ACCESS_KEY", hide_env_values = true)]
    access_key: String,
    /// The secret key that clients sign with.
    #[arg(long, env = "GATEHOUSE_S3_SECRET_KEY", hide_env_values = true)]
    secret_key: String,
    /// A bucket to create where missing.
    #[arg(long, env = "GATEHOUSE_S3_BUCKET", default_value = "gatehouse")]
    bucket: String,
}

impl std::fmt::Debug for ObjectstoreSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ObjectstoreSettings({} on {})",
            self.root.display(),
            self.listen
        )
    }
}

/// Serves until asked to stop.
pub(crate) async fn run(settings: ObjectstoreSettings) -> anyhow::Result<()> {
    let server = gatehouse_objectstore::Server::bind(gatehouse_objectstore::Settings {
        root: settings.root.clone(),
        listen: settings.listen,
        access_key: settings.access_key,
        secret_key: settings.secret_key,
        bucket: Some(settings.bucket),
    })
    .await
    .with_context(|| {
        format!(
            "the S3 server cannot start over {}",
            settings.root.display()
        )
    })?;
    crate::cli::say(&format!("S3 on http://{}", server.local_addr()));
    server.run(crate::cli::asked_to_stop()).await?;
    Ok(())
}
