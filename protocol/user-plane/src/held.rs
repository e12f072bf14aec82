//! Datagrams that came from another gNB than the session's, held until the control plane says that it is the session's.
//!
//! A gNB may send a phone's first packets before the control plane has told us its end of the tunnel: it answers on N2 and
//! sends on N3 at once. Whether it was such a gNB, or one that hit another's TEID, only the control plane can say. No address
//! has more than its share of the room, so a gNB that fills its own takes none of another's.

use crate::limits::Limits;
use pakawaaz_base::Millis;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one costs beside its bytes, at most: its places in the tables.
const OVERHEAD: usize = 256;

/// Before and after all other addresses.
const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const LAST: IpAddr = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));

/// One that is held.
#[derive(Clone, Debug)]
struct Datagram {
    bytes: Box<[u8]>,
    since: Millis,
}

impl Datagram {
    fn cost(&self) -> usize {
        cost(&self.bytes)
    }
}

fn cost(bytes: &[u8]) -> usize {
    bytes.len() + OVERHEAD
}

/// All that is held, by session and by where it came from, each the oldest first. Sessions are known by their index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    datagrams: BTreeMap<(usize, IpAddr), VecDeque<Datagram>>,
    /// What each address has of the room.
    shares: HashMap<IpAddr, usize>,
    bytes: usize,
}

impl Held {
    /// Bytes in use, with what the tables need.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds a datagram, if there is room. The first ones are the ones that matter: they begin something.
    pub(crate) fn hold(&mut self, session: usize, from: IpAddr, bytes: &[u8], now: Millis, limits: &Limits) -> bool {
        let cost = cost(bytes);
        let share = self.shares.get(&from).copied().unwrap_or_default();
        let before = self.datagrams.get(&(session, from)).map_or(0, VecDeque::len);
        let room = before < limits.held_packets
            && share + cost <= limits.held_bytes
            && self.bytes + cost <= limits.held_bytes_in_all;
        if room {
            self.bytes += cost;
            *self.shares.entry(from).or_default() += cost;
            let datagram = Datagram { bytes: bytes.into(), since: now };
            self.datagrams.entry((session, from)).or_default().push_back(datagram);
        }
        room
    }

    /// Takes what one address sent for a session, in order, and how many of its datagrams were too old.
    pub(crate) fn take(
        &mut self,
        session: usize,
        from: IpAddr,
        now: Millis,
        limits: &Limits,
    ) -> (impl Iterator<Item = Box<[u8]>> + use<>, u64) {
        let mut taken = self.datagrams.remove(&(session, from)).unwrap_or_default();
        self.give_back(from, taken.iter().map(Datagram::cost).sum());
        let before = taken.len();
        taken.retain(|datagram| is_fresh(datagram, now, limits));
        let late = before - taken.len();
        (taken.into_iter().map(|datagram| datagram.bytes), late as u64)
    }

    /// Drops what is held for a session, whoever sent it, and says how many.
    pub(crate) fn drop_all(&mut self, session: usize) -> u64 {
        let mut dropped = 0;
        while let Some((key, _)) = self.datagrams.range((session, FIRST)..=(session, LAST)).next() {
            let key = *key;
            let datagrams = self.datagrams.remove(&key).unwrap_or_default();
            dropped += datagrams.len() as u64;
            self.give_back(key.1, datagrams.iter().map(Datagram::cost).sum());
        }
        dropped
    }

    /// Drops what was held too long, and says of which sessions and how many.
    pub(crate) fn forget(&mut self, now: Millis, limits: &Limits, mut dropped: impl FnMut(usize, u64)) {
        let Self { datagrams, shares, bytes } = self;
        datagrams.retain(|(session, from), held| {
            let mut late = 0;
            while let Some(oldest) = held.front()
                && !is_fresh(oldest, now, limits)
            {
                give_back(shares, bytes, *from, oldest.cost());
                held.pop_front();
                late += 1;
            }
            if late > 0 {
                dropped(*session, late);
            }
            !held.is_empty()
        });
    }

    fn give_back(&mut self, from: IpAddr, cost: usize) {
        give_back(&mut self.shares, &mut self.bytes, from, cost);
    }
}

fn give_back(shares: &mut HashMap<IpAddr, usize>, bytes: &mut usize, from: IpAddr, cost: usize) {
    *bytes -= cost;
    if let Some(share) = shares.get_mut(&from) {
        *share -= cost;
        if *share == 0 {
            shares.remove(&from);
        }
    }
}

fn is_fresh(datagram: &Datagram, now: Millis, limits: &Limits) -> bool {
    now.since(datagram.since) < limits.held_for
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_books_are_right_and_the_bounds_are_kept(
            steps in proptest::collection::vec((0u8..4, 0usize..3, 0u8..4, 0usize..600, 0i64..500), 1..200),
        ) {
            let limits = Limits { held_packets: 3, held_bytes: 2000, held_bytes_in_all: 5000, ..Limits::default() };
            let (mut held, mut now, mut inside) = (Held::default(), Millis(0), 0);
            for (what, session, from, length, wait) in steps {
                now = Millis(now.0 + wait);
                let from = if from == 3 { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::from([10, 3, 0, from]) };
                match what {
                    0 => {
                        let (taken, late) = held.take(session, from, now, &limits);
                        inside -= taken.count() as u64 + late;
                    }
                    1 => inside -= held.drop_all(session),
                    2 => held.forget(now, &limits, |_, dropped| inside -= dropped),
                    _ => inside += u64::from(held.hold(session, from, &vec![0; length], now, &limits)),
                }
                prop_assert_eq!(held.datagrams.values().map(VecDeque::len).sum::<usize>() as u64, inside);
                prop_assert_eq!(held.bytes, held.datagrams.values().flatten().map(Datagram::cost).sum::<usize>());
                prop_assert_eq!(held.bytes, held.shares.values().sum::<usize>());
                prop_assert!(held.bytes <= 5000 && held.shares.values().all(|share| *share > 0 && *share <= 2000));
                prop_assert!(held.datagrams.values().all(|held| !held.is_empty() && held.len() <= 3));
            }
        }
    }
}
