//! Logs and metrics of a process.
//!
//! Logs carry ids and never bodies, tokens, names or addresses with passwords. lapin is silenced: it
//! prints returned messages whole, and every lost connection several times; the bus reports both once.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::time::Duration;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

const DEFAULT_FILTER: &str = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=info,lapin=off,\
                              aws=warn,aws_smithy_runtime=warn,aws_smithy_http_client=warn,\
                              hyper=warn,h2=warn,rustls=warn,redis=warn,actix_server=warn";

/// Seconds. From a cache hit to a client that gave up.
const DURATION_BUCKETS: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Items per batch, attempts, and other counts.
const COUNT_BUCKETS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0,
];

/// How often histograms are drained where nobody scrapes; they would grow otherwise.
const UPKEEP: Duration = Duration::from_secs(5);

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people, on stderr.
    Text,
    /// An object per line for collectors, on stdout.
    Json,
}

/// Settings of logs.
#[derive(Debug, Clone, clap::Args)]
pub struct TelemetrySettings {
    /// What is logged, in the syntax of `tracing`: levels and targets, as in "info,gatehouse_hub=debug".
    #[arg(long = "log", env = "GATEHOUSE_LOG", default_value = DEFAULT_FILTER)]
    pub log: String,
    /// How it is written.
    #[arg(
        long = "log-format",
        env = "GATEHOUSE_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// Why telemetry could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("GATEHOUSE_LOG cannot be read as a filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Logs were begun already.
    #[error("logging was started twice in this process: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// Metrics were begun already.
    #[error("metrics cannot be recorded: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The thread that drains histograms could not begin.
    #[error("a thread for metrics could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All metrics in Prometheus' text format, for `GET /metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

/// Begins logging. Once per process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start_logs(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&settings.log)?;
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init()?,
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stdout))
            .try_init()?,
    }
    Ok(())
}

/// Begins recording metrics. Once per process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start_metrics() -> Result<Metrics, TelemetryError> {
    let handle = builder()?.install_recorder()?;
    let drained = handle.clone();
    std::thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(move || {
            loop {
                std::thread::park_timeout(UPKEEP);
                drained.run_upkeep();
            }
        })?;
    Ok(Metrics { handle })
}

fn builder() -> Result<PrometheusBuilder, metrics_exporter_prometheus::BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)?
        .set_buckets(COUNT_BUCKETS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_can_be_read() {
        EnvFilter::try_new(DEFAULT_FILTER).unwrap();
    }

    #[test]
    fn durations_and_counts_have_buckets_of_their_own() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("gatehouse_x_seconds").record(0.02);
            metrics::histogram!("gatehouse_x_items").record(150.0);
        });
        let text = handle.render();
        assert!(
            text.contains("gatehouse_x_seconds_bucket{le=\"0.025\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("gatehouse_x_items_bucket{le=\"200\"} 1"),
            "{text}"
        );
    }
}
