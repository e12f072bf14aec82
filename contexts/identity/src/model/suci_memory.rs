//! Which concealed identities drew a vector lately.
//!
//! TS 33.501 does not ask the home network to notice a SUCI that is used again, and opening one twice tells nobody anything.
//! But whoever recorded one on the air can send it for ever, and each time a vector is drawn: the card's limit
//! ([`super::vector_limit`]) would be used up in somebody else's hands, and its phone kept out. So a SUCI counts for as long
//! as its own phone may repeat it, a few times, and is worth nothing afterwards: a phone sends the same one only while T3519
//! runs, 60 seconds (TS 24.501 §5.5.1.2.2, §10.2), in which its other timers (T3510, 15 s; T3511, 10 s) leave time for three
//! registrations.
//!
//! Only what opened is remembered, so strangers' bytes take no room. What is compared is the scheme's output; the header
//! around it is not protected, and anybody may change it. The memory is this process's: after a restart, or beyond its
//! bounds, a recorded SUCI draws its few vectors once more, and the card's limit is still there.

use pakawaaz_base::Millis;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How long a phone may send the same one: T3519, and some time on the way.
pub const REPEATED: Duration = Duration::from_secs(90);
/// Vectors that one SUCI draws at most.
pub const DRAWS: u8 = 3;
/// How long it is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How many are remembered; the oldest is forgotten first.
const MOST: usize = 200_000;
/// Before the scheme's output: type, PLMN, routing indicator, scheme and key number (TS 24.501 §9.11.3.4).
const HEADER: usize = 8;

type Name = [u8; 16];

/// Remembers.
#[derive(Debug, Default)]
pub struct SuciMemory {
    seen: HashMap<Name, (Millis, u8)>,
    order: VecDeque<(Millis, Name)>,
}

fn name(identity: &[u8]) -> Name {
    let hash: [u8; 32] = Sha256::digest(identity.get(HEADER..).unwrap_or_default()).into();
    std::array::from_fn(|at| hash[at])
}

impl SuciMemory {
    /// Whether this mobile identity may still draw a vector.
    pub fn may_draw(&self, identity: &[u8], now: Millis) -> bool {
        match self.seen.get(&name(identity)) {
            Some((first, draws)) if now.since(*first) < REMEMBERED => *draws < DRAWS && now.since(*first) < REPEATED,
            _ => true,
        }
    }

    /// It opened, and draws one. Whether it may: another request may have been quicker since it was asked.
    pub fn draw(&mut self, identity: &[u8], now: Millis) -> bool {
        self.forget(now);
        if !self.may_draw(identity, now) {
            return false;
        }
        let name = name(identity);
        if let Some((_, draws)) = self.seen.get_mut(&name) {
            *draws += 1;
        } else {
            self.seen.insert(name, (now, 1));
            self.order.push_back((now, name));
        }
        true
    }

    fn forget(&mut self, now: Millis) {
        while let Some((at, name)) = self.order.front().copied() {
            if self.seen.len() < MOST && now.since(at) < REMEMBERED {
                return;
            }
            self.order.pop_front();
            self.seen.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn identity(number: u32, header: u8) -> Vec<u8> {
        [&[header; HEADER][..], &number.to_be_bytes(), &[7; 40]].concat()
    }

    #[test]
    fn a_suci_draws_a_few_times_while_its_phone_may_repeat_it() {
        let mut memory = SuciMemory::default();
        assert!((0..DRAWS).all(|_| memory.draw(&identity(1, 0), NOW)));
        assert!(!memory.draw(&identity(1, 0), NOW) && memory.draw(&identity(2, 0), NOW));
        assert!(!memory.draw(&identity(1, 9), NOW), "another header is the same SUCI");
        // Once it is late, not even the first repetition counts.
        let late = NOW.plus(REPEATED);
        assert!(!memory.may_draw(&identity(2, 0), late) && !memory.draw(&identity(2, 0), late));
        let next_day = NOW.plus(REMEMBERED);
        assert!(memory.draw(&identity(1, 0), next_day), "forgotten");
        assert_eq!((memory.seen.len(), memory.order.len()), (1, 1));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut memory = SuciMemory::default();
        for number in 0..MOST as u32 + 10 {
            assert!(memory.draw(&identity(number, 0), NOW));
        }
        assert_eq!((memory.seen.len(), memory.order.len()), (MOST, MOST));
        assert!(memory.seen.contains_key(&name(&identity(10, 0))) && !memory.seen.contains_key(&name(&identity(9, 0))));
    }

    proptest! {
        #[test]
        fn no_suci_draws_more_often_than_it_may(
            asked in proptest::collection::vec((0..4u32, 0..40_000i64), 0..200), short: Vec<u8>
        ) {
            let (mut memory, mut now, mut draws) = (SuciMemory::default(), NOW, [0u8; 4]);
            for (number, pause) in asked {
                now = Millis(now.0 + pause);
                draws[number as usize] += u8::from(memory.draw(&identity(number, 0), now));
                let _ = memory.draw(&short, now);
            }
            prop_assert!(draws.iter().all(|draws| *draws <= DRAWS));
            prop_assert_eq!(memory.seen.len(), memory.order.len());
        }
    }
}
