//! Why a datagram is no GTP-U message that we understand.

use pakawaaz_base::{ErrorClass, StableError};

/// Errors of the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GtpuError {
    /// Shorter than what it says of itself, or than any message.
    #[error("the message is cut off")]
    CutOff,
    /// Longer than what it says of itself.
    #[error("the message has bytes after its end")]
    TrailingBytes,
    /// Not version 1, or GTP' (TS 29.281 §5.1).
    #[error("not GTP-U version 1")]
    Version,
    /// An extension header of length zero, or a chain of more than [`crate::extension::MAX_EXTENSIONS`].
    #[error("the extension headers are malformed")]
    Extensions,
    /// A PDU session container (TS 38.415 §5.5.2) that is too short for its own flags, or of another type.
    #[error("the PDU session container is malformed")]
    Container,
    /// Information elements out of order, cut off or of the wrong length (TS 29.281 §8).
    #[error("the information elements are malformed")]
    Elements,
    /// The caller's buffer is too small, or a length does not fit its field.
    #[error("no room for the message")]
    NoRoom,
}

impl StableError for GtpuError {
    fn code(&self) -> &'static str {
        match self {
            Self::CutOff => "gtpu.cut_off",
            Self::TrailingBytes => "gtpu.trailing_bytes",
            Self::Version => "gtpu.version",
            Self::Extensions => "gtpu.extensions",
            Self::Container => "gtpu.container",
            Self::Elements => "gtpu.elements",
            Self::NoRoom => "gtpu.no_room",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoRoom => ErrorClass::Internal,
            _ => ErrorClass::Invalid,
        }
    }
}
