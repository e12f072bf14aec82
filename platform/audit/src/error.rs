//! Errors of the audit log.

use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_storage::StorageError;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The chain does not hold from this entry on: something was changed, removed or inserted.
    #[error("the audit log was tampered with at entry {seq}")]
    Tampered {
        /// First entry that does not fit.
        seq: i64,
    },
    /// An entry is malformed (action without a dot, oversized subject or detail).
    #[error("the audit entry is malformed")]
    Malformed,
}

impl From<sqlx::Error> for AuditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl StableError for AuditError {
    fn code(&self) -> &'static str {
        match self {
            Self::Storage(e) => e.code(),
            Self::Tampered { .. } => "audit.tampered",
            Self::Malformed => "audit.malformed",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Storage(e) => e.class(),
            Self::Tampered { .. } => ErrorClass::Internal,
            Self::Malformed => ErrorClass::Invalid,
        }
    }
}
