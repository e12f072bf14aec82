//! Our tunnel endpoint identifiers: drawn at random, so that they cannot be guessed (TS 33.501 asks it of nobody, but a
//! guessed one puts packets into another's session), and not given again soon, so that late packets find nobody.

use pakawaaz_base::Millis;
use rand_core::CryptoRngCore;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// Released ones, at rest.
#[derive(Debug, Default)]
pub(crate) struct Teids {
    resting: HashSet<u32>,
    order: VecDeque<(Millis, u32)>,
}

/// Most that rest at a time; beyond, the oldest is free earlier. One in four thousand draws would meet one of them.
const MOST_RESTING: usize = 1 << 20;

impl Teids {
    /// A new one; none when chance had it that all of a few draws were taken.
    pub(crate) fn draw<T>(&self, used: &HashMap<u32, T>, rng: &mut dyn CryptoRngCore) -> Option<u32> {
        (0..32)
            .map(|_| rng.next_u32())
            .find(|teid| *teid != 0 && !used.contains_key(teid) && !self.resting.contains(teid))
    }

    /// One is free, but not yet.
    pub(crate) fn rest(&mut self, teid: u32, now: Millis, rest: Duration) {
        if self.order.len() >= MOST_RESTING
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.resting.remove(&oldest);
        }
        self.resting.insert(teid);
        self.order.push_back((now.plus(rest), teid));
    }

    /// Those whose time is over are free.
    pub(crate) fn wake(&mut self, now: Millis) {
        while let Some((until, teid)) = self.order.front().copied()
            && until <= now
        {
            self.order.pop_front();
            self.resting.remove(&teid);
        }
    }
}
