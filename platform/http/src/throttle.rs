//! Token buckets per source address, in bounded memory.

use crate::Problem;
use pakawaaz_base::{ErrorClass, Millis};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Limits of a [`Throttle`].
#[derive(Clone, Copy, Debug)]
pub struct ThrottleOptions {
    /// Requests a source may make at once.
    pub burst: u32,
    /// Requests a second it regains.
    pub per_second: f64,
    /// Most sources remembered (about 64 bytes each).
    pub max_sources: usize,
}

/// Limits requests per source.
#[derive(Debug)]
pub struct Throttle(Mutex<Buckets>);

impl Throttle {
    /// A throttle with all buckets full.
    pub fn new(options: ThrottleOptions) -> Self {
        Self(Mutex::new(Buckets::new(options)))
    }

    /// Takes one token of `source`.
    ///
    /// Errors: 429 `http.throttled` with the time until the next token.
    pub fn check(&self, source: IpAddr, now: Millis) -> Result<(), Problem> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.take(source, now).map_err(|wait| {
            metrics::counter!("pakawaaz_http_throttled_total").increment(1);
            Problem::new(ErrorClass::Throttled, "http.throttled").retry_after_ms(wait)
        })
    }

    /// Gives back one token that [`Throttle::check`] took: the source has proven who it is after all.
    pub fn give_back(&self, source: IpAddr, now: Millis) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).give_back(source, now);
    }
}

/// The pure core: time is an argument.
///
/// A bucket is one number, the instant at which it would be full again (GCRA). One that lies in the past
/// says nothing, so forgetting it is free. Two generations of at most half the memory each take turns: when
/// the young one is full, the old one is forgotten. An attacker with very many addresses can thus make us
/// forget, but neither fill the memory nor lock anybody else out.
#[derive(Debug)]
pub struct Buckets {
    /// Microseconds to regain one token.
    interval: i64,
    /// Microseconds to regain all.
    depth: i64,
    half: usize,
    young: HashMap<IpAddr, i64>,
    old: HashMap<IpAddr, i64>,
}

impl Buckets {
    /// All buckets full. Nonsensical options are raised to the smallest sensible ones.
    pub fn new(options: ThrottleOptions) -> Self {
        let interval = (1e6 / options.per_second.max(1e-6)).clamp(1.0, 1e12) as i64;
        Self {
            interval,
            depth: interval.saturating_mul(i64::from(options.burst.max(1))),
            half: (options.max_sources / 2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// Takes one token of `source`; otherwise says in how many milliseconds there is one.
    pub fn take(&mut self, source: IpAddr, now: Millis) -> Result<(), u64> {
        let source = bucket_of(source);
        let now = now.as_i64().saturating_mul(1000);
        let known = self.young.get(&source).or_else(|| self.old.get(&source)).copied();
        // Capped, so that a clock set back cannot lock a source out.
        let full_at = known.unwrap_or(now).clamp(now, now.saturating_add(self.depth));
        let after = full_at.saturating_add(self.interval);
        let excess = after.saturating_sub(now).saturating_sub(self.depth);
        if excess > 0 {
            if known != Some(full_at) {
                self.remember(source, full_at); // the clock was set back: count from its new time
            }
            return Err((excess as u64).div_ceil(1000));
        }
        self.remember(source, after);
        Ok(())
    }

    /// Gives one token back; a bucket never holds more than its burst.
    pub fn give_back(&mut self, source: IpAddr, now: Millis) {
        let source = bucket_of(source);
        let Some(full_at) = self.young.get(&source).or_else(|| self.old.get(&source)).copied() else { return };
        let now = now.as_i64().saturating_mul(1000);
        let full_at = full_at.clamp(now, now.saturating_add(self.depth));
        self.remember(source, full_at.saturating_sub(self.interval).max(now));
    }

    fn remember(&mut self, source: IpAddr, full_at: i64) {
        if self.young.len() >= self.half && !self.young.contains_key(&source) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(source, full_at);
    }

    /// Sources remembered now.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An IPv6 customer gets a whole /64, so that is one source; IPv4 in IPv6 clothes is IPv4.
fn bucket_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }
    fn buckets(burst: u32, per_second: f64, max_sources: usize) -> Buckets {
        Buckets::new(ThrottleOptions { burst, per_second, max_sources })
    }

    #[test]
    fn a_burst_then_a_steady_rate() {
        let mut b = buckets(3, 2.0, 100);
        for _ in 0..3 {
            assert_eq!(b.take(ip(1), Millis(0)), Ok(()));
        }
        assert_eq!(b.take(ip(1), Millis(0)), Err(500));
        assert_eq!(b.take(ip(1), Millis(499)), Err(1));
        assert_eq!(b.take(ip(1), Millis(500)), Ok(()));
        assert_eq!(b.take(ip(1), Millis(500)), Err(500));
        assert_eq!(b.take(ip(2), Millis(500)), Ok(()), "another source has its own bucket");
    }

    #[test]
    fn a_token_given_back_is_there_again_and_never_more_than_all() {
        let mut b = buckets(2, 0.001, 100);
        b.give_back(ip(1), Millis(0));
        for _ in 0..2 {
            assert_eq!(b.take(ip(1), Millis(0)), Ok(()));
        }
        assert!(b.take(ip(1), Millis(0)).is_err());
        b.give_back(ip(1), Millis(0));
        assert_eq!(b.take(ip(1), Millis(0)), Ok(()));
        assert!(b.take(ip(1), Millis(0)).is_err());
        for _ in 0..9 {
            b.give_back(ip(1), Millis(0));
        }
        for _ in 0..2 {
            assert_eq!(b.take(ip(1), Millis(0)), Ok(()));
        }
        assert!(b.take(ip(1), Millis(0)).is_err(), "no more than the burst");
    }

    #[test]
    fn one_ipv6_network_is_one_source() {
        let mut b = buckets(1, 1.0, 100);
        assert_eq!(b.take("2001:db8::1".parse().unwrap(), Millis(0)), Ok(()));
        assert!(b.take("2001:db8::2".parse().unwrap(), Millis(0)).is_err());
        assert_eq!(b.take("2001:db8:0:1::1".parse().unwrap(), Millis(0)), Ok(()));
        assert_eq!(b.take("::ffff:1.2.3.4".parse().unwrap(), Millis(0)), Ok(()));
        assert!(b.take("1.2.3.4".parse().unwrap(), Millis(0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_a_busy_source_stays_throttled() {
        let mut b = buckets(1, 0.001, 1000);
        assert_eq!(b.take(ip(0), Millis(0)), Ok(()));
        for n in 1..100_000 {
            let _ = b.take(ip(n), Millis(0));
            assert!(b.len() <= 1000);
        }
        let mut b = buckets(1, 0.001, 1000);
        assert_eq!(b.take(ip(0), Millis(0)), Ok(()));
        for n in 1..400 {
            let _ = b.take(ip(n), Millis(0));
        }
        assert!(b.take(ip(0), Millis(1)).is_err(), "fewer sources than the limit are never forgotten");
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut b = buckets(2, 1.0, 100);
        assert_eq!(b.take(ip(1), Millis(1_000_000_000)), Ok(()));
        assert_eq!(b.take(ip(1), Millis(0)), Err(1000));
        assert_eq!(b.take(ip(1), Millis(1000)), Ok(()));
    }

    proptest! {
        /// Never more than burst + rate × time in any run, and the promised wait is enough.
        #[test]
        fn the_rate_holds(burst in 1u32..20, rate in 1u32..50, steps in prop::collection::vec(0i64..500, 1..200)) {
            let mut b = buckets(burst, f64::from(rate), 10);
            let (mut now, mut granted) = (0i64, 0f64);
            for step in steps {
                now += step;
                match b.take(ip(1), Millis(now)) {
                    Ok(()) => granted += 1.0,
                    Err(wait) => {
                        prop_assert!(wait > 0);
                        now += wait as i64;
                        prop_assert_eq!(b.take(ip(1), Millis(now)), Ok(()));
                        granted += 1.0;
                    }
                }
                // One microsecond of rounding per token.
                prop_assert!(granted <= f64::from(burst) + f64::from(rate) * (now as f64 / 1000.0) * 1.0001 + 0.01);
            }
        }

        #[test]
        fn any_time_and_option_is_survived(
            burst: u32, rate: f64, max: u16, times in prop::collection::vec(any::<i64>(), 0..20),
        ) {
            let mut b = buckets(burst, rate, max.into());
            for t in times {
                let _ = b.take(ip(7), Millis(t));
            }
        }
    }
}
