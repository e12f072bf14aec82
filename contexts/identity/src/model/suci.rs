//! The keys that open concealed identities (SUCI; TS 33.501 §6.12, Annex C). Only the vault opens one.

use pakawaaz_base::Millis;
pub use pakawaaz_sim_vault::suci::{Scheme, read};
use std::ops::RangeInclusive;

/// Numbers of keys: 0 belongs to the null scheme, 255 is reserved (TS 24.501 §9.11.3.4).
pub const NUMBERS: RangeInclusive<u8> = 1..=254;

/// A key of the home network. The private half stays sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SuciKey {
    /// Home network public key identifier, on every card that has it.
    pub number: u8,
    /// Its scheme.
    pub scheme: Scheme,
    /// Private key under the vault's key.
    pub sealed: Vec<u8>,
    /// Public key: 32 bytes for A, SEC1 compressed for B.
    pub public: Vec<u8>,
    /// When it was made.
    pub made_at: Millis,
    /// New cards do not get it since.
    pub retired_at: Option<Millis>,
}

impl std::fmt::Debug for SuciKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SuciKey").field("number", &self.number).field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
