//! Errors of this context.

use pakawaaz_audit::AuditError;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_storage::StorageError;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// No such file, not the caller's, or the wrong access value: which of these is not told.
    #[error("there is no such file")]
    NotFound,
    /// Sizes of nothing, or of more chunks than a file may have.
    #[error("no file has this size with chunks of that size")]
    BadSize,
    /// Larger than this server takes.
    #[error("the file or its chunks are larger than this server takes")]
    TooLarge,
    /// The access hash is not 32 bytes.
    #[error("the access hash is not a SHA-256")]
    BadAccessHash,
    /// No such chunk, or another length than it has.
    #[error("the chunk has the wrong number or length")]
    BadChunk,
    /// Other bytes were stored for this chunk.
    #[error("other bytes are stored for this chunk")]
    ChunkDiffers,
    /// The file is complete; nothing can be added.
    #[error("the file is complete")]
    Complete,
    /// Chunks are missing.
    #[error("chunks are missing")]
    Incomplete,
    /// The same access hash with other sizes.
    #[error("another upload has this access hash")]
    AlreadyAnnounced,
    /// The official's files would take up too much.
    #[error("the quota is used up")]
    Quota,
    /// Too many uploads of this official are not complete.
    #[error("too many uploads are open")]
    TooManyUploads,
    /// Too many chunks of this official are on their way at once.
    #[error("too many chunks at once")]
    Busy,
    /// The body broke off or stalled.
    #[error("the body could not be read")]
    Body,
    /// A blob is missing or short: the disk lost it.
    #[error("the server has lost a part of this file")]
    Damaged,
    /// The blob store failed.
    #[error("the store of files failed")]
    Blobs,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The audit log refused the entry, so nothing was done.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<sqlx::Error> for FilesError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl StableError for FilesError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "files.not_found",
            Self::BadSize => "files.bad_size",
            Self::TooLarge => "files.too_large",
            Self::BadAccessHash => "files.bad_access_hash",
            Self::BadChunk => "files.bad_chunk",
            Self::ChunkDiffers => "files.chunk_differs",
            Self::Complete => "files.complete",
            Self::Incomplete => "files.incomplete",
            Self::AlreadyAnnounced => "files.already_announced",
            Self::Quota => "files.quota",
            Self::TooManyUploads => "files.too_many_uploads",
            Self::Busy => "files.busy",
            Self::Body => "files.body",
            Self::Damaged => "files.damaged",
            Self::Blobs => "files.blobs",
            Self::Storage(e) => e.code(),
            Self::Audit(e) => e.code(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::NotFound | Self::Damaged => ErrorClass::NotFound,
            Self::BadSize | Self::TooLarge | Self::BadAccessHash | Self::BadChunk | Self::Body => ErrorClass::Invalid,
            Self::ChunkDiffers | Self::Complete | Self::Incomplete | Self::AlreadyAnnounced | Self::TooManyUploads => {
                ErrorClass::Conflict
            }
            Self::Quota => ErrorClass::Forbidden,
            Self::Busy => ErrorClass::Throttled,
            Self::Blobs => ErrorClass::Unavailable,
            Self::Storage(e) => e.class(),
            Self::Audit(e) => e.class(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Busy => Some(1000),
            _ => None,
        }
    }
}
