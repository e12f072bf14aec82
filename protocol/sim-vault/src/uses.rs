//! How much the vault was used, for the audit log.

use crate::ask::{Answer, Ask, Refusal, Want};
use serde::{Deserialize, Serialize};

/// The counters, named once: the struct, and its values in this order, which is also that of the ledger.
macro_rules! counters {
    ($($(#[$about:meta])+ $name:ident),+ $(,)?) => {
        /// Counters since the vault's key was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Uses {
            $($(#[$about])+ pub $name: u64,)+
        }

        /// How many counters there are.
        const COUNTERS: usize = [$(stringify!($name)),+].len();

        impl Uses {
            /// Every counter with its name, in a fixed order.
            pub fn values(&self) -> [(&'static str, u64); COUNTERS] {
                [$((stringify!($name), self.$name)),+]
            }

            /// The inverse of [`Uses::values`].
            pub fn from_values([$($name),+]: [u64; COUNTERS]) -> Self {
                Self { $($name),+ }
            }
        }
    };
}

counters! {
    /// Challenges for EAP-AKA'.
    eap_vectors,
    /// Challenges for 5G AKA.
    core_vectors,
    /// AUTS that were right.
    resynchronisations,
    /// AUTS that were wrong.
    auts_rejected,
    /// Cards sealed: imported or made.
    cards_sealed,
    /// Keys for concealed identities made, or sealed.
    suci_keys_made,
    /// Concealed identities opened.
    sucis_opened,
    /// Concealed identities that did not open.
    sucis_rejected,
    /// Refused: too many.
    too_many,
    /// Refused: sealed by another key, or for another card.
    not_ours,
    /// Refused: anything else.
    other_refusals,
}

impl Uses {
    /// Counts one answer.
    pub fn count(&mut self, ask: &Ask, answer: &Answer) {
        let counter = match (ask, answer) {
            (_, Answer::Refused(Refusal::AutsRejected)) => &mut self.auts_rejected,
            (_, Answer::Refused(Refusal::Concealed)) => &mut self.sucis_rejected,
            (_, Answer::Refused(Refusal::TooMany)) => &mut self.too_many,
            (_, Answer::Refused(Refusal::NotOurs)) => &mut self.not_ours,
            (_, Answer::Refused(_)) => &mut self.other_refusals,
            (Ask::Vector { want: Want::EapAkaPrime { .. }, .. }, _) => &mut self.eap_vectors,
            (Ask::Vector { want: Want::FiveGAka { .. }, .. }, _) => &mut self.core_vectors,
            (Ask::Resynchronise { .. }, _) => &mut self.resynchronisations,
            (Ask::SealCard { .. } | Ask::MakeCard { .. }, _) => &mut self.cards_sealed,
            (Ask::NewSuciKey { .. } | Ask::SealSuciKey { .. }, _) => &mut self.suci_keys_made,
            (Ask::OpenSuci { .. }, _) => &mut self.sucis_opened,
        };
        *counter = counter.saturating_add(1);
    }
}

/// What the vault says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which key it holds: the first bytes of everything that it sealed.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 8],
    /// How often it was started.
    pub starts: u64,
    /// All starts together.
    pub uses: Uses,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_trip_and_none_is_counted_twice() {
        let uses = Uses::from_values([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(Uses::from_values(uses.values().map(|(_, value)| value)), uses);
        let mut counted = Uses::default();
        let ask = Ask::NewSuciKey { number: 1, scheme: crate::Scheme::A };
        for refusal in [Refusal::TooMany, Refusal::NotOurs, Refusal::Network, Refusal::Down] {
            counted.count(&ask, &Answer::Refused(refusal));
        }
        counted.count(&ask, &Answer::SuciKey { sealed: vec![], public: vec![] });
        let expected = Uses { too_many: 1, not_ours: 1, other_refusals: 2, suci_keys_made: 1, ..Uses::default() };
        assert_eq!(counted, expected);
    }
}
