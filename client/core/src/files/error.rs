//! What can go wrong with a transfer, with stable codes. Texts are log-safe.

/// A failure that is neither the server's nor the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file to be sent cannot be read.
    #[error("the file cannot be read")]
    Source,
    /// The place to save to cannot be written.
    #[error("the file cannot be saved")]
    Sink,
    /// The outgoing folder cannot be used.
    #[error("the outgoing folder cannot be used")]
    Spool,
    /// The file must be chosen again to go on.
    #[error("choose the file again")]
    NeedsFile,
    /// The file keeps changing while it is sent.
    #[error("the file changes while it is sent")]
    Changing,
    /// What came from the server is not the file of the message.
    #[error("the file is not authentic")]
    NotAuthentic,
    /// Name, type, thumbnail or size outside the limits.
    #[error("the file cannot be described in a message")]
    BadFile,
    /// No such transfer.
    #[error("no such transfer")]
    NoSuchTransfer,
    /// It runs already.
    #[error("the transfer runs already")]
    Running,
    /// It was paused.
    #[error("the transfer was paused")]
    Paused,
    /// It was cancelled.
    #[error("the transfer was cancelled")]
    Cancelled,
}

impl FileError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Source => "client.file_source",
            Self::Sink => "client.file_sink",
            Self::Spool => "client.file_spool",
            Self::NeedsFile => "client.file_needed",
            Self::Changing => "client.file_changing",
            Self::NotAuthentic => "client.file_not_authentic",
            Self::BadFile => "client.bad_file",
            Self::NoSuchTransfer => "client.no_such_transfer",
            Self::Running => "client.transfer_running",
            Self::Paused => "client.transfer_paused",
            Self::Cancelled => "client.transfer_cancelled",
        }
    }
    pub(crate) fn class(self) -> pakawaaz_base::ErrorClass {
        use pakawaaz_base::ErrorClass;
        match self {
            Self::Source | Self::Sink | Self::Spool => ErrorClass::Unavailable,
            Self::NeedsFile | Self::NoSuchTransfer => ErrorClass::NotFound,
            Self::Changing | Self::Running | Self::Paused | Self::Cancelled => ErrorClass::Conflict,
            Self::NotAuthentic => ErrorClass::Forbidden,
            Self::BadFile => ErrorClass::Invalid,
        }
    }
}
