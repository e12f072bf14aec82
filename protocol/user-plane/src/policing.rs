//! Token buckets: what is above a rate is dropped (TS 23.501 §5.7.1.8).

use pakawaaz_base::Millis;
use std::time::Duration;

/// Largest packet that we have to let through at least twice in a row.
const LARGE_PACKET: u64 = 1500;

/// A rate and how much of it is left. Units are the caller's: bits, or messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    rate: u64,
    /// Thousandths of units, so that a rate per second is filled by the millisecond without rounding.
    capacity: u64,
    level: u64,
    at: Millis,
}

impl Bucket {
    /// Full, with a rate each second.
    pub(crate) fn new(rate: u64, capacity: u64, now: Millis) -> Self {
        let capacity = capacity.saturating_mul(1000);
        Self { rate, capacity, level: capacity, at: now }
    }

    /// For bits each second. A rate of zero lets nothing through.
    pub(crate) fn of_bits(rate: u64, burst: Duration, now: Millis) -> Self {
        let capacity = match rate {
            0 => 0,
            _ => (rate / 1000).saturating_mul(burst.as_millis() as u64).max(2 * 8 * LARGE_PACKET),
        };
        Self::new(rate, capacity, now)
    }

    /// The same level under another rate.
    pub(crate) fn at_rate(self, other: Self) -> Self {
        Self { level: self.level.min(other.capacity), at: self.at, ..other }
    }

    /// Whether so much is there now.
    pub(crate) fn has(&mut self, amount: u64, now: Millis) -> bool {
        // A clock that goes backwards neither fills nor empties.
        if now > self.at {
            let passed = now.since(self.at).as_millis() as u64;
            self.level = self.level.saturating_add(self.rate.saturating_mul(passed)).min(self.capacity);
            self.at = now;
        }
        self.level >= amount.saturating_mul(1000)
    }

    /// Takes what [`Bucket::has`] said is there.
    pub(crate) fn take(&mut self, amount: u64) {
        self.level = self.level.saturating_sub(amount.saturating_mul(1000));
    }

    /// Takes one, if it is there.
    pub(crate) fn one(&mut self, now: Millis) -> bool {
        let there = self.has(1, now);
        if there {
            self.take(1);
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        let mut bucket = Bucket::of_bits(0, Duration::from_millis(100), Millis(0));
        assert!(!bucket.has(1, Millis(1_000_000)));
    }

    #[test]
    fn slow_rates_still_pass_large_packets() {
        let mut bucket = Bucket::of_bits(8_000, Duration::from_millis(100), Millis(0));
        assert!(bucket.has(1500 * 8, Millis(0)));
        bucket.take(1500 * 8);
        assert!(bucket.has(1500 * 8, Millis(0)));
        bucket.take(1500 * 8);
        assert!(!bucket.has(1500 * 8, Millis(1499)));
        assert!(bucket.has(1500 * 8, Millis(1500)));
    }

    #[test]
    fn time_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(1, 1, Millis(10_000));
        assert!(bucket.one(Millis(10_000)) && !bucket.one(Millis(0)) && !bucket.one(Millis(10_999)));
        assert!(bucket.one(Millis(11_000)));
    }

    proptest! {
        #[test]
        fn no_more_passes_than_rate_and_burst(
            rate in 1_000u64..10_000_000,
            steps in proptest::collection::vec((0i64..50, 1u64..1500), 1..300),
        ) {
            let burst = Duration::from_millis(100);
            let mut bucket = Bucket::of_bits(rate, burst, Millis(0));
            let (mut now, mut passed) = (Millis(0), 0);
            for (wait, bytes) in steps {
                now = Millis(now.0 + wait);
                if bucket.has(bytes * 8, now) {
                    bucket.take(bytes * 8);
                    passed += bytes * 8;
                }
            }
            let most = rate * now.as_u64() / 1000 + (rate / 10).max(24_000) + 1;
            prop_assert!(passed <= most, "{passed} > {most}");
        }
    }
}
