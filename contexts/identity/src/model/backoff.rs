//! How long an account waits after failures that only its own enrolled devices can cause.

use std::time::Duration;

/// Failures without any wait: typing mistakes.
const FREE: u32 = 5;
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait after `failures` in a row: none before the fifth, then 1 s doubling up to 15 minutes.
pub fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1u64 << beyond.min(20)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_from_the_fifth_failure_and_stops_at_a_quarter_hour() {
        assert_eq!(wait_after(0), Duration::ZERO);
        assert_eq!(wait_after(4), Duration::ZERO);
        assert_eq!(wait_after(5), Duration::from_secs(1));
        assert_eq!(wait_after(6), Duration::from_secs(2));
        assert_eq!(wait_after(14), Duration::from_secs(512));
        assert_eq!(wait_after(15), LONGEST);
        assert_eq!(wait_after(u32::MAX), LONGEST);
    }
}
