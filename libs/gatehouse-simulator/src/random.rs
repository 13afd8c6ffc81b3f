//! A small seeded generator, so that a run can be repeated. Not for secrets.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough to spread people and
/// back-offs.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator whose whole sequence follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for one named thing of a seeded run.
    pub fn for_name(seed: u64, name: &str) -> Self {
        // FNV-1a, so that neighbouring serial numbers start far apart.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(seed ^ hash)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        let top = u32::try_from(self.next_u64() >> 32).unwrap_or(0);
        f64::from(top) / 4_294_967_296.0
    }

    /// One of `choices`.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let length = u64::try_from(choices.len()).ok()?;
        let index = usize::try_from(self.below(length)).ok()?;
        choices.get(index)
    }

    /// The waiting time to the next event of a Poisson process of `per_second` events; an hour
    /// when the rate is not positive.
    pub fn waiting_time(&mut self, per_second: f64) -> Duration {
        if per_second > 0.0 {
            let seconds = -(1.0 - self.unit()).ln() / per_second;
            Duration::from_secs_f64(seconds.clamp(0.0, 3_600.0))
        } else {
            Duration::from_secs(3_600)
        }
    }

    /// `length` lower-case hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        let mut digits = String::with_capacity(length + 16);
        while digits.len() < length {
            digits.push_str(&format!("{:016x}", self.next_u64()));
        }
        digits.truncate(length);
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // Vector of the reference implementation for seed 1234567.
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn waiting_times_average_to_the_rate() {
        let mut random = SplitMix64::new(7);
        let total: Duration = (0..20_000).map(|_| random.waiting_time(10.0)).sum();
        let mean_ms = total.as_secs_f64() * 1_000.0 / 20_000.0;
        assert!((95.0..105.0).contains(&mean_ms), "{mean_ms}");
    }
}
