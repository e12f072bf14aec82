//! Which one-time values were seen lately, in bounded memory.

use pakawaaz_base::Millis;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// Remembers values for a fixed time. When it is full it refuses new ones: forgetting an old value early
/// would let somebody use it twice.
#[derive(Debug)]
pub struct ReplayCache {
    keep: Duration,
    capacity: usize,
    seen: HashSet<[u8; 32]>,
    order: VecDeque<(Millis, [u8; 32])>,
}

/// What the cache says about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not before; now remembered.
    New,
    /// Already used.
    Repeated,
    /// No room; treat as overload.
    Full,
}

impl ReplayCache {
    /// A cache of at most `capacity` values, each kept for `keep` (at least as long as it could be valid).
    pub fn new(keep: Duration, capacity: usize) -> Self {
        Self { keep, capacity, seen: HashSet::new(), order: VecDeque::new() }
    }

    /// Uses a value.
    pub fn check(&mut self, value: [u8; 32], now: Millis) -> Seen {
        while let Some((at, old)) = self.order.front().copied() {
            if now.since(at) < self.keep {
                break;
            }
            self.order.pop_front();
            self.seen.remove(&old);
        }
        if self.seen.contains(&value) {
            return Seen::Repeated;
        }
        if self.seen.len() >= self.capacity {
            return Seen::Full;
        }
        self.seen.insert(value);
        self.order.push_back((now, value));
        Seen::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_works_once_while_it_is_kept() {
        let mut cache = ReplayCache::new(Duration::from_secs(120), 2);
        assert_eq!(cache.check([1; 32], Millis(0)), Seen::New);
        assert_eq!(cache.check([1; 32], Millis(119_999)), Seen::Repeated);
        assert_eq!(cache.check([2; 32], Millis(119_999)), Seen::New);
        assert_eq!(cache.check([3; 32], Millis(119_999)), Seen::Full);
        assert_eq!(cache.check([3; 32], Millis(120_000)), Seen::New, "the oldest has expired");
    }

    proptest! {
        #[test]
        fn nothing_is_new_twice_within_its_time(values in proptest::collection::vec((0u8..6, 0i64..50), 0..60)) {
            let mut cache = ReplayCache::new(Duration::from_millis(100), 1000);
            let (mut now, mut used) = (0, std::collections::HashMap::new());
            for (value, step) in values {
                now += step;
                let fresh = used.get(&value).is_none_or(|at| now - at >= 100);
                let told = cache.check([value; 32], Millis(now));
                prop_assert_eq!(told, if fresh { Seen::New } else { Seen::Repeated });
                if fresh {
                    used.insert(value, now);
                }
            }
        }
    }
}
