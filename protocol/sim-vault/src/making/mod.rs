//! Making cards: the vault draws K, derives OPc or TOPc from the operator's constant, which it alone has, and gives the new
//! secrets out in two forms only: sealed for the database, and encrypted under a transport key for whoever makes the card.
//!
//! The transport key is named, never sent: whoever has taken over the server can have cards made, but not for a key of
//! their own. Nothing here takes an existing card, so none can be exported.
//!
//! Two kinds of makers ([`Form`]). A card bureau gets fields under **AES-256 key wrap with padding** (RFC 5649): each field
//! is authentic, of any length, needs no nonce, and is what hardware security modules of bureaus unwrap. HPKE to the bureau's
//! public key was not chosen: no bureau takes it, and a public key that a server passes on could be anybody's. Programmable
//! cards are written with pySim, whose `CardKeyProviderCsv` decrypts columns with AES in CBC mode, one key a column.

pub mod bureau;
pub mod card_files;
pub mod key_wrap;
pub mod numbers;
pub mod pysim;
mod secrets;
pub mod transport;

#[cfg(test)]
pub(crate) use secrets::tests as secrets_tests;

pub use bureau::Batch;
pub use card_files::Profile;
pub use secrets::make;
pub use transport::{IssueKey, IssueKind};

use pakawaaz_aka::{Algorithm, TuakSettings};
use serde::{Deserialize, Serialize};

/// Which algorithm a new card has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CardKind {
    /// Milenage.
    Milenage,
    /// TUAK with K of 256 bits.
    Tuak {
        /// 1 or 2.
        iterations: u8,
        /// 32, 64 or 128.
        res_bits: u16,
    },
}

impl CardKind {
    /// TUAK with what the operator's cards share.
    pub fn tuak(settings: TuakSettings) -> Self {
        Self::Tuak { iterations: settings.iterations.count(), res_bits: settings.res.bits() }
    }
    /// `milenage` or `tuak`, as [`Algorithm::name`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Milenage => "milenage",
            Self::Tuak { .. } => "tuak",
        }
    }
}

/// Who makes the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// A card bureau.
    Bureau,
    /// Somebody with programmable cards and pySim.
    Pysim,
}

impl Form {
    /// As written in requests.
    pub fn text(self) -> &'static str {
        match self {
            Self::Bureau => "bureau",
            Self::Pysim => "pysim",
        }
    }
    /// The inverse.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Bureau, Self::Pysim].into_iter().find(|form| form.text() == text)
    }
}

/// A new card, as it leaves the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeCard {
    /// [`Algorithm::encode`], sealed for this card.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
    /// Check value of the transport key ([`transport::check_value`]); for pySim, that of the column KI and that of OPC.
    #[serde(with = "serde_bytes")]
    pub check: Vec<u8>,
    /// What its maker gets.
    pub secrets: Wrapped,
}

/// Secrets of a new card under a transport key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Wrapped {
    /// Each by RFC 5649. PINs and PUKs are 8 bytes as on the card: digits, then 0xff (TS 102 221 §9.5.1).
    Bureau {
        /// K.
        #[serde(with = "serde_bytes")]
        k: Vec<u8>,
        /// OPc or TOPc.
        #[serde(with = "serde_bytes")]
        opc: Vec<u8>,
        /// Administrative key, 8 bytes.
        #[serde(with = "serde_bytes")]
        adm1: Vec<u8>,
        /// PIN of the holder.
        #[serde(with = "serde_bytes")]
        pin1: Vec<u8>,
        /// Unblocks it.
        #[serde(with = "serde_bytes")]
        puk1: Vec<u8>,
        /// Second PIN.
        #[serde(with = "serde_bytes")]
        pin2: Vec<u8>,
        /// Unblocks it.
        #[serde(with = "serde_bytes")]
        puk2: Vec<u8>,
    },
    /// Each by AES-256 in CBC mode under its column's key. Programmable cards come with ADM1, PINs and PUKs.
    Pysim {
        /// K.
        #[serde(with = "serde_bytes")]
        ki: Vec<u8>,
        /// OPc or TOPc.
        #[serde(with = "serde_bytes")]
        opc: Vec<u8>,
    },
}

/// The algorithm of a card, opened again: for whoever plays the bureau in tests.
pub fn algorithm(kind: CardKind, k: &[u8], opc: &[u8]) -> Option<Algorithm> {
    let (k, opc) = (crate::Secret::new(k), crate::Secret::new(opc));
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(68));
    match kind {
        CardKind::Milenage => bytes.push(1),
        CardKind::Tuak { iterations, res_bits } => {
            bytes.extend([2, iterations, u8::try_from(res_bits / 8).ok()?, u8::try_from(k.as_bytes().len()).ok()?]);
        }
    }
    bytes.extend_from_slice(k.as_bytes());
    bytes.extend_from_slice(opc.as_bytes());
    Algorithm::decode(&bytes).ok()
}
