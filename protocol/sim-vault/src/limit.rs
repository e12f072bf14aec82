//! How often the vault answers. Whoever holds the server may ask like it, but not for every card at once, nor one card
//! until its sequence numbers are used up.

use crate::ask::Ask;
use pakawaaz_base::{Millis, SimId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Bounds; each allows a burst, which comes back over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Challenges and AUTS of one card at once.
    pub card_burst: u32,
    /// How many of them come back each minute.
    pub card_per_minute: u32,
    /// Challenges and AUTS of all cards at once.
    pub burst: u32,
    /// How many of them come back each second.
    pub per_second: u32,
    /// Concealed identities at once.
    pub suci_burst: u32,
    /// How many of them come back each second.
    pub suci_per_second: u32,
    /// Cards that are remembered; a stranger beyond that waits until one is forgotten.
    pub cards: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            card_burst: 40,
            card_per_minute: 40,
            burst: 20_000,
            per_second: 2_000,
            suci_burst: 20_000,
            suci_per_second: 2_000,
            cards: 1_000_000,
        }
    }
}

/// Microseconds after which a whole burst is there again.
type FullAt = u64;

/// Remembers who asked when.
pub struct Limiter {
    limits: Limits,
    cards: HashMap<SimId, FullAt>,
    all: FullAt,
    suci: FullAt,
}

impl Limiter {
    /// With these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cards: HashMap::new(), all: 0, suci: 0 }
    }

    /// Whether this may be answered now; if so, it counts. New cards and keys for identities are not limited: sealing
    /// and making give nothing away. `now` never goes back.
    pub fn allow(&mut self, ask: &Ask, now: Millis) -> bool {
        let now = now.as_u64().saturating_mul(1000);
        let l = self.limits;
        match ask {
            Ask::Vector { card, .. } | Ask::Resynchronise { card, .. } => {
                let Some(all) = draw(self.all, now, l.burst, second(l.per_second)) else { return false };
                if self.cards.len() >= l.cards && !self.cards.contains_key(card) {
                    self.cards.retain(|_, full_at| *full_at > now);
                    if self.cards.len() >= l.cards {
                        return false;
                    }
                }
                let before = self.cards.get(card).copied().unwrap_or(0);
                let pause = 60_000_000 / u64::from(l.card_per_minute.max(1));
                let Some(card_full_at) = draw(before, now, l.card_burst, pause) else { return false };
                self.cards.insert(*card, card_full_at);
                self.all = all;
                true
            }
            Ask::OpenSuci { .. } => match draw(self.suci, now, l.suci_burst, second(l.suci_per_second)) {
                Some(full_at) => {
                    self.suci = full_at;
                    true
                }
                None => false,
            },
            Ask::SealCard { .. } | Ask::MakeCard { .. } | Ask::NewSuciKey { .. } | Ask::SealSuciKey { .. } => true,
        }
    }
}

fn second(per_second: u32) -> u64 {
    1_000_000 / u64::from(per_second.clamp(1, 1_000_000))
}

fn draw(full_at: FullAt, now: u64, burst: u32, pause: u64) -> Option<FullAt> {
    let next = full_at.max(now).saturating_add(pause);
    (next - now <= pause.saturating_mul(u64::from(burst))).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Want;
    use crate::suci::Scheme;
    use pakawaaz_aka::NetworkName;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn vector(card: u8) -> Ask {
        let want = Want::FiveGAka { network: NetworkName::new("WLAN").expect("valid") };
        Ask::Vector { card: SimId::from_bytes([card; 16]), sealed: Vec::new(), sqn: [0; 6], want }
    }

    fn suci() -> Ask {
        Ask::OpenSuci { number: 1, scheme: Scheme::A, sealed: Vec::new(), identity: Vec::new() }
    }

    fn how_many(limiter: &mut Limiter, ask: &Ask, now: Millis) -> usize {
        (0..1000).take_while(|_| limiter.allow(ask, now)).count()
    }

    #[test]
    fn a_card_has_its_burst_and_regains_it() {
        let limits = Limits { card_burst: 5, card_per_minute: 60, ..Limits::default() };
        let mut limiter = Limiter::new(limits);
        assert_eq!(how_many(&mut limiter, &vector(1), NOW), 5);
        assert_eq!(how_many(&mut limiter, &vector(2), NOW), 5, "another card has its own");
        let auts =
            Ask::Resynchronise { card: SimId::from_bytes([1; 16]), sealed: vec![], rand: [0; 16], auts: [0; 14] };
        assert!(!limiter.allow(&auts, NOW), "AUTS counts as well");
        assert_eq!(how_many(&mut limiter, &vector(1), Millis(NOW.0 + 999)), 0);
        assert_eq!(how_many(&mut limiter, &vector(1), Millis(NOW.0 + 2_000)), 2);
        assert_eq!(how_many(&mut limiter, &vector(1), Millis(NOW.0 + 600_000)), 5);
    }

    #[test]
    fn all_together_are_bounded_and_identities_apart_from_them() {
        let limits = Limits { burst: 12, per_second: 10, suci_burst: 3, suci_per_second: 1, ..Limits::default() };
        let mut limiter = Limiter::new(limits);
        let drawn = (0..20u8).filter(|card| limiter.allow(&vector(*card), NOW)).count();
        assert_eq!(drawn, 12);
        assert!(limiter.allow(&vector(19), Millis(NOW.0 + 100)) && !limiter.allow(&vector(19), Millis(NOW.0 + 100)));
        assert_eq!(how_many(&mut limiter, &suci(), NOW), 3);
        assert_eq!(how_many(&mut limiter, &suci(), Millis(NOW.0 + 1_000)), 1);
        assert!(limiter.allow(&Ask::NewSuciKey { number: 1, scheme: Scheme::A }, NOW));
    }

    #[test]
    fn memory_is_bounded_and_cards_that_rested_are_forgotten() {
        let mut limiter = Limiter::new(Limits { cards: 10, ..Limits::default() });
        assert_eq!((0..20u8).filter(|card| limiter.allow(&vector(*card), NOW)).count(), 10);
        assert!(limiter.allow(&vector(3), NOW), "who is remembered goes on");
        assert!(limiter.allow(&vector(77), Millis(NOW.0 + 60_000)));
    }
}
