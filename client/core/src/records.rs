//! Rows of the store that belong to conversations.

use crate::views::SystemLine;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};
use pakawaaz_conversation::log::LogHash;
use pakawaaz_conversation::{Body, ConversationKind, FileRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A turn that does not come.
pub(crate) const NEVER: Millis = Millis(i64::MAX);

/// How this device stands in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// A member with good MLS state.
    Live,
    /// A member without usable MLS state: entries are only chained until it has come back.
    Lost,
    /// An external commit has been made and waits for the server's word.
    Healing,
    /// No member any more.
    Left,
}

/// One conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub group: GroupId,
    pub mode: Mode,
    /// Last stored log position and its chained hash.
    pub seq: u64,
    pub hash: Bytes,
    /// Position after which this device knows the log.
    pub base: u64,
    pub epoch: u64,
    pub direct: bool,
    pub title: Option<String>,
    /// Officials and their devices, in tree order.
    pub members: Vec<(OfficialId, DeviceId)>,
    pub updated_at: Millis,
    /// Position of the newest line worth showing in a list; none yet.
    pub last_line: Option<(u64, u8)>,
    pub unread: u32,
    pub alarms: u32,
    /// Whether the server has been told of it (groups made here).
    pub registered: bool,
    /// GroupInfo and tree for the registration.
    pub registration: Option<(Bytes, Bytes)>,
    /// Members whose signed revocation is known but not committed.
    pub revoked: BTreeSet<DeviceId>,
    /// Messages to acknowledge to their authors from before there was a row for each ([`ReceiptRecord`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_deliver: Vec<MessageId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_read: Vec<MessageId>,
    /// Unread messages of others from before there was a row for each ([`UnreadRecord`]).
    #[serde(default)]
    pub unread_ids: Vec<MessageId>,
    /// Unread messages that mention this official.
    #[serde(default)]
    pub mentions: u32,
    /// Position of the newest message, own ones included.
    #[serde(default)]
    pub last_message: u64,
    /// Whether this device has made a commit of its own since it joined.
    pub updated_leaf: bool,
    /// Closed by the server after a poisoned commit: the device that made it, and when it is this device's turn to
    /// make a successor ([`NEVER`]: this device has seen no poisoned commit).
    #[serde(default)]
    pub closed: Option<(DeviceId, Millis)>,
    /// The server's word that the commit of this device at this position had the conversation closed, while that
    /// position has not been looked at.
    #[serde(default)]
    pub claimed: Option<(DeviceId, u64)>,
    /// The group in which it goes on.
    #[serde(default)]
    pub successor: Option<GroupId>,
    /// The group that it continues (until registered).
    #[serde(default)]
    pub succeeds: Option<GroupId>,
}

impl GroupRecord {
    pub(crate) fn hash(&self) -> LogHash {
        self.hash.array().unwrap_or_default()
    }
    pub(crate) fn officials(&self) -> Vec<OfficialId> {
        let mut out: Vec<_> = Vec::new();
        for (official, _) in &self.members {
            if !out.contains(official) {
                out.push(*official);
            }
        }
        out
    }
    /// Whether new messages must wait: somebody revoked could still read them.
    pub(crate) fn held_back(&self) -> bool {
        self.members.iter().any(|(_, device)| self.revoked.contains(device))
    }
}

/// What is shown at a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// Nothing (a receipt, a commit without effect worth telling).
    Hidden,
    /// A text, or a file with its caption. Empty when the author took it back.
    Text {
        author: OfficialId,
        text: String,
        reply_to: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<OfficialId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<Box<FileRef>>,
    },
    /// Something that happened.
    System(SystemLine),
}

/// One position of a log, or a further line at the same position.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LineRecord {
    /// Chained hash at this position (first line only).
    pub hash: Option<Bytes>,
    pub message: Option<MessageId>,
    pub at: Millis,
    pub line: Line,
}

/// What is known about a message beside its words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MessageRecord {
    pub seq: u64,
    pub author: OfficialId,
    pub mine: bool,
    pub delivered: BTreeSet<OfficialId>,
    pub read: BTreeSet<OfficialId>,
    pub reactions: Vec<(String, OfficialId)>,
    pub edited: bool,
    pub deleted: bool,
}

/// A message of somebody else that this official has not read, by its position.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct UnreadRecord {
    pub message: MessageId,
    /// Whether it mentions this official.
    pub mention: bool,
}

/// A message that is to be acknowledged to its author, by its position.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ReceiptRecord {
    pub message: MessageId,
    /// Read, which implies delivered.
    pub read: bool,
}

/// What the official set about a conversation. Written by the shell only, so that synchronising never overwrites it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FlagsRecord {
    pub pinned: bool,
    pub muted: bool,
    /// Archived while nothing newer than this position has been said.
    pub archived_at: Option<u64>,
}

/// Settings of this device.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LocalSettings {
    /// Tell others when this official writes, and show when they do.
    pub typing: bool,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self { typing: true }
    }
}

/// What an outgoing message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OutBody {
    Text {
        text: String,
        reply_to: Option<MessageId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<OfficialId>,
    },
    File {
        caption: String,
        reply_to: Option<MessageId>,
        mentions: Vec<OfficialId>,
        file: Box<FileRef>,
    },
    Receipt {
        delivered: Vec<MessageId>,
        read: Vec<MessageId>,
    },
    Title {
        title: String,
    },
    Edit {
        target: MessageId,
        text: String,
        mentions: Vec<OfficialId>,
    },
    Delete {
        target: MessageId,
    },
    Reaction {
        target: MessageId,
        emoji: String,
        remove: bool,
    },
    Leave,
}

impl OutBody {
    /// Whether it is a line of its own.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::File { .. })
    }
    /// The message it changes.
    pub(crate) fn target(&self) -> Option<MessageId> {
        match self {
            Self::Edit { target, .. } | Self::Delete { target } | Self::Reaction { target, .. } => Some(*target),
            _ => None,
        }
    }
    /// As it travels.
    pub(crate) fn into_body(self, kind: ConversationKind) -> Body {
        match self {
            Self::Text { text, reply_to, mentions } => Body::Text { text, reply_to, mentions },
            Self::File { caption, reply_to, mentions, file } => Body::File { caption, reply_to, mentions, file: *file },
            Self::Receipt { delivered, read } => Body::Receipt { delivered, read },
            Self::Title { title } => Body::Settings { title: Some(title), kind },
            Self::Edit { target, text, mentions } => Body::Edit { target, text, mentions },
            Self::Delete { target } => Body::Delete { target },
            Self::Reaction { target, emoji, remove } => Body::Reaction { target, emoji, remove },
            Self::Leave => Body::Leave,
        }
    }
}

/// A message on its way out. Encrypted and stored before it is sent; encrypted again when its epoch is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OutItem {
    pub group: GroupId,
    pub message: MessageId,
    pub body: OutBody,
    pub queued_at: Millis,
    /// Epoch and ciphertext.
    pub sealed: Option<(u64, Bytes)>,
    /// Why it was given up.
    pub failed: Option<String>,
}

/// A change of membership that has to be committed; kept until it has been, whoever wins the race.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// Add devices, by verified key packages.
    Add(Vec<(OfficialId, DeviceId, Bytes)>),
    /// Remove every device of an official.
    RemoveOfficial(OfficialId),
    /// The same because they asked for it: one member does it, the others only if that one does not.
    LetGo(OfficialId),
    /// Refresh the own leaf.
    Update,
}

/// An own commit that was stored and waits for the server's word.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingCommit {
    pub message: MessageId,
    pub epoch: u64,
    pub mls: Bytes,
    pub welcome: Option<Bytes>,
    pub welcome_to: Vec<DeviceId>,
    pub group_info: Bytes,
    /// Intents it fulfils.
    pub intents: Vec<MessageId>,
    /// External commit of this device coming back.
    pub external: bool,
}
