//! How many vectors networks may draw for one card: enough for a phone at the edge of a cell, too few for whoever wants
//! to drive its sequence numbers or to learn from many challenges. Each purpose has its own measure: a stranger before a
//! Wi-Fi access point cannot keep a phone out of the cellular network.

use pakawaaz_aka::Purpose;
use pakawaaz_base::{Millis, SimId};
use std::collections::HashMap;
use std::time::Duration;

/// Vectors that may be drawn at once.
pub const BURST: u32 = 20;
/// One more after each of these.
pub const PAUSE: Duration = Duration::from_secs(3);
/// Cards that are remembered; those that could draw a whole burst again are forgotten first.
const CARDS: usize = 100_000;

/// Remembers who drew when: for each card the time at which it could draw a whole burst again.
#[derive(Default)]
pub struct VectorLimit(HashMap<(SimId, Purpose), Millis>);

impl VectorLimit {
    /// Whether a vector may be drawn now for the card and the purpose; if so, it is drawn.
    pub fn draw(&mut self, sim: SimId, purpose: Purpose, now: Millis) -> bool {
        let key = (sim, purpose);
        if self.0.len() >= CARDS {
            self.0.retain(|_, full_at| *full_at > now);
        }
        if self.0.len() >= CARDS && !self.0.contains_key(&key) {
            return false;
        }
        let full_at = self.0.get(&key).copied().filter(|at| *at > now).unwrap_or(now).plus(PAUSE);
        if full_at.since(now) > PAUSE * BURST {
            return false;
        }
        self.0.insert(key, full_at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Purpose::{Core5g, Other};

    #[test]
    fn a_burst_then_one_after_each_pause_for_each_card_alone() {
        let (mut limit, now) = (VectorLimit::default(), Millis(1_790_000_000_000));
        let (one, other) = (SimId::from_bytes([1; 16]), SimId::from_bytes([2; 16]));
        assert!((0..BURST).all(|_| limit.draw(one, Core5g, now)));
        assert!(!limit.draw(one, Core5g, now) && limit.draw(other, Core5g, now));
        assert!(!limit.draw(one, Core5g, now.plus(PAUSE - Duration::from_millis(1))));
        assert!(limit.draw(one, Core5g, now.plus(PAUSE)) && !limit.draw(one, Core5g, now.plus(PAUSE)));
        assert!(limit.draw(one, Other, now), "another network");
        let later = now.plus(PAUSE * (BURST + 1));
        assert!((0..BURST).all(|_| limit.draw(one, Core5g, later)));
        assert!(!limit.draw(one, Core5g, later));
    }
}
