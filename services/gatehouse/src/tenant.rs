//! `gatehouse tenant create`.

use crate::roles::StoreSettings;
use anyhow::{anyhow, bail};
use gatehouse_directory::tenants::{NewTenant, create_tenant};
use gatehouse_platform::db;
use gatehouse_platform::http::HttpSettings;

/// What is done with tenants.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TenantCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Create a tenant with an owner, an API key, a terminal URL and the keys of the vendor facades.
    /// All secrets are shown once.
    Create(Box<CreateSettings>),
}

#[derive(Debug, Clone, clap::Args)]
struct CreateSettings {
    /// The organisation's name.
    #[arg(long)]
    name: String,
    /// Its time zone, as an IANA name, for example Asia/Shanghai.
    #[arg(long)]
    timezone: String,
    /// Print one line of JSON for scripts.
    #[arg(long)]
    json: bool,
    /// The e-mail address of its first owner; made up where not given.
    #[arg(long)]
    owner_email: Option<String>,
    /// Use this Hongtu cappkey instead of a fresh one.
    #[arg(long, requires = "hongtu_secret")]
    hongtu_key: Option<String>,
    /// Use this Hongtu secret instead of a fresh one.
    #[arg(long, requires = "hongtu_key")]
    hongtu_secret: Option<String>,
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    stores: StoreSettings,
}

/// Creates the tenant and prints what was made.
pub(crate) async fn run(command: TenantCommand) -> anyhow::Result<()> {
    let What::Create(settings) = command.what;
    let kit = settings.stores.kit(&settings.http, db::DIRECTORY)?;
    let new = NewTenant {
        name: settings.name.clone(),
        timezone: settings.timezone.clone(),
        owner_email: settings.owner_email.clone(),
        hongtu: settings
            .hongtu_key
            .clone()
            .zip(settings.hongtu_secret.clone()),
    };
    let created = create_tenant(&kit, new)
        .await
        .map_err(|problem| anyhow!("{}", problem.detail()))?;
    let value = serde_json::to_value(&created)?;
    if settings.json {
        crate::cli::say(&value.to_string());
        return Ok(());
    }
    let serde_json::Value::Object(parts) = value else {
        bail!("a created tenant is not an object")
    };
    for (name, part) in parts {
        match part {
            serde_json::Value::Object(inner) => {
                for (field, text) in inner {
                    crate::cli::say(&format!(
                        "{:<24} {}",
                        format!("{name}.{field}"),
                        plain(&text)
                    ));
                }
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)
            | serde_json::Value::Array(_) => {
                crate::cli::say(&format!("{name:<24} {}", plain(&part)))
            }
        }
    }
    Ok(())
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
