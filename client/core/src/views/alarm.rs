//! Alarms: things an honest server and honest members never do.

use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use serde::{Deserialize, Serialize};

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// An entry of a conversation's log is missing.
    LogGap,
    /// Entries arrived in another order than their chain says, or were altered.
    LogReordered,
    /// An entry was delivered again under another position or content.
    LogReplayed,
    /// A member saw another history of the conversation than this device.
    LogForked,
    /// A member is in an epoch that this device was never given.
    CommitWithheld,
    /// A key package does not belong to the device it was given for.
    KeyPackageSwapped,
    /// A device was shown for an official without the evidence that makes it theirs.
    DeviceWithoutEvidence,
    /// The server asked to remove a device without a signed revocation.
    RemovalWithoutStatement,
    /// A message of a device that is no longer a member, or of an epoch that is over.
    RemovedMemberSpoke,
    /// A message says another author than the one who encrypted it.
    WrongSender,
    /// Somebody tried to come back as another device than the one that left.
    WrongRejoin,
    /// A commit that cannot be applied.
    PoisonedCommit,
    /// A member's key changed.
    KeyChanged,
    /// An entry that is no message of this protocol.
    Garbage,
    /// The server closed a conversation because of a commit that this device has not seen to be bad.
    ClosedWithoutCause,
    /// A commit arrived otherwise than its author signed it.
    CommitDamaged,
    /// The server's clock contradicts what was signed before, or this device's by more than a day.
    ClockMoved,
}

impl AlarmKind {
    /// One plain English sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::LogGap => "The server left out part of this conversation.",
            Self::LogReordered => "The server changed the order or content of this conversation.",
            Self::LogReplayed => "The server delivered an old message again as if it were new.",
            Self::LogForked => "The server shows another member a different history of this conversation.",
            Self::CommitWithheld => "The server keeps back a change of this conversation's membership.",
            Self::KeyPackageSwapped => "The server gave a wrong encryption key for a device; nothing was sent to it.",
            Self::DeviceWithoutEvidence => {
                "The server shows a device that its official never approved; it was refused."
            }
            Self::RemovalWithoutStatement => {
                "The server tried to remove a device without a signed revocation; refused."
            }
            Self::RemovedMemberSpoke => "A device that is no longer a member sent a message; it was not shown.",
            Self::WrongSender => "A message claims another author than its real sender; it was not shown.",
            Self::WrongRejoin => "A device tried to take another device's place; refused.",
            Self::PoisonedCommit => "A member sent a change that cannot be applied; it was rejected.",
            Self::KeyChanged => "A member's device key changed.",
            Self::ClosedWithoutCause => {
                "The server closed this conversation for a reason that this device cannot verify; nobody was excluded."
            }
            Self::CommitDamaged => {
                "A change of this conversation's members arrived damaged; nobody was excluded because of it."
            }
            Self::ClockMoved => {
                "The server's clock is not believable; check the date on this device and tell your administrator."
            }
            Self::Garbage => "Something that is no message was delivered; it was ignored.",
        }
    }
}

/// One alarm, kept until the profile is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What was seen.
    pub kind: AlarmKind,
    /// When.
    pub at: Millis,
    /// Where, if in a conversation.
    pub group: Option<GroupId>,
    /// Log position, if at one.
    pub seq: Option<u64>,
    /// Device concerned.
    pub device: Option<DeviceId>,
    /// Official concerned.
    pub official: Option<OfficialId>,
}
