//! The command line. `--help` is the reference of all settings; each has a `GATEHOUSE_...`
//! variable.

use crate::{migrate, objectstore, roles, simulate, tenant};
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "gatehouse",
    version,
    about = "One back end for face-recognition terminals of different makers."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What can be asked of the binary.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every role in one process, for one machine.
    All(Box<roles::AllSettings>),
    /// Terminals and what they send: sessions, records, commands, alarms, firmware.
    Hub(Box<roles::HubRole>),
    /// Tenants, accounts, keys, devices, people, who may pass where, the audit trail.
    Directory(Box<roles::DirectoryRole>),
    /// What records mean for attendance.
    Attendance(Box<roles::RoleSettings>),
    /// What terminals and other platforms should hold.
    Sync(Box<roles::SyncRole>),
    /// Bring the database to this version. Run it once before a new version starts.
    Migrate(migrate::MigrateSettings),
    /// Print the OpenAPI document of the whole API.
    Openapi,
    /// Create tenants from the command line.
    Tenant(Box<tenant::TenantCommand>),
    /// Terminals that behave like real ones, for trying things out.
    Simulate(simulate::SimulateCommand),
    /// An S3 server over a folder, for one machine.
    Objectstore(objectstore::ObjectstoreSettings),
}

/// Reads the command line; says what is wrong with it and ends, or goes on.
pub(crate) fn parse() -> Command {
    Arguments::parse().command
}

/// The whole command line as clap knows it, for tests that walk it.
#[cfg(test)]
pub(crate) fn definition() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs a command that needs no web server.
pub(crate) fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// Prints one line of a command's own output.
#[expect(
    clippy::print_stdout,
    reason = "the output of a command belongs on stdout"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Says on stderr why a command failed, with its causes.
#[expect(
    clippy::print_stderr,
    reason = "logging may not be set up when a command fails"
)]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("gatehouse: {error:#}");
}

/// Resolves when the process is asked to stop: Ctrl-C or SIGTERM.
pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::definition().debug_assert();
    }
}
