//! The benchmark that `make bench` runs: the figures, each beside the bound that the barest program
//! doing the same work reaches in the same run on the same machine.
//!
//! The terminals and API clients live in this process, the server is the real binary in its own, the
//! bare echo server is a second process of this program. Where a round is short, rounds of ours and
//! of the bound alternate and the median counts.
//!
//! Deliberately absent: judging times. The table says "met" or "missed"; the exit status tells only
//! whether something failed or was lost.

mod crowd;
mod distribution;
mod door;
mod echo;
mod figure;
mod floor;
mod machine;
mod memory;
mod pace;
mod people;
mod photo_check;
mod photos;
mod planning;
mod records;
mod rounds;
mod search;
mod server;
mod teacher;

use clap::{Parser, Subcommand, ValueEnum};
use figure::{Figure, Outcome};
use futures_util::FutureExt;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;

/// The server's allocator as well, so that memory is compared like with like.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the figures and prints them beside their bounds.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Helper>,
    /// Measures this figure only; may be repeated.
    #[arg(long, value_enum)]
    only: Vec<Which>,
    /// Seconds of measuring on each side of a figure, all rounds together [default: records and photos 10, door 20].
    #[arg(long)]
    seconds: Option<f64>,
    /// Terminals [default: memory 5000, records, photos and distribution 200, door 1000].
    #[arg(long)]
    terminals: Option<usize>,
    /// Persons [default: planning 10000, distribution 50, search 1000000].
    #[arg(long)]
    persons: Option<usize>,
    /// Seconds between the heartbeats of a terminal.
    #[arg(long, default_value_t = 30)]
    heartbeat_s: u64,
    /// Where the figures are written, a line of JSON each [default: bench.json in the target folder].
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum Helper {
    /// Bare actix-ws echo sessions; the benchmark starts this itself.
    EchoServer {
        /// Address to listen on.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// A server that tells persons to terminals and does nothing else; the benchmark starts this itself.
    BareTeacher {
        /// Address to listen on.
        #[arg(long)]
        listen: SocketAddr,
        /// Persons for each terminal.
        #[arg(long)]
        persons: usize,
        /// Size of each photo.
        #[arg(long)]
        photo_bytes: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Memory,
    Records,
    Photos,
    Door,
    Planning,
    Distribution,
    PhotoCheck,
    Search,
}

impl Which {
    /// In the order in which they are measured: latency before anything has filled the disk's queue.
    const ALL: [Self; 8] = [
        Self::Memory,
        Self::Door,
        Self::Records,
        Self::Photos,
        Self::PhotoCheck,
        Self::Distribution,
        Self::Planning,
        Self::Search,
    ];

    async fn measure(self, options: Options) -> anyhow::Result<Figure> {
        let seconds = |usual| options.seconds.unwrap_or(usual);
        let terminals = |usual| options.terminals.unwrap_or(usual);
        match self {
            Self::Memory => memory::measure(terminals(5_000), options.heartbeat_s).await,
            Self::Records => records::measure(terminals(200), seconds(10.0)).await,
            Self::Photos => photos::measure(terminals(200), seconds(10.0)).await,
            Self::Door => door::measure(terminals(1_000), seconds(20.0), options.heartbeat_s).await,
            Self::Planning => planning::measure(options.persons.unwrap_or(10_000)).await,
            Self::Distribution => {
                distribution::measure(terminals(200), options.persons.unwrap_or(50)).await
            }
            Self::Search => search::measure(options.persons.unwrap_or(1_000_000)).await,
            Self::PhotoCheck => tokio::task::spawn_blocking(photo_check::measure).await?,
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(helper) = options.command {
        let served = match helper {
            Helper::EchoServer { listen } => echo::serve(listen),
            Helper::BareTeacher {
                listen,
                persons,
                photo_bytes,
            } => teacher::serve(listen, persons, photo_bytes),
        };
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("a bare server: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(run(options))
}

async fn run(options: Options) -> ExitCode {
    let machine = machine::Machine::look();
    println!("{machine}");
    let chosen = if options.only.is_empty() {
        Which::ALL.to_vec()
    } else {
        options.only.clone()
    };
    let mut outcomes = Vec::new();
    for which in chosen {
        // What came before must not be written out during this.
        let _ = std::process::Command::new("sync").status();
        // The kit panics where something is not as it must be; the other figures have their turn still.
        let measured = AssertUnwindSafe(which.measure(options.clone()))
            .catch_unwind()
            .await;
        outcomes.push(match measured {
            Ok(Ok(figure)) => Outcome::Measured(figure),
            Ok(Err(error)) => Outcome::Failed {
                which: format!("{which:?}"),
                why: format!("{error:#}"),
            },
            Err(_) => Outcome::Failed {
                which: format!("{which:?}"),
                why: "it panicked, see above".to_owned(),
            },
        });
    }
    println!("\n{machine}\n{}", figure::table(&outcomes));
    let json = options.json.unwrap_or_else(machine::json_path);
    if let Err(error) = figure::write_json(&json, &machine, &outcomes) {
        eprintln!("{} could not be written: {error}", json.display());
        return ExitCode::FAILURE;
    }
    println!("The same as JSON: {}", json.display());
    if outcomes.iter().all(Outcome::is_whole) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
