//! What can go wrong. Texts are log-safe.

use pakawaaz_base::{ErrorClass, StableError};

/// A chunk or a shape was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileStreamError {
    /// No file can have this size with chunks of that size.
    #[error("the size of the file or of its chunks is out of bounds")]
    BadShape,
    /// Such a chunk does not exist, or it has another length.
    #[error("the chunk has the wrong length or place")]
    WrongLength,
    /// Changed, moved, or of another file.
    #[error("the chunk is not authentic")]
    NotAuthentic,
}

impl StableError for FileStreamError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadShape => "file_stream.bad_shape",
            Self::WrongLength => "file_stream.wrong_length",
            Self::NotAuthentic => "file_stream.not_authentic",
        }
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}
