//! What can go wrong, with stable codes. Texts are log-safe.

use crate::store::StoreError;
use crate::transport::TransportError;
use pakawaaz_base::{ErrorClass, StableError};

/// Any failure of the client core.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The local store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server refused, with its own stable code.
    #[error("the server refused: {code}")]
    Refused {
        /// The server's stable code, for example `identity.wrong_password`.
        code: String,
        /// HTTP status.
        status: u16,
        /// Try again no sooner, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The server's answer makes no sense.
    #[error("the server's answer is not of this protocol")]
    BadAnswer,
    /// The server speaks another version.
    #[error("the server speaks another protocol version")]
    WrongVersion,
    /// No profile here yet: enrol first.
    #[error("no profile here yet")]
    NotEnrolled,
    /// There is a profile already.
    #[error("there is a profile already")]
    AlreadyEnrolled,
    /// The vault is closed: unlock with the PIN first.
    #[error("the profile is locked")]
    Locked,
    /// The PIN is wrong, or this is another device.
    #[error("wrong PIN")]
    WrongPin,
    /// The PIN is shorter than allowed.
    #[error("the PIN is too short")]
    WeakPin,
    /// No session, or it ended: log in with all three factors.
    #[error("log in again")]
    LoginRequired,
    /// This device waits for another one to approve it.
    #[error("this device waits for approval by another device")]
    NotApproved,
    /// A row of the store is damaged.
    #[error("a stored row is damaged")]
    Damaged,
    /// Something was not believed.
    #[error(transparent)]
    Trust(#[from] pakawaaz_trust::TrustError),
    /// The login or enrolment protocol failed.
    #[error("the login could not be completed: {0}")]
    Login(&'static str),
    /// The SIM failed.
    #[error("the SIM failed: {0}")]
    Sim(&'static str),
    /// MLS refused.
    #[error("mls: {0}")]
    Mls(&'static str),
    /// No such conversation on this device.
    #[error("no such conversation")]
    NoSuchConversation,
    /// This device is not a member any more.
    #[error("no longer a member of this conversation")]
    NotMember,
    /// None of the officials has a device that can be added.
    #[error("an official has no device that can be added yet")]
    NoDevice,
    /// No such message in this conversation on this device.
    #[error("no such message")]
    NoSuchMessage,
    /// Only its author changes a message.
    #[error("only its author can change a message")]
    NotAuthor,
    /// Not something that can stand under a message.
    #[error("this cannot be a reaction")]
    BadReaction,
    /// A one-to-one conversation has two parties for good.
    #[error("a one-to-one conversation cannot be left")]
    DirectStays,
    /// Not the continuation of a search.
    #[error("this does not continue a search")]
    BadCursor,
    /// No such device.
    #[error("no such device")]
    NoSuchDevice,
    /// The message is too long.
    #[error("the message is too long")]
    TooLong,
    /// The act needs at least one other official.
    #[error("a conversation needs another official")]
    NobodyElse,
    /// A file's transfer.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// The compared codes differ.
    #[error("the codes differ")]
    CodeMismatch,
}

impl ClientError {
    /// The server's code, when the server refused; the client's own otherwise.
    pub fn any_code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            other => other.code(),
        }
    }
    /// Whether trying the same again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Transport(e) => *e != TransportError::Untrusted,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}

impl StableError for ClientError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(StoreError::Full) => "client.store_full",
            Self::Store(StoreError::Busy) => "client.store_busy",
            Self::Store(StoreError::Failed(_)) => "client.store_failed",
            Self::Transport(TransportError::Unreachable) => "client.unreachable",
            Self::Transport(TransportError::Untrusted) => "client.untrusted_server",
            Self::Transport(TransportError::Broken(_)) => "client.connection_broken",
            Self::Transport(TransportError::TimedOut) => "client.timed_out",
            Self::Refused { .. } => "client.refused",
            Self::BadAnswer => "client.bad_answer",
            Self::WrongVersion => "client.wrong_version",
            Self::NotEnrolled => "client.not_enrolled",
            Self::AlreadyEnrolled => "client.already_enrolled",
            Self::Locked => "client.locked",
            Self::WrongPin => "client.wrong_pin",
            Self::WeakPin => "client.weak_pin",
            Self::LoginRequired => "client.login_required",
            Self::NotApproved => "client.not_approved",
            Self::Damaged => "client.damaged",
            Self::Trust(e) => e.code(),
            Self::Login(_) => "client.login_protocol",
            Self::Sim(_) => "client.sim",
            Self::Mls(_) => "client.mls",
            Self::NoSuchConversation => "client.no_such_conversation",
            Self::NotMember => "client.not_member",
            Self::NoDevice => "client.no_device",
            Self::NoSuchDevice => "client.no_such_device",
            Self::NoSuchMessage => "client.no_such_message",
            Self::NotAuthor => "client.not_author",
            Self::BadReaction => "client.bad_reaction",
            Self::DirectStays => "client.direct_stays",
            Self::BadCursor => "client.bad_cursor",
            Self::TooLong => "client.too_long",
            Self::NobodyElse => "client.nobody_else",
            Self::File(e) => e.code(),
            Self::CodeMismatch => "client.code_mismatch",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::Store(StoreError::Full | StoreError::Busy) | Self::Transport(_) => ErrorClass::Unavailable,
            Self::Store(_) | Self::Damaged | Self::Mls(_) | Self::BadAnswer => ErrorClass::Internal,
            Self::Refused { status, .. } => match status {
                401 => ErrorClass::Unauthenticated,
                403 => ErrorClass::Forbidden,
                404 => ErrorClass::NotFound,
                409 | 412 => ErrorClass::Conflict,
                429 => ErrorClass::Throttled,
                400..=499 => ErrorClass::Invalid,
                503 | 507 => ErrorClass::Unavailable,
                _ => ErrorClass::Internal,
            },
            Self::NotEnrolled
            | Self::NoSuchConversation
            | Self::NoSuchDevice
            | Self::NoSuchMessage
            | Self::NoDevice => ErrorClass::NotFound,
            Self::AlreadyEnrolled => ErrorClass::Conflict,
            Self::Locked | Self::WrongPin | Self::LoginRequired => ErrorClass::Unauthenticated,
            Self::NotAuthor
            | Self::NotApproved
            | Self::NotMember
            | Self::CodeMismatch
            | Self::Login(_)
            | Self::Sim(_) => ErrorClass::Forbidden,
            Self::Trust(e) => e.class(),
            Self::File(e) => e.class(),
            Self::BadReaction | Self::DirectStays | Self::BadCursor => ErrorClass::Invalid,
            Self::WrongVersion | Self::WeakPin | Self::TooLong | Self::NobodyElse => ErrorClass::Invalid,
        }
    }
}
