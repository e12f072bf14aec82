//! Errors of this context.

use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_conversation::PolicyError;
use pakawaaz_storage::StorageError;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessagingError {
    /// The group has moved to another epoch; catch up and encrypt or commit again.
    #[error("the group is in epoch {current}")]
    EpochConflict {
        /// The group's epoch now.
        current: u64,
    },
    /// The device is no member of the group, or its traffic is refused.
    #[error("the device is not a member of the group")]
    NotMember,
    /// The device was revoked or suspended.
    #[error("the device has been cut off")]
    DeviceCut,
    /// The message id was used for something else in this group.
    #[error("the message id is in use")]
    Duplicate,
    /// No such group, or not for this device.
    #[error("there is no such group")]
    GroupNotFound,
    /// Another group has this id.
    #[error("the group exists already")]
    GroupExists,
    /// The official has created as many groups as the installation allows.
    #[error("this official has created too many groups")]
    TooManyGroups,
    /// The group takes nothing more: it was quarantined or has a successor.
    #[error("the group is closed")]
    GroupClosed,
    /// A successor is possible for a quarantined group only, by another member than the quarantined one.
    #[error("the group needs no successor from this device")]
    NoSuccessor,
    /// The tree of that epoch is not kept any more, or never was.
    #[error("there is no tree for that epoch")]
    TreeNotFound,
    /// Not the MLS message that belongs here, or not for this group and epoch.
    #[error("the mls message does not belong here")]
    BadMessage,
    /// openmls refuses the commit.
    #[error("the commit is not valid")]
    BadCommit,
    /// GroupInfo or tree do not verify or do not match the commit.
    #[error("group info or ratchet tree do not match")]
    BadGroupInfo,
    /// The Welcome is missing, superfluous, or not for the devices that were added.
    #[error("the welcome does not match the commit")]
    BadWelcome,
    /// A key package that does not verify, or is not the caller's.
    #[error("a key package is not acceptable")]
    BadKeyPackage,
    /// Too many in one request, or stored already.
    #[error("too many key packages")]
    TooManyKeyPackages,
    /// A device that is added is not active.
    #[error("a device is not active")]
    DeviceNotActive,
    /// The rejection is not valid or not about a commit of this group.
    #[error("the rejection is not valid")]
    BadRejection,
    /// Larger than the protocol allows.
    #[error("the message is too large")]
    TooLarge,
    /// The policy forbids it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Another context did not answer.
    #[error("a dependency is unavailable")]
    Dependency,
    /// Stored MLS state cannot be read or written.
    #[error("stored group state is damaged")]
    State,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for MessagingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}
impl From<pakawaaz_mls_storage::StorageError> for MessagingError {
    fn from(_: pakawaaz_mls_storage::StorageError) -> Self {
        Self::State
    }
}

impl StableError for MessagingError {
    fn code(&self) -> &'static str {
        match self {
            Self::EpochConflict { .. } => "messaging.epoch_conflict",
            Self::NotMember => "messaging.not_member",
            Self::DeviceCut => "messaging.device_cut",
            Self::Duplicate => "messaging.duplicate",
            Self::GroupNotFound => "messaging.group_not_found",
            Self::GroupExists => "messaging.group_exists",
            Self::TooManyGroups => "messaging.too_many_groups",
            Self::GroupClosed => "messaging.group_closed",
            Self::NoSuccessor => "messaging.no_successor",
            Self::TreeNotFound => "messaging.tree_not_found",
            Self::BadMessage => "messaging.bad_message",
            Self::BadCommit => "messaging.bad_commit",
            Self::BadGroupInfo => "messaging.bad_group_info",
            Self::BadWelcome => "messaging.bad_welcome",
            Self::BadKeyPackage => "messaging.bad_key_package",
            Self::TooManyKeyPackages => "messaging.too_many_key_packages",
            Self::DeviceNotActive => "messaging.device_not_active",
            Self::BadRejection => "messaging.bad_rejection",
            Self::TooLarge => "messaging.too_large",
            Self::Dependency => "messaging.dependency_unavailable",
            Self::State => "messaging.state_damaged",
            Self::Policy(e) => e.code(),
            Self::Storage(e) => e.code(),
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::EpochConflict { .. } | Self::Duplicate | Self::GroupExists | Self::GroupClosed => {
                ErrorClass::Conflict
            }
            Self::NotMember | Self::DeviceCut | Self::NoSuccessor => ErrorClass::Forbidden,
            Self::TooManyGroups => ErrorClass::Throttled,
            Self::GroupNotFound | Self::TreeNotFound => ErrorClass::NotFound,
            Self::BadMessage
            | Self::BadCommit
            | Self::BadGroupInfo
            | Self::BadWelcome
            | Self::BadKeyPackage
            | Self::TooManyKeyPackages
            | Self::DeviceNotActive
            | Self::BadRejection
            | Self::TooLarge => ErrorClass::Invalid,
            Self::Dependency => ErrorClass::Unavailable,
            Self::State => ErrorClass::Internal,
            Self::Policy(e) => e.class(),
            Self::Storage(e) => e.class(),
        }
    }
}
