//! `gatehouse simulate terminal` and `gatehouse simulate device`.

use std::time::Duration;

/// What is simulated.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SimulateCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Face terminals that connect over WebSocket, with people passing.
    Terminal(TerminalSettings),
    /// Push devices that call over plain HTTP, hold whom their feed lists, and ask about their door.
    Device(DeviceSettings),
}

#[derive(Debug, Clone, clap::Args)]
struct DeviceSettings {
    /// The tenant's push URL, for example http://127.0.0.1:8080/push/<terminal token>.
    #[arg(long)]
    url: String,
    /// Serial number of the first device; further ones count up.
    #[arg(long)]
    sn: String,
    /// How many devices.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Seconds between two heartbeats of a device.
    #[arg(long, default_value_t = 30)]
    heartbeat_seconds: u64,
    /// Seconds between two looks of a device into its feed.
    #[arg(long, default_value_t = 10)]
    poll_seconds: u64,
    /// How many people stand before each device in a minute, on average.
    #[arg(long, default_value_t = 6.0)]
    passes_per_minute: f64,
    /// Size of the photo in each pass, in KB; 0 sends none.
    #[arg(long, default_value_t = 30)]
    photo_kb: usize,
    /// Seed of the people's comings and goings.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Say how it stands every so many seconds.
    #[arg(long, default_value_t = 10)]
    report_seconds: u64,
    /// End by itself after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Say nothing while running.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct TerminalSettings {
    /// The tenant's terminal URL, for example ws://127.0.0.1:8080/terminal/<token>.
    #[arg(long)]
    url: String,
    /// Serial number of the first terminal; further ones count up.
    #[arg(long)]
    sn: String,
    /// How many terminals.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// How many people pass each terminal in a minute, on average.
    #[arg(long, default_value_t = 6.0)]
    passes_per_minute: f64,
    /// Size of the photo in each record, in KB; 0 sends none.
    #[arg(long, default_value_t = 30)]
    photo_kb: usize,
    /// Of a hundred people, how many are strangers.
    #[arg(long, default_value_t = 10)]
    stranger_percent: u8,
    /// How many terminals connect in a second.
    #[arg(long, default_value_t = 50.0)]
    connect_per_second: f64,
    /// Seed of the people's comings and goings.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Zone of the terminals' clocks, in minutes east of UTC.
    #[arg(long, default_value_t = 480, allow_negative_numbers = true)]
    utc_offset_minutes: i32,
    /// Seconds between two keep-alives of a terminal.
    #[arg(long, default_value_t = 30)]
    keep_alive_seconds: u64,
    /// Say how it stands every so many seconds.
    #[arg(long, default_value_t = 10)]
    report_seconds: u64,
    /// End by itself after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Say nothing while running.
    #[arg(long)]
    quiet: bool,
}

/// Runs until asked to stop, or for the time given.
pub(crate) async fn run(command: SimulateCommand) -> anyhow::Result<()> {
    match command.what {
        What::Terminal(settings) => terminals(settings).await,
        What::Device(settings) => devices(settings).await,
    }
}

async fn devices(settings: DeviceSettings) -> anyhow::Result<()> {
    let plan = gatehouse_simulator::device::DevicePlan {
        url: settings.url,
        sn: settings.sn,
        count: settings.count,
        heartbeat_every: Duration::from_secs(settings.heartbeat_seconds.max(1)),
        poll_every: Duration::from_secs(settings.poll_seconds.max(1)),
        passes_per_minute: settings.passes_per_minute,
        photo_kb: settings.photo_kb,
        seed: settings.seed,
        run_for: settings.seconds.map(Duration::from_secs),
        report_every: Duration::from_secs(settings.report_seconds.max(1)),
    };
    let quiet = settings.quiet;
    let progress = move |summary| {
        if !quiet {
            crate::cli::say(&told_of_devices(&summary));
        }
    };
    let stop = crate::cli::asked_to_stop();
    let last = gatehouse_simulator::device::run_devices(plan, progress, stop).await?;
    crate::cli::say(&told_of_devices(&last));
    Ok(())
}

/// How a simulation of push devices stands, in a line.
fn told_of_devices(summary: &gatehouse_simulator::device::DeviceSummary) -> String {
    let mut line = format!(
        "{:>5} s  {} heartbeats, {} changes, {} people held, {} people passed, {} doors opened",
        summary.elapsed.as_secs(),
        summary.heartbeats,
        summary.changes,
        summary.held,
        summary.passes,
        summary.doors_opened,
    );
    if summary.faults > 0 {
        line.push_str(&format!(
            ", {} calls failed; last: {}",
            summary.faults, summary.last_fault
        ));
    }
    line
}

async fn terminals(settings: TerminalSettings) -> anyhow::Result<()> {
    let plan = gatehouse_simulator::Plan {
        url: settings.url,
        sn: settings.sn,
        count: settings.count,
        passes_per_minute: settings.passes_per_minute,
        photo_kb: settings.photo_kb,
        stranger_percent: settings.stranger_percent,
        seed: settings.seed,
        connect_per_second: settings.connect_per_second,
        run_for: settings.seconds.map(Duration::from_secs),
        utc_offset_minutes: settings.utc_offset_minutes,
        keep_alive_every: Duration::from_secs(settings.keep_alive_seconds.max(1)),
        report_every: Duration::from_secs(settings.report_seconds.max(1)),
    };
    let quiet = settings.quiet;
    let progress = move |summary: gatehouse_simulator::Summary| {
        if !quiet {
            crate::cli::say(&told(&summary));
        }
    };
    let last = gatehouse_simulator::run(plan, progress, crate::cli::asked_to_stop()).await;
    crate::cli::say(&told(&last));
    Ok(())
}

/// How the simulation stands, in a line.
fn told(summary: &gatehouse_simulator::Summary) -> String {
    let mut line = format!(
        "{:>5} s  {} of {} terminals registered, {} people passed, {} records acknowledged (half within {:.1} ms, 99 % \
         within {:.1} ms), {} doors opened, {} of them from afar",
        summary.elapsed.as_secs(),
        summary.registered,
        summary.started,
        summary.passes_sent,
        summary.acknowledged,
        summary.ack_p50_ms,
        summary.ack_p99_ms,
        summary.doors_opened,
        summary.doors_opened_by_cloud,
    );
    for (count, what) in [
        (summary.refused, "registrations refused"),
        (summary.rejected, "records refused"),
        (summary.resent, "records sent again"),
        (summary.connection_faults, "connections lost"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    if !summary.last_fault.is_empty() {
        line.push_str(&format!("; last fault: {}", summary.last_fault));
    }
    line
}
