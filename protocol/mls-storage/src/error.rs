//! What can go wrong: only the codec can.

use pakawaaz_base::{ErrorClass, StableError};

/// A row could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// openmls handed over a value that has no encoding.
    #[error("mls state cannot be encoded")]
    Encode,
    /// A stored row is damaged, or of a version that this build cannot read.
    #[error("stored mls state cannot be read")]
    Decode,
    /// The proposal queue names a proposal that is not stored.
    #[error("stored mls state is incomplete")]
    Incomplete,
}

impl StableError for StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Encode => "mls_storage.encode",
            Self::Decode => "mls_storage.decode",
            Self::Incomplete => "mls_storage.incomplete",
        }
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Internal
    }
}
