//! Errors of the content codec and of the group policy.

use pakawaaz_base::{ErrorClass, StableError};

/// An application message that says nothing usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Larger than [`crate::content::MAX_CONTENT`], or a field above its own limit.
    #[error("content exceeds a limit")]
    TooLarge,
    /// Not CBOR of the expected shape.
    #[error("content is malformed")]
    Malformed,
    /// The author's signature does not cover this group, epoch, message and content.
    #[error("content signature is wrong")]
    BadSignature,
    /// The author named inside is not the member who sent it.
    #[error("content author is not its sender")]
    WrongAuthor,
    /// Encrypted in another epoch than it claims (RFC 9420 §8.7).
    #[error("content belongs to another epoch")]
    WrongEpoch,
}

impl StableError for ContentError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "conversation.content_too_large",
            Self::Malformed => "conversation.content_malformed",
            Self::BadSignature => "conversation.content_bad_signature",
            Self::WrongAuthor => "conversation.content_wrong_author",
            Self::WrongEpoch => "conversation.content_wrong_epoch",
        }
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

/// A group, commit or proposal that the policy forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not our suite, configuration or group context extensions.
    #[error("group is not configured as a conversation")]
    WrongConfiguration,
    /// A credential that is not our X.509 chain, does not verify, or names somebody else than it must.
    #[error("leaf credential is not acceptable")]
    BadLeaf,
    /// A leaf in the tree changes its device or official.
    #[error("a leaf may not change its identity")]
    IdentityChanged,
    /// The device is in the group already.
    #[error("device is in the group already")]
    DuplicateDevice,
    /// A proposal type nobody may use.
    #[error("proposal type is not allowed")]
    ProposalNotAllowed,
    /// The sender may not do this in a conversation of this kind.
    #[error("sender may not do this")]
    NotAllowed,
    /// An external commit that does not consist of exactly one Remove, of its own device.
    #[error("external commit may only replace its own device")]
    BadExternalCommit,
    /// An external proposal without a valid revocation of the leaf it removes.
    #[error("removal rests on no valid revocation")]
    NoRevocation,
    /// Revoked devices are still in the tree after the commit.
    #[error("commit leaves out a pending removal")]
    RemovalLeftOut,
    /// More leaves than [`crate::config::MAX_MEMBERS`].
    #[error("group is full")]
    TooManyMembers,
}

impl StableError for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongConfiguration => "conversation.wrong_configuration",
            Self::BadLeaf => "conversation.bad_leaf",
            Self::IdentityChanged => "conversation.identity_changed",
            Self::DuplicateDevice => "conversation.duplicate_device",
            Self::ProposalNotAllowed => "conversation.proposal_not_allowed",
            Self::NotAllowed => "conversation.not_allowed",
            Self::BadExternalCommit => "conversation.bad_external_commit",
            Self::NoRevocation => "conversation.no_revocation",
            Self::RemovalLeftOut => "conversation.removal_left_out",
            Self::TooManyMembers => "conversation.too_many_members",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::NotAllowed => ErrorClass::Forbidden,
            Self::RemovalLeftOut => ErrorClass::Conflict,
            _ => ErrorClass::Invalid,
        }
    }
}
