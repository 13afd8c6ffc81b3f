//! Rounds of ours and of the bound in turn, and the middle of them.

use crate::figure::say;
use crate::records::Uploaded;
use serde_json::{Value, json};
use std::time::Duration;

/// Rounds on each side.
pub(crate) const ROUNDS: u32 = 5;

/// What the rounds of uploads showed.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    ours: Vec<f64>,
    bound: Vec<f64>,
    cpu_us: Vec<f64>,
    waits: Vec<Duration>,
}

impl Rounds {
    /// Takes a round: what was uploaded at the cost of this much of the server's CPU, and what the
    /// bound reached per second.
    pub(crate) fn add(&mut self, uploaded: &Uploaded, cpu: Duration, bound: f64) {
        let per_second = uploaded.per_second();
        let number = self.ours.len() + 1;
        say(format_args!(
            "round {number}: {per_second:.0} acknowledged per second; bare {bound:.0}"
        ));
        self.ours.push(per_second);
        self.bound.push(bound);
        self.cpu_us
            .push(cpu.as_secs_f64() * 1e6 / uploaded.all() as f64);
        self.waits.extend(uploaded.waits());
    }

    /// The middle of ours, per second.
    pub(crate) fn ours(&self) -> f64 {
        median(&self.ours)
    }

    /// The middle of the bound, per second.
    pub(crate) fn bound(&self) -> f64 {
        median(&self.bound)
    }

    /// What else there is to say.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        let (p50, p99) = (
            quantile(&mut self.waits, 0.5),
            quantile(&mut self.waits, 0.99),
        );
        vec![
            format!(
                "{:.0} us of the server's CPU per record; acknowledged after {:.1} ms (p50), {:.1} ms (p99)",
                median(&self.cpu_us),
                ms(p50),
                ms(p99)
            ),
            format!(
                "rounds: {}; bare: {}",
                listed(&self.ours),
                listed(&self.bound)
            ),
        ]
    }

    /// Everything, for programs.
    pub(crate) fn numbers(&mut self) -> Value {
        json!({
            "per_s": self.ours(), "bound_per_s": self.bound(), "rounds": self.ours, "bound_rounds": self.bound,
            "server_cpu_us": median(&self.cpu_us), "ack_p50_ms": ms(quantile(&mut self.waits, 0.5)),
            "ack_p99_ms": ms(quantile(&mut self.waits, 0.99)),
        })
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that this part of all stay at or below, 0.0 to 1.0.
pub(crate) fn quantile(values: &mut [Duration], part: f64) -> Duration {
    values.sort_unstable();
    let rank = (values.len() as f64 * part).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// Milliseconds, for people.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn listed(values: &[f64]) -> String {
    values
        .iter()
        .map(|value| format!("{value:.0}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_edge() {
        assert!((median(&[9.0, 1.0, 5.0, 7.0, 3.0]) - 5.0).abs() < f64::EPSILON);
        let mut hundred: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        for (part, expected) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
            assert_eq!(
                quantile(&mut hundred, part),
                Duration::from_millis(expected),
                "{part}"
            );
        }
        assert_eq!(quantile(&mut [], 0.99), Duration::ZERO);
    }
}
