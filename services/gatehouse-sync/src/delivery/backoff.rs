//! How long to wait before telling a terminal again.

/// The wait after the first, second, ... attempt that came to nothing, in seconds; the last one
/// stays. SQL takes the table as an array.
pub(super) const WAITS_S: [f64; 6] = [5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0];

#[cfg(test)]
mod tests {
    use super::WAITS_S;

    #[test]
    fn each_wait_is_longer_and_the_last_one_is_an_hour() {
        assert!(WAITS_S.is_sorted_by(|one, next| one < next));
        assert_eq!(WAITS_S.first(), Some(&5.0));
        assert_eq!(WAITS_S.last(), Some(&3_600.0));
    }
}
