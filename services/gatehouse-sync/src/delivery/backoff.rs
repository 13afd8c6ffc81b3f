//! How long to wait before telling a terminal again.

/// The wait after the first, second, ... attempt that came to nothing, in seconds; the last one stays.
pub(super) const WAITS_S: [f64; 6] = [5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0];

/// How long to wait after so many attempts, in seconds. SQL takes the same table as an array.
#[cfg(test)]
fn wait_s(attempts: usize) -> f64 {
    let last = WAITS_S.len() - 1;
    WAITS_S[attempts.saturating_sub(1).min(last)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_up_to_an_hour_and_then_hourly() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 1000].map(wait_s), [
            5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 3_600.0, 3_600.0
        ]);
    }
}
