//! What a conversation shows, line by line.

use crate::views::AlarmKind;
use pakawaaz_base::{DeviceId, GroupId, MessageId, Millis, OfficialId};
use pakawaaz_contract::directory::BilingualName;
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
    /// Given up; [`LineView::failure`] says why.
    Failed,
}

/// What happened, other than a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum SystemLine {
    /// The conversation was started here.
    Created,
    /// Who was in a group conversation from its beginning. (A one-to-one conversation has no such line.)
    Members {
        /// Officials, this one included.
        officials: Vec<OfficialId>,
        /// Their names, in the same order, where the line is shown; not stored.
        #[serde(default)]
        names: Vec<BilingualName>,
    },
    /// An official joined, with one device or several.
    Joined {
        /// Who.
        official: OfficialId,
        /// The first of the devices.
        device: DeviceId,
    },
    /// A member uses a further device.
    NewDevice {
        /// Its official.
        official: OfficialId,
        /// The device; the first when there are several at once.
        device: DeviceId,
    },
    /// A device was removed or left; one line for each official.
    Left {
        /// Its official.
        official: OfficialId,
        /// The device; the first when there are several at once.
        device: DeviceId,
        /// By a signed revocation.
        revoked: bool,
        /// No device of the official is left.
        #[serde(default)]
        gone: bool,
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

/// The message that another one answers, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyView {
    /// The message.
    pub message: MessageId,
    /// Its author; empty names when this device does not have the message.
    pub author_name: BilingualName,
    /// The beginning of its text, or of a file's caption.
    pub text: String,
    /// Name of its file.
    pub file: Option<String>,
    /// Whether its author took it back.
    pub deleted: bool,
}

/// One emoji under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionView {
    /// The emoji.
    pub emoji: String,
    /// Who, first one first.
    pub officials: Vec<OfficialId>,
    /// Whether this official is among them.
    pub mine: bool,
}

/// A file as a line shows it. What opens it stays in the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// Name, without characters that turn the direction of text around (they disguise endings).
    pub name: String,
    /// Media type as its sender claims it.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Length of sound or film.
    pub duration_ms: Option<u64>,
    /// Small picture, base64 (RFC 4648 §4).
    pub thumbnail: Option<String>,
    /// Its media type: JPEG, PNG or WebP.
    pub thumbnail_type: Option<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Stable within the conversation, also when a queued message gets its position.
    pub key: String,
    /// Position in the log; a queued message has none yet.
    pub seq: Option<u64>,
    /// Message id; none for system lines.
    pub message: Option<MessageId>,
    /// Author, or whom a system line is about.
    pub author: Option<OfficialId>,
    /// Their name; the id in place of a name that was never heard.
    pub author_name: BilingualName,
    /// Whether this official wrote it.
    pub mine: bool,
    /// Server time, or local time while queued.
    pub at: Millis,
    /// The text or a file's caption; empty for system lines.
    pub text: String,
    /// Officials it mentions.
    pub mentions: Vec<OfficialId>,
    /// Message this one answers.
    pub reply: Option<ReplyView>,
    /// Reactions, in the order in which each emoji first came.
    pub reactions: Vec<ReactionView>,
    /// Its file.
    pub file: Option<FileView>,
    /// Whether the author changed it later.
    pub edited: bool,
    /// Whether the author took it back.
    pub deleted: bool,
    /// Own messages only.
    pub status: Option<MessageStatus>,
    /// Stable code of why it failed, with status [`MessageStatus::Failed`]; or why an edit or deletion of it did,
    /// with any other.
    pub failure: Option<String>,
    /// System lines only.
    pub system: Option<SystemLine>,
}

/// A window of a conversation, oldest line first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineView {
    /// The conversation.
    pub group: GroupId,
    /// The lines; queued messages come last when the window reaches the end.
    pub lines: Vec<LineView>,
    /// More above the window.
    pub older: bool,
    /// More below it.
    pub newer: bool,
    /// Key of the first line that was unread when the conversation was opened.
    pub unread_from: Option<String>,
}

impl TimelineView {
    /// What `Client::read` continues above with; none at the beginning.
    pub fn before(&self) -> Option<u64> {
        self.lines.iter().find_map(|l| l.seq).filter(|_| self.older)
    }
    /// What `Client::read_after` continues below with; none at the end.
    pub fn after(&self) -> Option<u64> {
        self.lines.iter().rev().find_map(|l| l.seq).filter(|_| self.newer)
    }
}

/// Who has received a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageInfo {
    /// On a device of theirs, but not read.
    pub delivered: Vec<OfficialId>,
    /// Read.
    pub read: Vec<OfficialId>,
    /// Members of whom nothing was heard.
    pub waiting: Vec<OfficialId>,
    /// Server time, or local time while queued.
    pub sent_at: Millis,
}
