//! Cards that were cut off while something of them was still on its way.
//!
//! The home network refuses a card that is cut off. But a challenge drawn just before may be answered just after, and a
//! registration completed with it. So a cut is remembered until the home network has accepted the card again, and until no
//! registration from before can complete.

use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use std::collections::HashMap;
use std::time::Duration;

/// Longer than any registration takes, with all repetitions.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Cards that are remembered; beyond, the oldest are forgotten.
const MOST: usize = 10_000;

/// Remembers cuts. `at` counts questions to the home network.
#[derive(Debug, Default)]
pub struct RecentCuts(HashMap<Imsi, (u64, Millis)>);

impl RecentCuts {
    /// A card was cut off now, after `asked` questions.
    pub fn cut(&mut self, imsi: Imsi, asked: u64, now: Millis) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (_, at)| now.since(*at) < REMEMBERED);
        }
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (_, at))| *at).map(|(imsi, _)| *imsi)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(imsi, (asked, now));
    }

    /// The home network has given a vector, to a question with this number. Whether it still counts.
    pub fn vector(&mut self, imsi: &Imsi, asked: u64) -> bool {
        match self.0.get(imsi) {
            Some((cut, _)) if asked <= *cut => false,
            _ => {
                self.0.remove(imsi);
                true
            }
        }
    }

    /// Whether a card that registers now has been cut off.
    pub fn is_cut(&self, imsi: &Imsi, now: Millis) -> bool {
        self.0.get(imsi).is_some_and(|(_, at)| now.since(*at) < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_the_cut_does_not_count_and_what_comes_after_does() {
        let (mut cuts, imsi, now) = (RecentCuts::default(), Imsi::new("410990000000001").unwrap(), Millis(1_000_000));
        assert!(cuts.vector(&imsi, 1));
        cuts.cut(imsi, 5, now);
        assert!(cuts.is_cut(&imsi, now));
        assert!(!cuts.vector(&imsi, 5), "asked before");
        assert!(cuts.is_cut(&imsi, now));
        assert!(cuts.vector(&imsi, 6), "the home network knows of the cut and gave one");
        assert!(!cuts.is_cut(&imsi, now));
        cuts.cut(imsi, 6, now);
        assert!(!cuts.is_cut(&imsi, now.plus(REMEMBERED)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut cuts = RecentCuts::default();
        for n in 0..MOST + 10 {
            cuts.cut(Imsi::new(&format!("41099{n:010}")).unwrap(), 0, Millis(n as i64));
        }
        assert_eq!(cuts.0.len(), MOST);
    }
}
