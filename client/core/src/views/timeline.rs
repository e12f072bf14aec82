//! What a conversation shows, line by line.

use crate::views::AlarmKind;
use pakawaaz_base::{DeviceId, MessageId, Millis, OfficialId};
use serde::{Deserialize, Serialize};

/// How far a message of this official has come. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Stored on this device only.
    Queued,
    /// Durable at the server.
    Sent,
    /// Decrypted by a device of every other official.
    Delivered,
    /// Read by every other official.
    Read,
    /// Given up; the reason is in the line's text of the shell.
    Failed,
}

/// What happened, other than a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum SystemLine {
    /// The conversation was started here.
    Created,
    /// A device joined.
    Joined {
        /// Its official.
        official: OfficialId,
        /// The device.
        device: DeviceId,
    },
    /// A device was removed or left.
    Left {
        /// Its official.
        official: OfficialId,
        /// The device.
        device: DeviceId,
        /// By a signed revocation.
        revoked: bool,
    },
    /// A device that had lost its state came back.
    Healed {
        /// Its official.
        official: OfficialId,
        /// The device.
        device: DeviceId,
    },
    /// This device was added.
    JoinedHere,
    /// This device was removed.
    RemovedHere,
    /// The conversation's title was set.
    Titled {
        /// By whom.
        official: OfficialId,
        /// The title.
        title: String,
    },
    /// Something an honest server never does.
    Alarm {
        /// What.
        kind: AlarmKind,
    },
    /// A message that this device cannot read (it was sent before it joined, or its keys are gone).
    Unreadable,
    /// A change of membership that this official asked for was refused for good.
    Failed {
        /// Stable code.
        reason: String,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Position in the log; a queued message has none yet.
    pub seq: Option<u64>,
    /// Message id; none for system lines.
    pub message: Option<MessageId>,
    /// Author; none for system lines.
    pub author: Option<OfficialId>,
    /// Author's name in English.
    pub author_name: String,
    /// Whether this official wrote it.
    pub mine: bool,
    /// Server time, or local time while queued.
    pub at: Millis,
    /// The text; empty for system lines.
    pub text: String,
    /// Message this one answers.
    pub reply_to: Option<MessageId>,
    /// Reactions: emoji and who.
    pub reactions: Vec<(String, OfficialId)>,
    /// Whether the author changed it later.
    pub edited: bool,
    /// Whether the author took it back.
    pub deleted: bool,
    /// Own messages only.
    pub status: Option<MessageStatus>,
    /// System lines only.
    pub system: Option<SystemLine>,
}

/// Lines of one conversation, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelinePage {
    /// The lines; queued messages come last.
    pub lines: Vec<LineView>,
    /// Pass as `before` to get the page above; none at the beginning.
    pub before: Option<u64>,
}
