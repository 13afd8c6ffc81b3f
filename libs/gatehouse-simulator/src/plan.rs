//! Many terminals with people passing: what `gatehouse simulate terminal` runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cast::Cast;
use crate::profile::TerminalProfile;
use crate::random::SplitMix64;
use crate::stats::{Stats, Summary};
use crate::terminal::Terminal;

/// A terminal that has been away this long stops noting passes, so that memory stays bounded.
const MOST_UNACKNOWLEDGED: usize = 10_000;
/// How long the end of a run waits for acknowledgements that are on their way.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Full ws:// or wss:// URL with the token.
    pub url: String,
    /// Serial number of the first terminal; the others count up from it.
    pub sn: String,
    /// How many terminals.
    pub count: u64,
    /// People per minute at each terminal, at random times; 0 for none.
    pub passes_per_minute: f64,
    /// Size of a record's photo; 0 for none.
    pub photo_kb: usize,
    /// How many of a hundred people are strangers.
    pub stranger_percent: u8,
    /// Seed of everything random.
    pub seed: u64,
    /// How fast the terminals are started.
    pub connect_per_second: f64,
    /// When to end; `None` for at the shutdown.
    pub run_for: Option<Duration>,
    /// Zone of the terminals' clocks, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// Time between keep-alives.
    pub keep_alive_every: Duration,
    /// Time between progress reports.
    pub report_every: Duration,
}

impl Plan {
    /// One terminal at UTC+8 with six people a minute and photos of 30 KB.
    pub fn new(url: &str, sn: &str) -> Self {
        Self {
            url: url.to_owned(),
            sn: sn.to_owned(),
            count: 1,
            passes_per_minute: 6.0,
            photo_kb: 30,
            stranger_percent: 10,
            seed: 1,
            connect_per_second: 100.0,
            run_for: None,
            utc_offset_minutes: 480,
            keep_alive_every: Duration::from_secs(30),
            report_every: Duration::from_secs(5),
        }
    }
}

/// The serial number `steps` after `first`: its last digits count up and keep their width
/// ("G-099" is followed by "G-100", "99" by "100").
pub fn serial_number(first: &str, steps: u64) -> String {
    let digits = first
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .take(18)
        .count();
    let (prefix, suffix) = first.split_at(first.len() - digits);
    if digits == 0 {
        return if steps == 0 {
            first.to_owned()
        } else {
            format!("{first}{steps}")
        };
    }
    let number = suffix.parse::<u64>().unwrap_or(0).saturating_add(steps);
    format!("{prefix}{number:0digits$}")
}

/// Runs the plan until its time is over or `shutdown` completes, and tells how it stands every
/// few seconds; the last summary is returned. Terminals reconnect by themselves.
pub async fn run(
    plan: Plan,
    mut progress: impl FnMut(Summary) + Send,
    shutdown: impl Future<Output = ()> + Send,
) -> Summary {
    let begun_at = Instant::now();
    let mut crowd = Crowd::new(plan);
    let never = begun_at + Duration::from_secs(100 * 365 * 24 * 3_600);
    let end_at = crowd
        .plan
        .run_for
        .map_or(never, |run_for| begun_at + run_for);
    let mut report_at = begun_at + crowd.plan.report_every;
    tokio::pin!(shutdown);
    loop {
        let now = Instant::now();
        if now >= end_at {
            break;
        }
        crowd.start_due(now);
        crowd.pass_due(now);
        if now >= report_at {
            report_at = now + crowd.plan.report_every;
            progress(crowd.summary(begun_at));
        }
        let next_at = [Some(end_at), Some(report_at), crowd.start_at, crowd.pass_at];
        let next_at = next_at.into_iter().flatten().min().unwrap_or(end_at);
        tokio::select! {
            () = &mut shutdown => break,
            () = sleep_until(next_at) => {}
        }
    }
    crowd.finish(begun_at).await
}

struct Crowd {
    plan: Plan,
    stats: Arc<Stats>,
    cast: Cast,
    random: SplitMix64,
    terminals: Vec<Terminal>,
    start_at: Option<Instant>,
    pass_at: Option<Instant>,
}

impl Crowd {
    fn new(plan: Plan) -> Self {
        Self {
            stats: Arc::default(),
            cast: Cast::new(plan.photo_kb, plan.stranger_percent, plan.seed),
            random: SplitMix64::new(plan.seed),
            terminals: Vec::new(),
            start_at: Some(Instant::now()),
            pass_at: None,
            plan,
        }
    }

    fn started(&self) -> u64 {
        u64::try_from(self.terminals.len()).unwrap_or(u64::MAX)
    }

    fn summary(&self, begun_at: Instant) -> Summary {
        self.stats.summary(begun_at.elapsed(), self.started())
    }

    fn start_due(&mut self, now: Instant) {
        let between = Duration::from_secs_f64(1.0 / self.plan.connect_per_second.max(0.01));
        while let Some(start_at) = self.start_at.filter(|start_at| *start_at <= now) {
            if self.started() >= self.plan.count {
                self.start_at = None;
                return;
            }
            let sn = serial_number(&self.plan.sn, self.started());
            let profile = TerminalProfile {
                utc_offset_minutes: self.plan.utc_offset_minutes,
                keep_alive_every: self.plan.keep_alive_every,
                seed: self.plan.seed,
                keep_person_photos: false,
                event_limit: 0,
                ..TerminalProfile::new(&self.plan.url, &sn)
            };
            self.terminals
                .push(Terminal::spawn_counted(profile, Arc::clone(&self.stats)));
            self.start_at = Some(start_at + between);
            if self.pass_at.is_none() {
                self.pass_at = self.next_pass(now);
            }
        }
    }

    /// Independent arrivals at each terminal are together one Poisson process with the sum of the
    /// rates, each arrival at a terminal picked by chance: one clock instead of thousands.
    fn next_pass(&mut self, from: Instant) -> Option<Instant> {
        let terminals = f64::from(u32::try_from(self.terminals.len()).unwrap_or(u32::MAX));
        let per_second = self.plan.passes_per_minute / 60.0 * terminals;
        (per_second > 0.0).then(|| from + self.random.waiting_time(per_second))
    }

    fn pass_due(&mut self, now: Instant) {
        while let Some(pass_at) = self.pass_at.filter(|pass_at| *pass_at <= now) {
            if let Some(terminal) = self.random.pick(&self.terminals)
                && terminal.unacknowledged() < MOST_UNACKNOWLEDGED
            {
                let pass = self.cast.next(&mut self.random);
                let _ = terminal.pass_unwatched(pass);
            }
            self.pass_at = self.next_pass(pass_at);
        }
    }

    async fn finish(self, begun_at: Instant) -> Summary {
        let until = Instant::now() + LAST_ANSWERS;
        // What is on its way is waited for; a terminal without a connection has nothing on its way.
        let owing = |terminal: &Terminal| terminal.is_online() && terminal.unacknowledged() > 0;
        while self.terminals.iter().any(owing) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let summary = self.summary(begun_at);
        let closing = self.terminals.into_iter().map(Terminal::close);
        let all = futures_util::future::join_all(closing);
        let _ = tokio::time::timeout(LAST_ANSWERS, all).await;
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_count_up_and_keep_their_width() {
        for (first, steps, expected) in [
            ("168380000106", 0, "168380000106"),
            ("168380000106", 5, "168380000111"),
            ("G-099", 1, "G-100"),
            ("99", 1, "100"),
            ("0001", 41, "0042"),
            ("gate", 0, "gate"),
            ("gate", 2, "gate2"),
            ("12345678901234567890123", 1, "12345678901234567890124"),
        ] {
            assert_eq!(serial_number(first, steps), expected, "{first} + {steps}");
        }
    }
}
