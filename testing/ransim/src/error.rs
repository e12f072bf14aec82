//! What can go wrong outside of the state machines. Texts name no card and no key.

use pakawaaz_base::{ErrorClass, StableError};
use thiserror::Error;

/// Errors of SIM files, set-up and encoding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RansimError {
    /// A line or entry of a SIM file is not a card.
    #[error("SIM file: entry {entry} is not a card")]
    SimFile {
        /// Counted from 1.
        entry: usize,
    },
    /// A value of the configuration cannot be used.
    #[error("configuration: {0}")]
    Configuration(&'static str),
    /// A message of ours does not encode: a value is outside of its field.
    #[error("a message does not encode")]
    Encode,
    /// A socket refused.
    #[error("the network refused: {0}")]
    Socket(String),
    /// The phone is not in a state for this.
    #[error("the phone cannot do this now: {0}")]
    State(&'static str),
}

impl StableError for RansimError {
    fn code(&self) -> &'static str {
        match self {
            Self::SimFile { .. } => "ransim.sim_file",
            Self::Configuration(_) => "ransim.configuration",
            Self::Encode => "ransim.encode",
            Self::Socket(_) => "ransim.socket",
            Self::State(_) => "ransim.state",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::SimFile { .. } | Self::Configuration(_) => ErrorClass::Invalid,
            Self::Encode => ErrorClass::Internal,
            Self::Socket(_) => ErrorClass::Unavailable,
            Self::State(_) => ErrorClass::Conflict,
        }
    }
}
