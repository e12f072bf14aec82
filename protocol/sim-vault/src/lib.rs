//! The vault of the SIMs' keys: what it is asked, what it answers, and how often it does.
//!
//! Whoever asks gives a card's secrets as the vault sealed them and gets what follows from them for one network: a
//! challenge with what the answer to it proves, or the sequence number in an AUTS. K, OPc, CK and IK have no place in an
//! [`Answer`]. The vault draws RAND itself: whoever recorded a challenge on the air and can ask the vault later does not
//! learn the keys of that day.
//!
//! It also makes new cards ([`making`]): their secrets leave sealed, and under a transport key that the vault knows by name.
//!
//! [`answer`] is that logic without keys of its own ([`Wrap`] has them); [`frame`] is its form on a socket, [`Limiter`]
//! says how often, [`Uses`] counts. The same code runs in `bin/vault` and, where no vault is configured, in the server.
//!
//! **Invariant**: no answer holds a card's key in clear, nor a key that is not bound to one network; a card that exists
//! leaves in no form.

pub mod answer;
pub mod ask;
pub mod frame;
pub mod fuzz;
pub mod limit;
pub mod making;
pub mod suci;
pub mod uses;

pub use answer::{Bound, Wrap, WrapError, answer};
pub use ask::{Answer, Ask, EapResult, FiveGResult, FromVault, Refusal, Secret, ToVault, Want};
pub use limit::{Limiter, Limits};
pub use suci::{Concealed, Scheme};
pub use uses::{Report, Uses};

use pakawaaz_base::{ErrorClass, StableError};

/// The other end is not a vault of this version, or not what asks one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimVaultError {
    /// Bytes that are no frame, or one that is too long.
    #[error("a frame of the vault's socket is malformed")]
    Frame,
    /// Bytes that are no batch of cards for a bureau.
    #[error("the card batch is malformed at line {0}")]
    Batch(u32),
    /// An answer that does not belong to what was asked.
    #[error("the vault's answer does not fit what it was asked")]
    Answer,
}

impl StableError for SimVaultError {
    fn code(&self) -> &'static str {
        match self {
            Self::Frame => "sim_vault.frame",
            Self::Batch(_) => "sim_vault.batch",
            Self::Answer => "sim_vault.answer",
        }
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Internal
    }
}
