//! The binary: every role, the migrations, tenants from the command line, simulated terminals, and
//! the S3 server for one machine. Wiring only: what a command does stands in the library it calls.

mod cli;
mod migrate;
mod objectstore;
mod openapi;
mod roles;
mod simulate;
mod tenant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let command = cli::parse();
    // One TLS implementation for all clients of this process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(command) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&error);
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(command: cli::Command) -> anyhow::Result<()> {
    match command {
        cli::Command::All(settings) => roles::run_all(*settings),
        cli::Command::Hub(settings) => roles::run_service::<gatehouse_hub::Hub>(*settings),
        cli::Command::Directory(settings) => {
            roles::run_service::<gatehouse_directory::Directory>(*settings)
        }
        cli::Command::Attendance(settings) => roles::run_attendance(*settings),
        cli::Command::Sync(settings) => roles::run_service::<gatehouse_sync::Sync>(*settings),
        cli::Command::Migrate(settings) => cli::block_on(migrate::run(settings)),
        cli::Command::Openapi => openapi::print(),
        cli::Command::Tenant(command) => cli::block_on(tenant::run(*command)),
        cli::Command::Simulate(command) => cli::block_on(simulate::run(command)),
        cli::Command::Objectstore(settings) => cli::block_on(objectstore::run(settings)),
    }
}
