//! Errors of the allow-list file and of the link to the control plane. A refused packet is a verdict, no error.

use pakawaaz_base::{ErrorClass, StableError};

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserPlaneError {
    /// The allow-list file has no signature line, or another key signed it, or it was changed after signing.
    #[error("the allow-list file is not signed with the expected key")]
    Signature,
    /// The allow-list file is no TOML of the expected shape.
    #[error("the allow-list file cannot be read: {0}")]
    Syntax(String),
    /// The allow-list says something that may not be said. The text names the data network and the entry; it is for the
    /// operator who wrote the file.
    #[error("the allow-list is refused: {0}")]
    AllowList(String),
    /// An older allow-list than the one in force.
    #[error("the allow-list is older than the least one that is accepted")]
    Outdated,
    /// A frame on the link is too long, of another version or not what it should be.
    #[error("a frame on the link to the control plane is malformed")]
    Frame,
}

impl StableError for UserPlaneError {
    fn code(&self) -> &'static str {
        match self {
            Self::Signature => "user_plane.signature",
            Self::Syntax(_) => "user_plane.syntax",
            Self::AllowList(_) => "user_plane.allow_list",
            Self::Outdated => "user_plane.outdated",
            Self::Frame => "user_plane.frame",
        }
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}
